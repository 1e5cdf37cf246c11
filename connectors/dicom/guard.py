"""What is checked of a DICOM file before a parser sees it, and how a parser's failures are told.

A Deflated file of a few hundred kilobytes can inflate to gigabytes inside a parser, so its size is measured
first, in pieces and up to a cap. Transfer syntaxes are taken from a list of those that can be decoded.
"""

from __future__ import annotations

import logging
import signal
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from prognosis.errors import StudyError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PIXEL_BUDGET = 512 * 2**20
"""The most pixels (rows x columns x frames x samples) that one series may claim."""

INFLATED_BUDGET = 256 * 2**20
"""The most bytes that a Deflated data set may inflate to (PS3.5 annex A.5)."""

MEMORY_BUDGET = 512 * 2**20
"""The most bytes of address space of the process that parses and decodes (RLIMIT_AS)."""

OUT_OF_MEMORY = f"needs more than {MEMORY_BUDGET // 2**20} MiB to be read"
FRAME_SECONDS = 20.0
"""Processor time for one frame."""

PARSE_SECONDS = 1.5
BYTES_PER_SECOND = 5_000_000.0
"""Processor time for a file's elements: so much, and a second more for so many of its bytes as they lie."""

META_BUDGET = 64 * 1024
PREAMBLE = 128
MAGIC = b"DICM"

DEFLATED = "1.2.840.10008.1.2.1.99"
UNCOMPRESSED = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", DEFLATED})
COMPRESSED = frozenset(
    {
        "1.2.840.10008.1.2.4.50",  # JPEG baseline, 8 bit
        "1.2.840.10008.1.2.4.51",  # JPEG extended, 12 bit
        "1.2.840.10008.1.2.4.57",  # JPEG lossless
        "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
        "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
        "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
        "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
        "1.2.840.10008.1.2.4.91",  # JPEG 2000
        "1.2.840.10008.1.2.4.201",  # high-throughput JPEG 2000 lossless
        "1.2.840.10008.1.2.4.202",  # the same, by resolution
        "1.2.840.10008.1.2.4.203",  # high-throughput JPEG 2000
        "1.2.840.10008.1.2.5",  # RLE lossless
    }
)

PARSE_FAULTS = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    RuntimeError,  # decoders, and RecursionError from sequences nested without end
    OverflowError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
)
"""What pydicom and its decoders are known to raise on damaged or hostile files."""


def has_magic(path: Path) -> bool:
    """Whether the file begins as a DICOM file does: 128 bytes, then DICM (PS3.10 section 7.1)."""
    try:
        with path.open("rb") as file:
            return file.read(PREAMBLE + len(MAGIC))[PREAMBLE:] == MAGIC
    except OSError:
        return False


@contextmanager
def faults_told(reference: str) -> Iterator[None]:
    """Tell whatever a parser raises in the block as a StudyError.

    The parser's warnings and log lines are dropped: they quote values, which may identify a patient.
    """
    from pydicom.errors import BytesLengthException, InvalidDicomError

    log = logging.getLogger("pydicom")
    level = log.level
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            log.setLevel(logging.CRITICAL + 1)
            yield
    except StudyError:
        raise
    except InvalidDicomError as error:
        raise StudyError(reference, "is not a DICOM file", "give files with the DICM preamble") from error
    except MemoryError as error:
        raise StudyError(reference, OUT_OF_MEMORY, "give it uncompressed, or as single frames") from error
    except (*PARSE_FAULTS, BytesLengthException) as error:
        raise StudyError(
            reference, f"cannot be parsed ({type(error).__name__})", "export it from the archive again"
        ) from error
    finally:
        log.setLevel(level)


@contextmanager
def processor_time_limited(seconds: float, reference: str) -> Iterator[None]:
    """Stop the block when it has used so many seconds of the processor, waiting not counted.

    A small file can state millions of empty elements. In the main thread only; no limit on Windows. A
    decoder's own loops are stopped when they come back to Python.

    Raises:
        StudyError: The block took longer.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise StudyError(
            reference, f"takes more than {seconds:.2g} seconds to be read", "export it from the archive again"
        )

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def parse_seconds(path: Path) -> float:
    """The processor time that a file's elements may take; what it inflates to earns it nothing."""
    return PARSE_SECONDS + path.stat().st_size / BYTES_PER_SECOND


def check_syntax(path: Path, reference: str) -> str:
    """The transfer syntax of a file, if it can be read safely.

    Raises:
        StudyError: The file is not DICOM, states no or an unknown transfer syntax, or inflates too far.
    """
    meta = file_meta(path, reference)
    with faults_told(reference):
        syntax = str(meta.get("TransferSyntaxUID", ""))
        length = int(meta.get("FileMetaInformationGroupLength", 0))
    if syntax == DEFLATED:
        _check_inflated(path, PREAMBLE + len(MAGIC) + 12 + length, reference)
    if syntax not in UNCOMPRESSED | COMPRESSED:
        raise StudyError(
            reference,
            "is encrypted or in a transfer syntax that is not supported" if syntax else "states no syntax",
            "export it as Explicit VR Little Endian, JPEG, JPEG-LS, JPEG 2000 or RLE",
        )
    return syntax


def file_meta(path: Path, reference: str) -> Dataset:
    """The file meta group, which says how the rest is to be read (PS3.10 section 7.1).

    Raises:
        StudyError: The file is not DICOM, or its meta group is damaged or large.
    """
    from pydicom.filereader import read_file_meta_info

    if not has_magic(path):
        raise StudyError(reference, "is not a DICOM file", "give files with the DICM preamble")
    with faults_told(reference):
        with path.open("rb") as file:
            _check_meta_length(file.read(PREAMBLE + 16)[PREAMBLE + 4 :], reference)
        return read_file_meta_info(path)


def _check_meta_length(first: bytes, reference: str) -> None:
    """The first element of the file meta group is its length (0002,0000), and it is small."""
    tag, kind, size, length = struct.unpack("<I2sHI", first)
    if tag != 0x00000002 or kind != b"UL" or size != 4 or length > META_BUDGET:
        raise StudyError(reference, "has a damaged file meta group", "export it from the archive again")


def _check_inflated(path: Path, start: int, reference: str) -> None:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    total = 0
    with faults_told(reference), path.open("rb") as file:
        file.seek(start)
        piece = file.read(65_536)
        while piece and not inflater.eof:
            total += len(inflater.decompress(piece, 2**20))
            if total > INFLATED_BUDGET:
                raise StudyError(
                    reference,
                    f"inflates to more than {INFLATED_BUDGET} bytes",
                    "export it without the Deflated transfer syntax",
                )
            piece = inflater.unconsumed_tail or file.read(65_536)
