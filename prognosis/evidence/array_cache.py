"""What a model says of one patient kept on disk: arrays that slow packages would otherwise make again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.cache.sealed import SealedFiles, owned_folder
from prognosis.evidence.imaging.cache.studies import folder_digest
from prognosis.evidence.model_folder import library_versions

Floats = NDArray[np.float64]

_PROGRAM = Path(__file__).parents[1]


class ArrayCache:
    """Arrays by what they follow from: what is read of a patient, the model's files, this program.

    The key is a digest of all that the model reads, so that a record that says something else by the index,
    another index, another model or another version of the program finds nothing here. An entry is the array
    alone, without a name, id, date or code.

    Args:
        folder: Holds derived patient data.
        kind: Folder below it.
        model: Says which files the arrays follow from: digests.
        libraries: Packages whose versions they follow from.

    Attributes:
        found: How many arrays were read.

    Raises:
        InputError: The folder cannot be used.
    """

    def __init__(self, folder: Path, kind: str, model: str, libraries: Sequence[str]) -> None:
        self._files = SealedFiles(owned_folder(folder) / kind)
        self._model = model
        self._libraries = tuple(libraries)
        self.found = 0

    def kept(self, read: bytes, shape: tuple[int, ...], make: Callable[[], Floats]) -> Floats:
        """An array, from here or else from `make`.

        Args:
            read: All that the model reads of the patient.
            shape: Of the array.
            make: Called where there is no whole entry; what it gives is kept.

        Raises:
            InputError: The folder cannot be written.
        """
        key = self._key(read, shape)
        body = self._files.read(key)
        if body is not None and len(body) == 8 * int(np.prod(shape)):
            self.found += 1
            return np.frombuffer(body, "<f8").reshape(shape).astype(np.float64)
        made = make()
        self._files.write(key, np.ascontiguousarray(made, "<f8").tobytes())
        return made

    def _key(self, read: bytes, shape: tuple[int, ...]) -> str:
        program = [folder_digest(_PROGRAM / "evidence"), (_PROGRAM / "compiled.py").read_text("utf-8")]
        versions = sorted(library_versions(self._libraries).items())
        return hashlib.sha256(repr((self._model, shape, program, versions)).encode() + read).hexdigest()
