"""The text evidence on disk: config.json and model.safetensors."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from prognosis.errors import BundleError
from prognosis.evidence.text.config import TextConfig
from prognosis.evidence.text.features import Components, TextFeatures
from prognosis.evidence.text.model import SentenceWeights, TextEvidence
from prognosis.evidence.text.terms import Terms


def save_text(model: TextEvidence, folder: Path) -> None:
    """Write the model into an existing folder; no pickle, and no copy of the encoder.

    Args:
        model: What to write.
        folder: Exists and is empty.
    """
    from safetensors.numpy import save_file

    arrays = {
        "terms.idf": model.features.terms.idf,
        "weights.terms": model.weights.terms,
        "weights.components": model.weights.components,
        "weights.centre": model.weights.centre,
        "share": model.share,
        "usual": np.array([model.usual]),
    }
    components = model.features.components
    if components is not None:
        arrays |= {"components.mean": components.mean, "components.axes": components.axes}
    whole = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    save_file(whole, folder / "model.safetensors")
    stated = {
        "modality": model.modality,
        "causes": model.causes,
        "config": asdict(model.config),
        "sentence_patterns": model.sentence_patterns,
        "terms": model.features.terms.names,
        "trends": None if components is None else components.trends,
    }
    (folder / "config.json").write_text(json.dumps(stated, indent=1, ensure_ascii=False), "utf-8")


def load_text(folder: Path) -> TextEvidence:
    """Read a model that `save_text` wrote.

    Raises:
        BundleError: A file is absent or does not hold what it should.
        MissingDependencyError: The model's encoder is not installed.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stated = json.loads((folder / "config.json").read_text("utf-8"))
        arrays = load_file(folder / "model.safetensors")
        components = None
        if stated["trends"] is not None:
            components = Components(
                arrays["components.mean"], arrays["components.axes"], int(stated["trends"])
            )
        terms = Terms(tuple(stated["terms"]), arrays["terms.idf"])
        weights = SentenceWeights(
            arrays["weights.terms"], arrays["weights.components"], arrays["weights.centre"]
        )
        return TextEvidence(
            config=TextConfig(**stated["config"]),
            causes=tuple(stated["causes"]),
            sentence_patterns=tuple(stated["sentence_patterns"]),
            features=TextFeatures(terms, components),
            weights=weights,
            usual=float(arrays["usual"][0]),
            share=arrays["share"],
        )
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        problem = f"is not a whole text model ({type(error).__name__})"
        raise BundleError(str(folder), problem, "copy the folder again or train") from error
