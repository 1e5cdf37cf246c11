"""The imaging evidence on disk: config.json and model.safetensors, checked on loading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from prognosis.errors import BundleError
from prognosis.evidence.imaging.combine import Combination
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.members import FoldMembers
from prognosis.evidence.imaging.model import Centres, ImagingEvidence
from prognosis.evidence.imaging.typical import TypicalFilms

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"

Weights = dict[str, NDArray[np.generic]]


def save_imaging(model: ImagingEvidence, folder: Path) -> None:
    """Write a model into an existing, empty folder."""
    from safetensors.numpy import save_file

    stated = {
        "modality": "imaging",
        "causes": list(model.causes),
        "folds": len(model.folds),
        "network": model.folds[0].network is not None,
        "settings": model.config.model_dump(mode="json"),
    }
    (folder / CONFIG_FILE).write_text(json.dumps(stated, indent=2) + "\n", encoding="utf-8")
    weights: dict[str, NDArray[np.generic]] = {
        "slopes": model.combination.slopes,
        "change": model.combination.change,
        "centres.members": model.centres.members,
        "centres.change": model.centres.change,
        "typical.mean": model.typical.mean,
        "typical.spread": model.typical.spread,
        "typical.precision": model.typical.precision,
        "typical.limit": np.array([model.typical.limit]),
    }
    for number, fold in enumerate(model.folds):
        weights[f"fold{number}.coefficients"] = fold.coefficients
        if fold.network is not None:
            for name, value in fold.network.state_dict().items():
                weights[f"fold{number}.network.{name}"] = value.numpy()
    save_file(
        {name: np.ascontiguousarray(value) for name, value in weights.items()}, str(folder / WEIGHTS_FILE)
    )


def load_imaging(folder: Path) -> ImagingEvidence:
    """Read a model that `save_imaging` wrote.

    Raises:
        BundleError: A file is absent or altered, or a weight is not a finite number.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    remedy = "train the model again, or copy its whole folder again"
    try:
        stated = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        config = ImagingConfig.model_validate(stated["settings"])
        causes, folds, network = tuple(stated["causes"]), int(stated["folds"]), bool(stated["network"])
        weights: Weights = load_file(str(folder / WEIGHTS_FILE))
        faulty = sorted(name for name, value in weights.items() if not np.isfinite(value).all())
        if faulty:
            raise BundleError(
                str(folder / WEIGHTS_FILE), f"{faulty[0]} holds numbers that are not finite", remedy
            )
        return ImagingEvidence(
            config=config,
            causes=causes,
            folds=tuple(
                _fold(weights, number, config, len(causes), network=network) for number in range(folds)
            ),
            combination=Combination(_float(weights, "slopes"), _float(weights, "change")),
            centres=Centres(_float(weights, "centres.members"), _float(weights, "centres.change")),
            typical=TypicalFilms(
                mean=_float(weights, "typical.mean"),
                spread=_float(weights, "typical.spread"),
                precision=_float(weights, "typical.precision"),
                limit=float(_float(weights, "typical.limit")[0]),
            ),
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        SafetensorError,
        ValidationError,
    ) as error:
        raise BundleError(
            str(folder), f"cannot be read as imaging evidence ({type(error).__name__})", remedy
        ) from error


def _float(weights: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.float64]:
    return np.asarray(weights[name], dtype=np.float64)


def _fold(weights: Weights, number: int, config: ImagingConfig, causes: int, *, network: bool) -> FoldMembers:
    coefficients = _float(weights, f"fold{number}.coefficients")
    if not network:
        return FoldMembers(coefficients, None)
    import torch

    from prognosis.evidence.imaging.encoder import build_encoder

    encoder = build_encoder(config, causes)
    prefix = f"fold{number}.network."
    state = {
        name.removeprefix(prefix): torch.from_numpy(np.array(weights[name]))
        for name in weights
        if name.startswith(prefix)
    }
    encoder.load_state_dict(state, strict=True)
    return FoldMembers(coefficients, encoder.eval())
