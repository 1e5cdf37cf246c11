"""The clinical evidence on disk: config.json, model.safetensors, trees/*.ubj, background.parquet."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import BundleError
from prognosis.evidence.clinical.concepts import Concept, Vocabulary
from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.clinical.fold_model import FoldModel
from prognosis.evidence.clinical.model import ClinicalEvidence, PatientSpace
from prognosis.evidence.clinical.preparation import Preparation
from prognosis.evidence.clinical.trees import Forest, TreeSettings, forest
from prognosis.evidence.readout import LinearReadout

if TYPE_CHECKING:
    Arrays = dict[str, NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]]

_PREPARED = ("kept", "logged", "low", "high", "means", "scales", "unseen")


def save_clinical(model: ClinicalEvidence, folder: Path) -> None:
    """Write the model into an existing folder; no pickle.

    Args:
        model: What to write.
        folder: Exists and is empty.
    """
    import pandas as pd
    from safetensors.numpy import save_file

    arrays: Arrays = {
        "space.directions": model.space.directions,
        "space.usual": np.array([model.space.usual]),
    }
    _put_preparation(arrays, "space", model.space.preparation)
    (folder / "trees").mkdir()
    for number, fold in enumerate(model.folds):
        _put_preparation(arrays, f"fold{number}", fold.preparation)
        arrays[f"fold{number}.coefficients"] = fold.readout.coefficients
        arrays[f"fold{number}.centre"] = fold.readout.means
        arrays[f"fold{number}.penalties"] = fold.readout.penalties
        arrays[f"fold{number}.share"] = fold.share
        arrays[f"fold{number}.tree_means"] = fold.tree_means
        for place, own in enumerate(fold.forests):
            if own is not None:
                own.booster.save_model(folder / "trees" / f"fold{number}-cause{place}.ubj")
    save_file(
        {name: np.ascontiguousarray(value) for name, value in arrays.items()}, folder / "model.safetensors"
    )
    columns = [f"column{place}" for place in range(model.background.shape[1])]
    pd.DataFrame(model.background, columns=columns).to_parquet(folder / "background.parquet", index=False)
    (folder / "config.json").write_text(json.dumps(_statement(model), indent=1, ensure_ascii=False), "utf-8")


def load_clinical(folder: Path) -> ClinicalEvidence:
    """Read a model that `save_clinical` wrote.

    Raises:
        BundleError: A file is absent or does not hold what it should.
    """
    import pandas as pd
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stated = json.loads((folder / "config.json").read_text("utf-8"))
        arrays = load_file(folder / "model.safetensors")
        background = pd.read_parquet(folder / "background.parquet").to_numpy(dtype=float)
        causes = tuple(stated["causes"])
        return ClinicalEvidence(
            config=_config(stated["config"]),
            causes=causes,
            vocabulary=_vocabulary(stated["vocabulary"]),
            space=PatientSpace(
                _preparation(arrays, "space"), arrays["space.directions"], float(arrays["space.usual"][0])
            ),
            folds=[_fold(arrays, folder, number, len(causes)) for number in range(int(stated["folds"]))],
            background=background,
        )
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BundleError(
            str(folder),
            f"is not a whole clinical model ({type(error).__name__})",
            "copy the folder again or train",
        ) from error


def _statement(model: ClinicalEvidence) -> dict[str, object]:
    vocabulary = model.vocabulary
    return {
        "modality": model.modality,
        "causes": model.causes,
        "folds": len(model.folds),
        "config": asdict(model.config),
        "vocabulary": {
            "concepts": [[own.code, own.unit, own.kind] for own in vocabulary.concepts],
            "names": vocabulary.names,
            "categories": vocabulary.categories,
            "excluded_codes": sorted(vocabulary.excluded_codes),
        },
    }


def _config(stated: dict[str, object]) -> ClinicalConfig:
    trees = stated.pop("trees")
    windows = stated.pop("windows_days")
    return ClinicalConfig(
        **stated,  # type: ignore[arg-type]
        windows_days=tuple(windows),  # type: ignore[arg-type]
        trees=TreeSettings(**trees) if isinstance(trees, dict) else None,
    )


def _vocabulary(stated: dict[str, list[list[str]]]) -> Vocabulary:
    return Vocabulary(
        concepts=tuple(Concept(*own) for own in stated["concepts"]),  # type: ignore[arg-type]
        names=tuple(str(name) for name in stated["names"]),
        categories=tuple(tuple(own) for own in stated["categories"]),
        excluded_codes=frozenset(str(code) for code in stated["excluded_codes"]),
    )


def _put_preparation(arrays: Arrays, name: str, own: Preparation) -> None:
    for part in _PREPARED:
        arrays[f"{name}.{part}"] = getattr(own, part)


def _preparation(arrays: Arrays, name: str) -> Preparation:
    return Preparation(**{part: arrays[f"{name}.{part}"] for part in _PREPARED})  # type: ignore[arg-type]


def _fold(arrays: Arrays, folder: Path, number: int, causes: int) -> FoldModel:
    name = f"fold{number}"
    share = arrays[f"{name}.share"].astype(float)
    forests = tuple(_forest(folder / "trees" / f"{name}-cause{place}.ubj") for place in range(causes))
    for own, weight in zip(forests, share, strict=True):
        if own is None and weight > 0.0:
            raise BundleError(str(folder), "lacks the trees of a fold", "copy the folder again or train")
    return FoldModel(
        preparation=_preparation(arrays, name),
        readout=LinearReadout(
            arrays[f"{name}.coefficients"].astype(float),
            arrays[f"{name}.centre"].astype(float),
            arrays[f"{name}.penalties"].astype(float),
        ),
        forests=forests,
        share=share,
        tree_means=arrays[f"{name}.tree_means"].astype(float),
    )


def _forest(path: Path) -> Forest | None:
    from xgboost import Booster

    return forest(Booster(model_file=path)) if path.is_file() else None
