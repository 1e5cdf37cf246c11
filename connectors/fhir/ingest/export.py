"""A large export read into a store on disk, within bounds, and gone on with after it was stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.fhir.files import export_files
from connectors.fhir.ingest.mapped import Mapped
from connectors.fhir.ingest.parts import PART_BYTES, NotInPartsError, Part, file_parts
from connectors.fhir.ingest.reading import Reader
from connectors.fhir.ingest.rows import quoted
from connectors.fhir.ingest.settling import Settling
from prognosis.errors import SourceError
from prognosis.record import Quarantine

if TYPE_CHECKING:
    import duckdb

WORK = ".ingest"
"""The folder inside a store in which an ingest works; it is gone when the store is complete."""

SUMMARY = "ingest.json"

Write = Callable[["duckdb.DuckDBPyConnection", Path], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How an export is ingested.

    Attributes:
        memory_mb: What the SQL engine may hold; beyond it, it spills to disk.
        part_bytes: How much is read between two points from which a stopped ingest goes on.
        threads: Of the SQL engine where the order of rows does not matter.
    """

    memory_mb: int = 200
    part_bytes: int = PART_BYTES
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of an export: for each type, received = accepted + rejected.

    Attributes:
        received: Resources by type; lines that are none under "unreadable", and files set aside too.
        accepted: Of those, how many are in the store or were understood and state nothing.
        rejected: Of those, how many are in metadata/quarantine.parquet, each with its reason.
        notices: What a reader of the cohort should know, with how often.
        written: How many "subjects" and "rows" the store has.
        bytes_read: Of the export's files.
    """

    received: Mapping[str, int]
    accepted: Mapping[str, int]
    rejected: Mapping[str, int]
    notices: Mapping[str, int]
    written: Mapping[str, int]
    bytes_read: int


def ingest_folder(root: Path, store: Path, write: Write, settings: Settings | None = None) -> Ingested:
    """Read a folder of FHIR R4 files into a store of facts by patient.

    Args:
        root: Bulk NDJSON (.ndjson, .ndjson.gz), Bundles (.json), anywhere below.
        store: New or empty, or one whose ingest from the same files was stopped.
        write: Writes what was settled to folders `data` and `metadata` of a folder.
        settings: The defaults where None.

    Raises:
        SourceError: The export or the store cannot be used, holds no Patient that can be read, or does not
            add up.
    """
    import duckdb

    settings = settings or Settings()
    found = Quarantine()
    files = export_files(root, found)
    work = _claimed(store, root, files, settings)
    options: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": f"{settings.memory_mb}MB",
        "temp_directory": str(work / "spill"),
    }
    engine = duckdb.connect(config=options)
    with engine:
        reader = Reader(work / "spool")
        counted = _Counted()
        outside = Mapped(work / "parts" / "outside")
        for rejection in found:
            outside.set_aside(SourceError(rejection.reference, rejection.problem, rejection.remedy))
        outside.close()
        counted.add(_told(outside))
        for number, path in enumerate(files):
            _read_file(path, path.relative_to(root).as_posix(), number, reader, work, settings, counted)
        return _finished(engine, store, work, write, settings, counted, sum(p.stat().st_size for p in files))


class _Counted:
    """Counts of all parts, and how many there are: by its place among all of them a part is numbered."""

    def __init__(self) -> None:
        self.parts = 0
        self.received: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.notices: Counter[str] = Counter()

    def add(self, told: Mapping[str, Any]) -> None:
        for name in ("received", "accepted", "rejected", "notices"):
            getattr(self, name).update(told[name])


def _told(mapped: Mapped) -> dict[str, Any]:
    return {
        "received": dict(mapped.received),
        "accepted": dict(mapped.quarantine.accepted),
        "rejected": dict(mapped.rejected),
        "notices": dict(mapped.quarantine.notices),
    }


def _claimed(store: Path, root: Path, files: list[Path], settings: Settings) -> Path:
    """The working folder of a new ingest, or of one that was stopped and read the same files."""
    stated = [[p.relative_to(root).as_posix(), p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    asked = json.dumps([_code_digest(), settings.part_bytes, stated])
    work = store / WORK
    try:
        if not work.is_dir():
            store.mkdir(parents=True, exist_ok=True)
            if any(store.iterdir()):
                raise SourceError(str(store), "is not empty", "give a new or empty folder")
            work.mkdir()
        for name in ("parts", "spool", "spill"):
            (work / name).mkdir(exist_ok=True)
        claim = work / "asked.json"
        if not claim.exists():
            _put(claim, asked)
        elif claim.read_text(encoding="utf-8") != asked:
            problem = "holds the beginning of an ingest of other files, or by another version or setting"
            raise SourceError(str(store), problem, "give a new folder, or the same export unchanged")
    except OSError as error:
        raise SourceError(str(store), "cannot be written", "give a new or empty folder") from error
    return work


def _code_digest() -> str:
    """Of the program that reads: parts of two versions do not mix."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _put(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    made = path.with_suffix(".new")
    made.write_text(text, encoding="utf-8")
    os.replace(made, path)  # noqa: PTH105 - the one call that replaces a file in one step


