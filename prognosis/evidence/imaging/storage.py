"""The imaging evidence on disk: config.json and model.safetensors, checked on loading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from prognosis.errors import BundleError, ConfigError
from prognosis.evidence.imaging.combine import Combination
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.gate_storage import gate_statement, gate_weights, read_gate
from prognosis.evidence.imaging.members import FoldMembers, StoredNetwork
from prognosis.evidence.imaging.model import Centres, ImagingEvidence
from prognosis.evidence.imaging.typical import TypicalFilms

if TYPE_CHECKING:
    from torch import nn

    from prognosis.evidence.imaging.pretrained import PretrainedEncoder
    from prognosis.evidence.segmentation.model import SegmentationModel

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
ENCODER_FOLDER = "encoder"
SEGMENTATION_FOLDER = "segmentation"
REMEDY = "train the model again, or copy its whole folder again"

Weights = dict[str, NDArray[np.generic]]


def save_imaging(model: ImagingEvidence, folder: Path) -> None:
    """Write a model into an existing, empty folder."""
    from safetensors.numpy import save_file

    stated = {
        "modality": "imaging",
        "causes": list(model.causes),
        "folds": len(model.folds),
        "network": model.folds[0].network is not None,
        "encoder": _encoder_statement(model.encoder, folder),
        "gate": None if model.gate is None else gate_statement(model.gate),
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
    if model.gate is not None:
        weights |= gate_weights(model.gate)
    for number, fold in enumerate(model.folds):
        weights[f"fold{number}.coefficients"] = fold.coefficients
        if fold.frozen is not None:
            weights[f"fold{number}.frozen"] = fold.frozen
        if fold.network is not None:
            for name, value in fold.network.state_dict().items():
                weights[f"fold{number}.network.{name}"] = value.numpy()
    save_file(
        {name: np.ascontiguousarray(value) for name, value in weights.items()}, str(folder / WEIGHTS_FILE)
    )
    if model.segmenter is not None:
        from prognosis.evidence.segmentation.storage import save_segmentation

        card = f"A copy of {model.segmenter.model_id}, in whose zones the imaging evidence is told.\n"
        save_segmentation(model.segmenter, folder / SEGMENTATION_FOLDER, card, {})


def load_imaging(folder: Path) -> ImagingEvidence:
    """Read a model that `save_imaging` wrote.

    Raises:
        BundleError: A file is absent or altered, or a weight is not a finite number.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stated = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        config = ImagingConfig.model_validate(stated["settings"])
        causes, folds, network = tuple(stated["causes"]), int(stated["folds"]), bool(stated["network"])
        encoder = _encoder(stated.get("encoder"), folder)
        weights: Weights = load_file(str(folder / WEIGHTS_FILE))
        faulty = sorted(name for name, value in weights.items() if not np.isfinite(value).all())
        if faulty:
            raise BundleError(
                str(folder / WEIGHTS_FILE), f"{faulty[0]} holds numbers that are not finite", REMEDY
            )
        typical = TypicalFilms(
            mean=_float(weights, "typical.mean"),
            spread=_float(weights, "typical.spread"),
            precision=_float(weights, "typical.precision"),
            limit=float(_float(weights, "typical.limit")[0]),
        )
        return ImagingEvidence(
            config=config,
            causes=causes,
            folds=tuple(
                _fold(weights, number, config, len(causes), encoder, folder, network=network)
                for number in range(folds)
            ),
            combination=Combination(_float(weights, "slopes"), _float(weights, "change")),
            centres=Centres(_float(weights, "centres.members"), _float(weights, "centres.change")),
            typical=typical,
            gate=None if stated["gate"] is None else read_gate(stated["gate"], weights, typical),
            encoder=encoder,
            segmenter=_segmenter(folder / SEGMENTATION_FOLDER) if config.segmentation else None,
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
            str(folder), f"cannot be read as imaging evidence ({type(error).__name__})", REMEDY
        ) from error


def _segmenter(folder: Path) -> SegmentationModel:
    from prognosis.evidence.segmentation.storage import load_segmentation

    return load_segmentation(folder)


def _float(weights: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.float64]:
    return np.asarray(weights[name], dtype=np.float64)


def _encoder_statement(encoder: PretrainedEncoder | None, folder: Path) -> dict[str, Any] | None:
    """What the model says of its encoder; small weights are written beside it, large ones only named."""
    if encoder is None:
        return None
    if encoder.carried:
        encoder.save(folder / ENCODER_FOLDER)
    return {"digest": encoder.digest, "carried": encoder.carried, "place": str(encoder.place)}


def _encoder(stated: Mapping[str, Any] | None, folder: Path) -> PretrainedEncoder | None:
    """The encoder that the model was trained with.

    Raises:
        BundleError: It is not there, or is another one.
    """
    if stated is None:
        return None
    from prognosis.evidence.imaging.pretrained import load_encoder

    place = folder / ENCODER_FOLDER if stated["carried"] else Path(stated["place"])
    remedy = f"put back the encoder with sha256 {stated['digest']}, or train the model anew"
    try:
        encoder = load_encoder(place)
    except ConfigError as error:
        raise BundleError(
            str(place), f"the model's encoder cannot be read ({error.problem})", remedy
        ) from error
    if encoder.digest != stated["digest"]:
        raise BundleError(str(place), "is another encoder than the model was trained with", remedy)
    return encoder


def _fold(
    weights: Weights,
    number: int,
    config: ImagingConfig,
    causes: int,
    encoder: PretrainedEncoder | None,
    folder: Path,
    *,
    network: bool,
) -> FoldMembers:
    coefficients = _float(weights, f"fold{number}.coefficients")
    frozen = None if encoder is None else _float(weights, f"fold{number}.frozen")
    if not network:
        return FoldMembers(coefficients, None, frozen)
    prefix = f"fold{number}.network."
    own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}

    def build() -> nn.Module:
        import torch

        from prognosis.evidence.imaging.encoder import build_encoder

        built = build_encoder(config, causes, encoder)
        state = {name: torch.from_numpy(np.array(value)) for name, value in own.items()}
        try:
            built.load_state_dict(state, strict=True)
        except RuntimeError as error:
            problem = f"the weights of fold {number} are not those of the network that its settings state"
            raise BundleError(str(folder / WEIGHTS_FILE), problem, REMEDY) from error
        return built.eval()

    return FoldMembers(coefficients, StoredNetwork(build), frozen)
