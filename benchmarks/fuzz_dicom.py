"""Damaged and hostile DICOM files by the thousand: each must load or be refused with a StudyError.

    python -m benchmarks.fuzz_dicom [--mutants 50000] [--first 0] [--out runs/fuzz_dicom.json]

Mutant number n is the same file in every run: a small image of the pydicom wheel, changed by one to three of
the kinds below. An error that is no StudyError ends the run and names the mutant. Written to the JSON: how
many loaded and how many were refused for which reason, how many reader processes died, the greatest resident
memory of this process and of its readers, the slowest mutants.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from connectors.dicom.header import read_header
from connectors.dicom.pixels import series_volumes
from connectors.dicom.reader import shared_reader
from prognosis.errors import StudyError

LARGEST_SEED = 16_000
START = 132
ELEMENT = re.compile(
    rb"[\x02-\x7f]\x00[\x00-\xff]{2}(?:AE|AS|AT|CS|DA|DS|DT|FD|FL|IS|LO|LT|OB|OW|PN|SH|SL|SQ|SS|ST|TM|UI|UL|UN|US|UT)"
)
LENGTHS = (0, 1, 2, 3, 7, 255, 4096, 65_534, 65_535)
LONG_LENGTHS = (0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF, 2**20)
SIZES = {b"\x28\x00\x10\x00": "Rows", b"\x28\x00\x11\x00": "Columns", b"\x28\x00\x00\x01": "BitsAllocated"}
SLOWEST_KEPT = 10

Mutation = Callable[[bytearray, np.random.Generator], bytearray]


@cache
def seeds() -> tuple[bytes, ...]:
    """The small images inside the pydicom wheel, in the order of their names."""
    import pydicom

    folder = Path(pydicom.__file__).parent / "data"
    paths = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.stat().st_size < LARGEST_SEED
    )
    contents = (path.read_bytes() for path in paths)
    return tuple(
        content for content in contents if content[128:START] == b"DICM" and b"\x28\x00\x10\x00" in content
    )


def mutant(number: int) -> bytes:
    """Mutant number `number`, always the same."""
    rng = np.random.default_rng(number)
    content = bytearray(seeds()[int(rng.integers(len(seeds())))])
    for _ in range(int(rng.integers(1, 4))):
        change = KINDS[int(rng.integers(len(KINDS)))]
        if len(content) > START + 16:
            content = change(content, rng)
    return bytes(content)


def _somewhere(content: bytearray, rng: np.random.Generator) -> int:
    """A place after the preamble; three times in four where an element begins."""
    places = [found.start() for found in ELEMENT.finditer(content, START)]
    if places and rng.random() < 0.75:
        return places[int(rng.integers(len(places)))]
    return int(rng.integers(START, len(content)))


def flip_bits(content: bytearray, rng: np.random.Generator) -> bytearray:
    """One to sixteen bits, in the header more often than in the pixels."""
    for _ in range(int(rng.integers(1, 17))):
        end = min(len(content), START + 2000) if rng.random() < 0.7 else len(content)
        content[int(rng.integers(START, end))] ^= 1 << int(rng.integers(8))
    return content


def cut(content: bytearray, rng: np.random.Generator) -> bytearray:
    """The file ends early."""
    return content[: int(rng.integers(START, len(content)))]


def change_length(content: bytearray, rng: np.random.Generator) -> bytearray:
    """The length of one element, of 16 or of 32 bits."""
    place = _somewhere(content, rng)
    if rng.random() < 0.5:
        content[place + 6 : place + 8] = struct.pack("<H", LENGTHS[int(rng.integers(len(LENGTHS)))])
    else:
        content[place + 8 : place + 12] = struct.pack(
            "<I", LONG_LENGTHS[int(rng.integers(len(LONG_LENGTHS)))]
        )
    return content


def swap_tags(content: bytearray, rng: np.random.Generator) -> bytearray:
    """Two elements take each other's tag."""
    first, second = _somewhere(content, rng), _somewhere(content, rng)
    one, other = content[first : first + 4], content[second : second + 4]
    content[first : first + 4], content[second : second + 4] = other, one
    return content


def change_representation(content: bytearray, rng: np.random.Generator) -> bytearray:
    """One element claims to be of another kind."""
    place = _somewhere(content, rng)
    kinds = (b"SQ", b"UN", b"OB", b"DS", b"IS", b"US", b"FD", b"AT", b"UI", b"??")
    content[place + 4 : place + 6] = kinds[int(rng.integers(len(kinds)))]
    return content


