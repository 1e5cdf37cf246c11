"""The resources of a folder of Bulk NDJSON files and Bundles, read within bounds."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from connectors.fhir.bundle import bundle_resources
from connectors.fhir.parse import parse_resource
from prognosis.errors import InputError, MappingError, SourceError
from prognosis.record import Quarantine

MAX_LINE_BYTES = 32 * 2**20
MAX_DOCUMENT_BYTES = 256 * 2**20
MAX_INFLATION = 200
"""A .gz may hold this many times its size, plus 64 MiB: NDJSON shrinks about 20 to 50 times."""

_SUFFIXES = (".ndjson", ".ndjson.gz", ".json")

Located = tuple[str, dict[str, Any]]
Wanted = Callable[[bytes], bool]
"""Whether a line of NDJSON is read, judged by its bytes; of one too long, by those that are looked at."""


def folder_resources(root: Path, quarantine: Quarantine) -> Iterator[Located]:
    """Each resource below `root` with where it stands ("Observation.ndjson line 3"), in order of file names.

    What cannot be read is set aside in `quarantine`: a line, an entry, or the rest of a file.

    Raises:
        SourceError: The folder does not exist or holds no .ndjson, .ndjson.gz or .json file.
    """
    for path in export_files(root, quarantine):
        yield from file_resources(path, path.relative_to(root).as_posix(), quarantine)


def file_resources(
    path: Path, name: str, quarantine: Quarantine, wanted: Wanted | None = None
) -> Iterator[Located]:
    """Each resource of one file, with where it stands; what cannot be read is set aside.

    Args:
        path: The file.
        name: What it is called to the user.
        quarantine: Where what cannot be read goes.
        wanted: Which lines of NDJSON are read; all where None. The entries of a Bundle always are.
    """
    try:
        if path.name.lower().endswith(".json"):
            yield from _document(path, name, quarantine)
        else:
            yield from _lines(path, name, quarantine, wanted)
    except InputError as error:
        quarantine.reject(error)
    except (OSError, EOFError, zlib.error) as error:
        problem = f"cannot be read to its end ({type(error).__name__})"
        quarantine.reject(SourceError(name, problem, "export the file again"))


def export_files(root: Path, quarantine: Quarantine) -> list[Path]:
    """The files of an export, in order.

    Raises:
        SourceError: The folder does not exist or holds no .ndjson, .ndjson.gz or .json file.
    """
    if not root.is_dir():
        raise SourceError(root.name, "is not a folder", "give the folder that holds the FHIR export")
    paths = list(_paths(root, quarantine))
    if not paths:
        raise SourceError(
            root.name, "holds no .ndjson, .ndjson.gz or .json file", "give a folder with a FHIR export"
        )
    return paths


def _paths(root: Path, quarantine: Quarantine) -> Iterator[Path]:
    """Readable files below `root`; links that lead out of it are refused."""
    home = root.resolve()
    for folder, folders, names in os.walk(root):
        folders.sort()
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        files = [name for name in sorted(names) if name.lower().endswith(_SUFFIXES)]
        for name in [*linked, *files]:
            path = Path(folder) / name
            reference = path.relative_to(root).as_posix()
            if name in linked:
                quarantine.reject(
                    SourceError(reference, "is a link to a folder", "put the files into the folder")
                )
            elif not path.resolve().is_relative_to(home):
                quarantine.reject(
                    SourceError(reference, "is a link out of the folder", "put the file into the folder")
                )
            elif path.is_file():
                yield path
            else:
                quarantine.reject(SourceError(reference, "is no regular file", "remove it"))


def _document(path: Path, name: str, quarantine: Quarantine) -> Iterator[Located]:
    if path.stat().st_size > MAX_DOCUMENT_BYTES:
        remedy = "split the Bundle or export NDJSON"
        raise SourceError(name, f"is larger than {MAX_DOCUMENT_BYTES // 2**20} MiB", remedy)
    yield from unpacked(parse_resource(path.read_bytes(), name), name, quarantine)


def _lines(path: Path, name: str, quarantine: Quarantine, wanted: Wanted | None) -> Iterator[Located]:
    if not path.name.lower().endswith(".gz"):
        with path.open("rb") as stream:
            yield from _stream(stream, name, None, quarantine, wanted)
        return
    budget = path.stat().st_size * MAX_INFLATION + 64 * 2**20
    with gzip.open(path, "rb") as inflated:
        yield from _stream(cast("BinaryIO", inflated), name, budget, quarantine, wanted)


def _stream(
    stream: BinaryIO, name: str, budget: int | None, quarantine: Quarantine, wanted: Wanted | None
) -> Iterator[Located]:
    number = received = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        where = f"{name} line {number}"
        received += len(line)
        whole = len(line) <= MAX_LINE_BYTES
        skipped = wanted is not None and not wanted(line)
        while not whole and line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES + 1)
            received += len(line)
            _check_budget(name, received, budget)
        _check_budget(name, received, budget)
        if skipped or (whole and not line.strip()):
            continue
        try:
            if not whole:
                raise MappingError(
                    where, f"is longer than {MAX_LINE_BYTES // 2**20} MiB", "split the resource"
                )
            yield from unpacked(parse_resource(line, where), where, quarantine)
        except InputError as error:
            quarantine.reject(error)


def _check_budget(name: str, received: int, budget: int | None) -> None:
    if budget is not None and received > budget:
        raise SourceError(name, "inflates far beyond its size", "send the file uncompressed")


def unpacked(resource: dict[str, Any], where: str, quarantine: Quarantine) -> Iterator[Located]:
    """The resources of a Bundle, or the one resource that it is."""
    if resource.get("resourceType") == "Bundle":
        yield from bundle_resources(resource, where, quarantine)
    else:
        yield where, resource
