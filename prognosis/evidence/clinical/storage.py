"""The clinical evidence on disk: config.json, model.safetensors and background.parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.concepts import CodedConcept
from prognosis.errors import BundleError
from prognosis.evidence.clinical.boosting import TreeSettings
from prognosis.evidence.clinical.concepts import Concept, Vocabulary
from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.clinical.fold_model import FoldModel
from prognosis.evidence.clinical.model import ClinicalEvidence
from prognosis.evidence.clinical.patient_space import PatientSpace
from prognosis.evidence.clinical.preparation import Preparation
from prognosis.evidence.clinical.tree_tables import LeafTable
from prognosis.evidence.clinical.trees import TreeMember
from prognosis.evidence.readout import LinearReadout

if TYPE_CHECKING:
    Arrays = dict[str, NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]]

_PREPARED = ("kept", "logged", "low", "high", "means", "scales", "since", "half_lives", "unseen")


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
        "space.levels": model.space.levels,
        "space.usual": np.array([model.space.usual]),
    }
    _put_preparation(arrays, "space", model.space.preparation)
    for number, fold in enumerate(model.folds):
        _put_preparation(arrays, f"fold{number}", fold.preparation)
        arrays[f"fold{number}.coefficients"] = fold.readout.coefficients
        arrays[f"fold{number}.centre"] = fold.readout.means
        arrays[f"fold{number}.penalties"] = fold.readout.penalties
        arrays[f"fold{number}.factors"] = fold.factors
        for member in fold.members:
            _put_trees(arrays, f"fold{number}.{member.kind}", member)
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
    import pyarrow.parquet as pq
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stated = json.loads((folder / "config.json").read_text("utf-8"))
        arrays = load_file(folder / "model.safetensors")
        # `read_table` and `to_numpy` would import pandas, which takes longer than all else here.
        table = pq.ParquetFile(folder / "background.parquet").read(use_threads=False)
        columns = [column.to_pylist() for column in table.columns]
        background = np.array(columns, dtype=float).T.copy().reshape(table.num_rows, table.num_columns)
        causes = tuple(stated["causes"])
        return ClinicalEvidence(
            config=_config(stated["config"]),
            causes=causes,
            vocabulary=_vocabulary(stated["vocabulary"]),
            space=PatientSpace(
                _preparation(arrays, "space"),
                arrays["space.directions"],
                arrays["space.levels"],
                float(arrays["space.usual"][0]),
            ),
            folds=[
                _fold(arrays, f"fold{number}", stated["members"], int(stated["bins"]), len(causes))
                for number in range(int(stated["folds"]))
            ],
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
        "bins": model.folds[0].bins,
        "members": [member.kind for member in model.folds[0].members],
        "config": asdict(model.config),
        "vocabulary": {
            "concepts": [[own.code, own.unit, own.kind] for own in vocabulary.concepts],
            "names": vocabulary.names,
            "categories": vocabulary.categories,
            "excluded_codes": sorted(vocabulary.excluded_codes),
            "entry_codes": vocabulary.entry_codes,
            "gathered": {
                name: own.model_dump(mode="json", exclude_defaults=True)
                for name, own in vocabulary.gathered.items()
            },
        },
    }


def _config(stated: dict[str, object]) -> ClinicalConfig:
    trees = stated.pop("trees")
    windows, half_lives = stated.pop("windows_days"), stated.pop("half_lives_days")
    return ClinicalConfig(
        **stated,  # type: ignore[arg-type]
        windows_days=tuple(windows),  # type: ignore[arg-type]
        half_lives_days=tuple(half_lives),  # type: ignore[arg-type]
        trees=_tree_settings(trees) if isinstance(trees, dict) else None,
    )


def _vocabulary(stated: dict[str, Any]) -> Vocabulary:
    return Vocabulary(
        concepts=tuple(Concept(*own) for own in stated["concepts"]),
        names=tuple(str(name) for name in stated["names"]),
        categories=tuple(tuple(own) for own in stated["categories"]),
        excluded_codes=frozenset(str(code) for code in stated["excluded_codes"]),
        entry_codes=tuple(str(code) for code in stated["entry_codes"]),
        gathered={name: CodedConcept.model_validate(own) for name, own in stated.get("gathered", {}).items()},
    )


def _put_preparation(arrays: Arrays, name: str, own: Preparation) -> None:
    for part in _PREPARED:
        arrays[f"{name}.{part}"] = getattr(own, part)


def _preparation(arrays: Arrays, name: str) -> Preparation:
    return Preparation(**{part: arrays[f"{name}.{part}"] for part in _PREPARED})  # type: ignore[arg-type]


def _fold(arrays: Arrays, name: str, kinds: Sequence[str], bins: int, causes: int) -> FoldModel:
    return FoldModel(
        preparation=_preparation(arrays, name),
        readout=LinearReadout(
            arrays[f"{name}.coefficients"].astype(float),
            arrays[f"{name}.centre"].astype(float),
            arrays[f"{name}.penalties"].astype(float),
        ),
        members=tuple(_trees(arrays, f"{name}.{kind}", kind, causes) for kind in kinds),
        factors=arrays[f"{name}.factors"].astype(float),
        bins=bins,
    )


def _put_trees(arrays: Arrays, name: str, member: TreeMember) -> None:
    for place, tables in enumerate(member.tables):
        for step, table in enumerate(tables or ()):
            for own in fields(table):
                arrays[f"{name}.cause{place}.step{step}.{own.name}"] = getattr(table, own.name)


def _trees(arrays: Arrays, name: str, kind: str, causes: int) -> TreeMember:
    tables: list[tuple[LeafTable, ...] | None] = []
    for place in range(causes):
        steps: list[LeafTable] = []
        while f"{name}.cause{place}.step{len(steps)}.value" in arrays:
            start = f"{name}.cause{place}.step{len(steps)}"
            parts = {own.name: arrays[f"{start}.{own.name}"] for own in fields(LeafTable)}
            steps.append(LeafTable(**parts))  # type: ignore[arg-type]
        tables.append(tuple(steps) or None)
    return TreeMember(kind, tuple(tables))


def _tree_settings(stated: dict[str, object]) -> TreeSettings:
    named = {**stated, "members": tuple(stated["members"]), "depths": tuple(stated["depths"])}  # type: ignore[arg-type]
    return TreeSettings(**named)  # type: ignore[arg-type]