def _read_file(
    path: Path, name: str, number: int, reader: Reader, work: Path, settings: Settings, counted: _Counted
) -> None:
    """Read what is not read yet of one file."""
    whole = work / "parts" / f"{number:05d}-whole"
    if path.name.lower().endswith(".json") or whole.with_suffix(".json").exists():
        _read_whole(path, name, whole, counted)
        return
    told: list[dict[str, Any]] = []
    try:
        for place, part in enumerate(
            file_parts(path, name, reader.spool / "part.ndjson", settings.part_bytes)
        ):
            stem = work / "parts" / f"{number:05d}-{place:05d}"
            told.append(_read_part(part, stem, counted.parts + place, reader))
    except (NotInPartsError, OSError, EOFError, zlib.error):
        for made in (work / "parts").glob(f"{number:05d}-*"):
            made.unlink()
        _read_whole(path, name, whole, counted)
        return
    counted.parts += len(told)
    for each in told:
        counted.add(each)


def _read_part(part: Part, stem: Path, number: int, reader: Reader) -> dict[str, Any]:
    done = stem.with_suffix(".json")
    if not done.exists():
        for half in stem.parent.glob(f"{stem.name}.*"):
            half.unlink()
        mapped = Mapped(stem, number)
        reader.read(part, stem, mapped)
        mapped.close()
        _put(done, json.dumps(_told(mapped)))
    found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
    return found


def _read_whole(path: Path, name: str, stem: Path, counted: _Counted) -> None:
    """Read a file by the mapping alone."""
    done = stem.with_suffix(".json")
    if not done.exists():
        for half in stem.parent.glob(f"{stem.name}.*"):
            half.unlink()
        mapped = Mapped(stem, counted.parts)
        mapped.file(path, name)
        mapped.close()
        _put(done, json.dumps(_told(mapped)))
    counted.parts += 1
    counted.add(json.loads(done.read_text(encoding="utf-8")))


def _finished(
    engine: duckdb.DuckDBPyConnection,
    store: Path,
    work: Path,
    write: Write,
    settings: Settings,
    counted: _Counted,
    size: int,
) -> Ingested:
    """Join everything, write the store beside its place, and put it there."""
    for half in (work / "parts").glob("waited.*"):
        half.unlink()
    waited = Mapped(work / "parts" / "waited")
    engine.execute(f"SET threads = {settings.threads}")
    settled = Settling(engine, work / "parts", waited).settle()
    counted.add(_told(waited))
    for name in ("accepted", "rejected", "notices"):
        getattr(counted, name).update(getattr(settled, name))
    _check(store, counted)
    made = work / "store"
    shutil.rmtree(made, ignore_errors=True)
    for name in ("data", "metadata"):
        (made / name).mkdir(parents=True)
    written = write(engine, made)
    _write_quarantine(engine, work, made / "metadata" / "quarantine.parquet")
    ingested = Ingested(
        received=dict(sorted(counted.received.items())),
        accepted=dict(sorted(counted.accepted.items())),
        rejected=dict(sorted(counted.rejected.items())),
        notices=dict(sorted(counted.notices.items())),
        written=written,
        bytes_read=size,
    )
    _put(made / "metadata" / SUMMARY, json.dumps(_as_json(ingested), indent=1))
    for name in ("metadata", "data"):
        shutil.rmtree(store / name, ignore_errors=True)
        (made / name).rename(store / name)
    shutil.rmtree(work)
    return ingested


def _check(store: Path, counted: _Counted) -> None:
    """Refuse an account that does not add up, and an export without patients."""
    kinds = counted.received.keys() | counted.accepted.keys() | counted.rejected.keys()
    wrong = sorted(k for k in kinds if counted.received[k] != counted.accepted[k] + counted.rejected[k])
    if wrong:
        problem = f"received and accepted plus set aside differ for {', '.join(wrong)}"
        raise SourceError(str(store), problem, "report this; the store was not written")
    if not counted.accepted["Patient"]:
        problem = f"no Patient can be read ({counted.rejected.total()} set aside)"
        raise SourceError(str(store), problem, "export Patient resources too, and mend those set aside")


def _write_quarantine(engine: duckdb.DuckDBPyConnection, work: Path, path: Path) -> None:
    columns = "kind, reference, problem, remedy"
    query = f"SELECT {columns} FROM (SELECT *, unnest(range(lines)) FROM refused)"
    paths = sorted(str(each) for each in (work / "parts").glob("*.rejected.*.parquet"))
    if paths:
        named = ", ".join(quoted(each) for each in paths)
        query = f"SELECT {columns} FROM read_parquet([{named}]) UNION ALL {query}"
    engine.execute(f"COPY (SELECT * FROM ({query}) ORDER BY ALL) TO {quoted(str(path))} (FORMAT parquet)")


def _as_json(ingested: Ingested) -> dict[str, Any]:
    names = ("received", "accepted", "rejected", "notices", "written", "bytes_read")
    return {name: getattr(ingested, name) for name in names}
