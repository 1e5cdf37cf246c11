"""Shares of a patient's columns kept on disk: what tree tables and machine code are otherwise made for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.cache.sealed import SealedFiles, owned_folder
from prognosis.evidence.imaging.cache.studies import folder_digest
from prognosis.evidence.model_folder import library_versions

Floats = NDArray[np.float64]

_PROGRAM = Path(__file__).parents[2]


class ShareCache:
    """Arrays by what they follow from: a row of window columns, the model's files, this program.

    The key is a digest of the very numbers that the model reads, so that a record that says something else by
    the index, another index, another model or another version of the program finds nothing here. An entry is
    the shares alone, without a name, id, date or code.

    Args:
        folder: Holds derived patient data.
        weights: Digest of the clinical evidence's files.

    Raises:
        InputError: The folder cannot be used.
    """

    def __init__(self, folder: Path, weights: str) -> None:
        self._files = SealedFiles(owned_folder(folder) / "shares")
        self._weights = weights
        self.found = 0

    def kept(self, row: Floats, shape: tuple[int, ...], make: Callable[[], Floats]) -> Floats:
        """The shares of one row, from here or else from `make`.

        Args:
            row: (columns,) of one case.
            shape: Of the shares.
            make: Called where there is no whole entry; what it gives is kept.

        Raises:
            InputError: The folder cannot be written.
        """
        key = self._key(row, shape)
        body = self._files.read(key)
        if body is not None and len(body) == 8 * int(np.prod(shape)):
            self.found += 1
            return np.frombuffer(body, "<f8").reshape(shape).astype(np.float64)
        made = make()
        self._files.write(key, np.ascontiguousarray(made, "<f8").tobytes())
        return made

    def _key(self, row: Floats, shape: tuple[int, ...]) -> str:
        program = [folder_digest(_PROGRAM / "evidence"), (_PROGRAM / "compiled.py").read_text("utf-8")]
        stated = repr((self._weights, shape, program, sorted(library_versions(("numpy", "numba")).items())))
        return hashlib.sha256(stated.encode() + np.ascontiguousarray(row, "<f8").tobytes()).hexdigest()
