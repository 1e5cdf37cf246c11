"""Each study's encoding, kept under the digest of everything that it follows from."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from prognosis.evidence.imaging.cache.contents import ContentDigests, file_stamp
from prognosis.evidence.imaging.cache.sealed import SealedFiles, owned_folder
from prognosis.evidence.imaging.encoding import Encoding
from prognosis.evidence.model_folder import library_versions
from prognosis.record import ImagingStudy

_CODE = Path(__file__).parents[3]
_PARTS = ("evidence/imaging", "evidence/segmentation", "record")
_LIBRARIES = (
    *("numpy", "scipy", "torch", "monai", "transformers", "openvino", "pydicom", "pillow", "nibabel"),
    *("pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "pyjpegls", "python-gdcm"),
)


def encoder_digest(weights: str, engines: Sequence[str] = ()) -> str:
    """sha256 of what turns a study into evidence: weights and settings, engines, this program, its libraries.

    Args:
        weights: Digest of the imaging evidence's files.
        engines: What its networks are run by on this machine.
    """
    return digest_of([weights, list(engines), program_digest(), library_versions(_LIBRARIES)])


def program_digest() -> list[str]:
    """sha256 of each part of this program that turns a study into evidence."""
    return [folder_digest(_CODE / part) for part in _PARTS]


class StudyCache:
    """Encodings by study and encoder; what is there is read, what is not is made and kept.

    Args:
        folder: Holds derived patient data, and no name, id, date or path: keys are digests.
        encoder: From `encoder_digest`.

    Attributes:
        found: How many encodings were read.
        made: How many were made, whether kept or not.

    Raises:
        InputError: The folder cannot be used.
    """

    def __init__(self, folder: Path, encoder: str) -> None:
        self.folder = owned_folder(folder)
        self.found = self.made = 0
        self._encoder = encoder
        self._encodings = SealedFiles(folder / "studies")
        self._digests = ContentDigests(SealedFiles(folder / "files"))

    def kept(self, study: ImagingStudy, encode: Callable[[ImagingStudy], Encoding]) -> Encoding:
        """The study's encoding, from here or else from `encode`.

        A study that cannot be opened is not remembered: a missing decoder may be installed, a share mounted.
        One that changes while it is read is encoded and not kept, and so is one whose store cannot say which
        bytes it is read from.

        Raises:
            StudyError: The study cannot be opened, or a file of it is not there.
            InputError: The folder cannot be written.
        """
        contents = study.contents()
        stamp = file_stamp(study, contents)
        key = self._key(study, self._digests.digest(study, contents, stamp)) if contents else None
        body = None if key is None else self._encodings.read(key)
        known = None if body is None else _read(body)
        if known is not None:
            self.found += 1
            return known
        made = encode(study)
        self.made += 1
        if key is not None and stamp == file_stamp(study, contents):
            self._encodings.write(key, _written(made))
        return made

    def _key(self, study: ImagingStudy, contents: str) -> str:
        """Of the bytes, what the record says of the series, how the bytes are read, and the encoder."""
        series = [[each.series_uid, each.modality, each.view, each.body_part] for each in study.series]
        reader = sys.modules[type(study.store).__module__].__file__ or ""
        return digest_of([contents, series, folder_digest(Path(reader).parent), self._encoder])


@cache
def folder_digest(folder: Path) -> str:
    """sha256 of the Python files of a folder and those below it."""
    files = sorted(folder.rglob("*.py"))
    return digest_of([[str(file.relative_to(folder)), file.read_text(encoding="utf-8")] for file in files])


def digest_of(stated: object) -> str:
    """sha256 of what can be written as JSON."""
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()


def _written(encoding: Encoding) -> bytes:
    """As JSON, whose numbers Python writes so that they are read back exactly."""
    stated = {
        "members": encoding.members.tolist(),
        "distance": encoding.distance,
        "caution": encoding.caution,
        "refusal": encoding.refusal,
    }
    return json.dumps(stated, allow_nan=False).encode()


def _read(body: bytes) -> Encoding | None:
    """The encoding; None where the body is none of ours."""
    try:
        stated = json.loads(body)
        if stated["refusal"]:
            return Encoding.refused(str(stated["refusal"]))
        members = np.array(stated["members"], dtype=np.float64)
        return Encoding(members, float(stated["distance"]), str(stated["caution"]))
    except (ValueError, KeyError, TypeError):
        return None