def nest(content: bytearray, rng: np.random.Generator) -> bytearray:
    """Sequences within sequences, closed or never closed."""
    depth = int(rng.integers(1, 3000))
    opening = struct.pack("<HH2sHIHHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    closing = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0) * int(depth * rng.integers(2))
    place = _somewhere(content, rng)
    return content[:place] + opening * depth + closing + content[place:]


def enlarge(content: bytearray, rng: np.random.Generator) -> bytearray:
    """More rows, columns or bits than there are pixels for, or many frames."""
    tags = list(SIZES)
    tag = tags[int(rng.integers(len(tags)))]
    place = content.find(tag, START)
    if place >= 0:
        value = (0, 1, 7, 4096, 32_768, 65_535)[int(rng.integers(6))]
        content[place + 8 : place + 10] = struct.pack("<H", value)
        if rng.random() < 0.5:
            frames = str(10 ** int(rng.integers(1, 11))).encode().ljust(12)
            content[place:place] = struct.pack("<HH2sH", 0x0028, 0x0008, b"IS", 12) + frames
    return content


def splice(content: bytearray, rng: np.random.Generator) -> bytearray:
    """A piece of the file is written over another place."""
    size = int(rng.integers(1, 200))
    start, place = (int(rng.integers(START, len(content))) for _ in range(2))
    content[place : place + size] = content[start : start + size]
    return content


def insert_noise(content: bytearray, rng: np.random.Generator) -> bytearray:
    """Random bytes between two others."""
    place = _somewhere(content, rng)
    return content[:place] + bytearray(rng.bytes(int(rng.integers(1, 64)))) + content[place:]


def bomb(content: bytearray, rng: np.random.Generator) -> bytearray:
    """The data set deflated, with up to hundreds of megabytes of zeros after it."""
    if rng.random() > 0.01:
        return flip_bits(content, rng)
    uid = b"1.2.840.10008.1.2.1.99"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid
    start = b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta
    length = struct.unpack("<I", content[140:144])[0] if content[132:136] == b"\x02\0\0\0" else 0
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(bytes(content[144 + length :]))
    packed += packer.flush(zlib.Z_FULL_FLUSH)
    return bytearray(start + packed + _zeros((1, 8, 300)[int(rng.integers(3))]))


@cache
def _zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(b"\0" * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece * megabytes + packer.flush()


KINDS: tuple[Mutation, ...] = (
    flip_bits,
    cut,
    change_length,
    swap_tags,
    change_representation,
    nest,
    enlarge,
    splice,
    insert_noise,
    bomb,
)


def outcome(path: Path) -> str:
    """What became of a file: "loaded", "no image", or the problem told, without its numbers.

    Raises:
        Exception: Anything that is no StudyError: a fault of ours.
    """
    try:
        header = read_header(path, path.name)
        if header is None:
            return "no image"
        series_volumes([header], header.study_uid)
    except StudyError as error:
        return re.sub(r"[0-9]+", "n", error.problem)
    return "loaded"


def run(first: int, count: int, folder: Path) -> dict[str, object]:
    """Try `count` mutants from number `first` on; what was found, as the module says."""
    outcomes: Counter[str] = Counter()
    seconds: list[tuple[float, int]] = []
    path = folder / "mutant.dcm"
    deaths = shared_reader().deaths
    for number in range(first, first + count):
        path.write_bytes(mutant(number))
        started = time.perf_counter()
        try:
            outcomes[outcome(path)] += 1
        except BaseException:
            print(f"mutant {number} raised", file=sys.stderr)
            raise
        seconds = sorted([*seconds, (time.perf_counter() - started, number)], reverse=True)[:SLOWEST_KEPT]
        if (number + 1 - first) % 1000 == 0:
            print(f"{number + 1 - first} of {count}", file=sys.stderr, flush=True)
    died = shared_reader().deaths - deaths
    shared_reader().close()  # a process is counted among the children once it has ended
    return {
        "mutants": count,
        "first": first,
        "untyped_errors": 0,
        "reader_deaths": died,
        "peak_rss_mb": {
            "caller": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "reader": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        },
        "slowest": [{"seconds": round(each, 3), "mutant": number} for each, number in seconds],
        "outcomes": dict(outcomes.most_common()),
    }


def main() -> None:
    """Run, print and write the findings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_dicom", description=__doc__)
    parser.add_argument("--mutants", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz_dicom.json"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(asked.first, asked.mutants, Path(folder))
    versions = {
        name: metadata.version(name) for name in ("pydicom", "numpy", "pylibjpeg-openjpeg", "pyjpegls")
    }
    found |= {"command": " ".join(["python -m benchmarks.fuzz_dicom", *sys.argv[1:]])}
    found |= {"python": platform.python_version(), "packages": versions}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
