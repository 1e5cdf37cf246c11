"""A Bulk Data export of half a gigabyte from NDJSON files to a store of facts by patient on disk."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed import ingest_fhir_pyrate
from benchmarks.speed.bulk_export import write_export
from benchmarks.speed.ingest_elements import COLUMNS, sql_type
from benchmarks.speed.timing import OURS, Comparison, Timing, in_turn, scaled
from connectors.fhir.ingest.export import Ingested, ingest_folder
from connectors.meds.store import write_store

PACKAGES = ("duckdb", "fhir.resources", "orjson", "pyarrow")
BYTES = 520_000_000
SAMPLED_LINES = 4_000


def _ours(export: Path, work: Path) -> Ingested:
    store = work / "store"
    shutil.rmtree(store, ignore_errors=True)
    return ingest_folder(export, store, write_store)


def _peak_mb(export: Path, work: Path) -> float:
    """Largest resident memory of a process that does nothing but ingest."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (export, work))


def _peak(export: Path, work: Path) -> float:
    _ours(export, work)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024  # getrusage would tell the parent's


def _duckdb(export: Path, work: Path) -> tuple[int, float]:
    """The same elements, read and written as they are: no rule, no patient, no order."""
    import duckdb

    total, count = 0.0, 0
    with duckdb.connect(config={"threads": 1}) as engine:
        for path in sorted(export.glob("*.ndjson")):
            kind = path.name.partition(".")[0]
            columns = ", ".join(f"'{name}': '{sql_type(each)}'" for name, each in COLUMNS[kind].items())
            read = f"read_json('{path}', format = 'newline_delimited', columns = {{{columns}}})"
            out = work / f"{path.stem}.parquet"
            engine.execute("SET preserve_insertion_order = false")
            engine.execute(f"COPY (SELECT * FROM {read}) TO '{out}' (FORMAT parquet)")  # noqa: S608
            if kind == "Observation":
                query = f"SELECT count(*), sum(valueQuantity.value) FROM '{out}'"  # noqa: S608
                ((rows, value),) = engine.execute(query).fetchall()
                count, total = count + int(rows), total + float(value)
    return count, total


def _parsed(export: Path, parse: Callable[[bytes], Any]) -> tuple[int, float]:
    """The elements that a laboratory's table needs, picked from parsed JSON."""
    count, total = 0, 0.0
    rows: list[tuple[Any, ...]] = []
    for path in sorted(export.glob("*.ndjson")):
        kind = path.name.partition(".")[0]
        with path.open("rb") as stream:
            for line in stream:
                found = parse(line)
                if kind == "Observation":
                    value = found.get("valueQuantity", {})
                    code = found["code"]["coding"][0]
                    rows.append(
                        (found["id"], found["subject"]["reference"], found["issued"], code["system"],
                         code["code"], value.get("value"), value.get("code"))
                    )  # fmt: skip
                    count, total = count + 1, total + (value.get("value") or 0.0)
                    if len(rows) == 100_000:
                        rows.clear()
    return count, total


def _validated(lines: list[bytes]) -> int:
    """fhir.resources' models of the lines, which check them against R4B."""
    from fhir.resources.R4B import get_fhir_model_class

    for line in lines:
        stated = json.loads(line)
        get_fhir_model_class(stated["resourceType"]).model_validate(stated)
    return len(lines)


def _sample(export: Path, wanted: int) -> tuple[list[bytes], float]:
    """The first Observations, and their share of all bytes."""
    lines = []
    with (export / "Observation.000.ndjson").open("rb") as stream:
        for line in stream:
            lines.append(line)
            if len(lines) == wanted:
                break
    size = sum(path.stat().st_size for path in export.glob("*.ndjson"))
    return lines, sum(map(len, lines)) / size


def _stored(store: Path) -> tuple[int, float]:
    import duckdb

    query = (
        "SELECT count(DISTINCT source), sum(number) FILTER (code NOT LIKE '%|84%') "  # noqa: S608
        f"FROM '{store / 'data' / '0.parquet'}' WHERE source LIKE 'Observation/%'"
    )
    ((count, total),) = duckdb.sql(query).fetchall()
    return int(count), float(total)


def _rate(timing: Timing, size: int) -> str:
    return f"{size / 1e6 / timing.best:.0f} MB/s"


def _pyrate(lines: list[bytes], work: Path) -> tuple[dict[str, float], str]:
    """Seconds of fhir-pyrate's three ways for these lines; none where its interpreter is not named.

    Each has a row an Observation, and the values add up to what the lines hold.
    """
    interpreter = os.environ.get("FHIR_PYRATE_PYTHON")
    if not interpreter:
        return {}, "fhir-pyrate not measured: FHIR_PYRATE_PYTHON names no interpreter that has it"
    place = work / "pyrate"
    place.mkdir()
    (place / "lines.ndjson").write_bytes(b"".join(lines))
    command = [interpreter, str(ingest_fhir_pyrate.__file__), str(place)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the interpreter that was named
    left = json.loads((place / "found.json").read_text(encoding="utf-8"))
    total = sum(json.loads(line).get("valueQuantity", {}).get("value") or 0.0 for line in lines)
    for way, (rows, value) in left["found"].items():
        if rows != len(lines) or not np.isclose(value, total, rtol=1e-9):
            raise AssertionError(f"fhir-pyrate, {way}, reads other values")
    return left["seconds"], left["versions"]


def _compare(export: Path, work: Path, size: int, *, quick: bool) -> Iterator[Comparison]:
    import orjson

    lines, share = _sample(export, 200 if quick else SAMPLED_LINES)
    run: dict[str, Callable[[], Any]] = {
        OURS: lambda: _ours(export, work),
        _DUCKDB: lambda: _duckdb(export, work),
        "orjson": lambda: _parsed(export, orjson.loads),
        "json": lambda: _parsed(export, json.loads),
        "fhir.resources": lambda: _validated(lines),
    }
    repeats = 1 if quick else 3
    timings, values = in_turn(run, {OURS: repeats, _DUCKDB: repeats})
    timings["fhir.resources"] = scaled(timings["fhir.resources"], share)
    found = _stored(work / "store")
    for who in (_DUCKDB, "orjson", "json"):
        count, total = values[who]
        if count != found[0] or not np.isclose(total, found[1], rtol=1e-9):
            raise AssertionError(f"{who} reads other values")
    if values[OURS].rejected:
        raise AssertionError("sound resources were set aside")
    seconds, versions = _pyrate(lines, work)
    timings |= {f"fhir-pyrate, {way}": scaled(Timing((took,)), share) for way, took in seconds.items()}
    peak = _peak_mb(export, work)
    rates = ", ".join(f"{who} {_rate(each, size)}" for who, each in timings.items())
    yield Comparison(
        task=f"Bulk NDJSON of {size / 1e6:.0f} MB to a store by patient, every line's structure validated",
        timings=timings,
        goals={"fhir.resources": 70.0, _DUCKDB: 1.0, **dict.fromkeys(_PYRATE & timings.keys(), 40.0)},
        equality=f"Observations and the sum of their values are all readers'; {rates}; "
        f"peak memory of ours {peak:.0f} MB; {versions}",
    )


_DUCKDB = "DuckDB read_json to Parquet"
_PYRATE = {f"fhir-pyrate, {way}" for way in ingest_fhir_pyrate.WAYS}


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """520 MB of Patient, Encounter, Condition and Observation."""
    with tempfile.TemporaryDirectory() as place:
        export, work = Path(place) / "export", Path(place) / "work"
        work.mkdir()
        size = write_export(export, 2_000_000 if quick else BYTES)
        yield from _compare(export, work, size, quick=quick)
