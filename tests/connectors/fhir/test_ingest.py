"""A store that was ingested says what the folder's own reader says, resource by resource."""

import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.fhir import FhirFolder
from connectors.fhir.ingest.export import Ingested, Settings, ingest_folder
from connectors.fhir.ingest.mapped import MOST_PARTS, Mapped
from connectors.meds import MedsSource
from connectors.meds.store import write_store
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine
from tests.connectors.fhir.edges import DRUGS, OTHERS, PEOPLE, SUBJECTS, TIMES, VALUES
from tests.connectors.fhir.resources import GOOD, LOINC, Resource, about_victim, line, observation, patient
from tests.connectors.fhir.test_fuzz import SEEDS, damaged


def ingested(folder: Path, *, part_bytes: int = 2**28) -> tuple[Ingested, Path]:
    store = folder.parent / f"{folder.name}-store-{part_bytes}"
    return ingest_folder(folder, store, write_store, Settings(part_bytes=part_bytes)), store


def in_order(records: list[PatientRecord]) -> list[PatientRecord]:
    return sorted(records, key=lambda record: (record.patient_id, record.site))


def set_aside(store: Path) -> list[tuple[str, ...]]:
    path = store / "metadata" / "quarantine.parquet"
    return sorted(duckdb.read_parquet(str(path)).project("reference, problem, remedy").fetchall())


def assert_same(folder: Path, *, part_bytes: int = 2**28) -> Ingested:
    """Records, counts, reasons and notices are those of `FhirFolder`."""
    quarantine = Quarantine()
    wanted = list(FhirFolder(folder, "fhir-folder:test").records(quarantine))
    result, store = ingested(folder, part_bytes=part_bytes)
    assert in_order(list(MedsSource(store).records(Quarantine()))) == in_order(wanted)
    assert Counter(result.accepted) == quarantine.accepted
    assert set_aside(store) == sorted((r.reference, r.problem, r.remedy) for r in quarantine)
    assert Counter(result.notices) == quarantine.notices
    assert result.received == dict(Counter(result.accepted) + Counter(result.rejected))
    return result


def write_lines(folder: Path, *lines: bytes, name: str = "all.ndjson") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\n".join([*GOOD, *lines]) + b"\n")
    return folder


@settings(max_examples=8)
@given(seed=st.integers(0, 10**9))
def test_damaged_resources_mean_the_same_to_the_store_as_to_the_mapping(seed: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        lines = [damaged(seed + number) for number in range(60)]
        assert_same(write_lines(Path(place) / "in", line(patient()), *lines))


def numbered(resources: list[Resource]) -> list[bytes]:
    """Each as a line with an id of its own."""
    return [
        json.dumps({key: value for key, value in {**each, "id": f"n{number}"}.items() if value is not None},
                   ensure_ascii=number % 2 == 0).encode()
        for number, each in enumerate(resources)
    ]  # fmt: skip


@pytest.fixture
def edges(tmp_path: Path) -> Path:
    changes = [*VALUES, *TIMES, *SUBJECTS]
    facts = numbered([*(observation(**change) for change in changes), *OTHERS])
    about = [line(observation(f"of-{each['id']}", f"Patient/{each['id']}")) for each in PEOPLE]
    people = [line(each) for each in [patient(), *PEOPLE, *DRUGS]]
    twice = [line(observation("again", "Patient/full")), line(observation("again", "Patient/full"))]
    twice += [line(observation("two", "Patient/full")), line(observation("two", "Patient/new"))]
    junk = [b"", b"  ", b"\xef\xbb\xbf" + line(observation("bom")), b"[1]", b"{} {}", b"nonsense", b"\xff"]
    junk += [b'{"resourceType":"Observation","id":"k","id":"l"}', b'{"resourceType":"Basic","id":"b"}']
    junk += [line(each) for each in SEEDS]
    return write_lines(tmp_path / "in", *facts, *about, *people, *twice, *junk)


def test_every_edge_of_the_mapping_is_kept(edges: Path) -> None:
    result = assert_same(edges)
    assert result.rejected["Observation"] > 20


def test_parts_of_a_file_give_what_the_whole_file_gives(edges: Path) -> None:
    assert_same(edges, part_bytes=4096)


def test_compressed_files_bundles_and_damaged_archives_are_read_too(edges: Path) -> None:
    content = (edges / "all.ndjson").read_bytes()
    more = b"\n".join(line(observation(f"gz-{number}", "Patient/anna")) for number in range(500))
    (edges / "more.ndjson.gz").write_bytes(gzip.compress(more))
    (edges / "cut.ndjson.gz").write_bytes(gzip.compress(more.replace(b"gz-", b"cut-"))[:-200])
    entries = [{"resource": observation(f"b-{number}", "Patient/zoe")} for number in range(3)]
    (edges / "b.json").write_text(json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}))
    assert_same(edges, part_bytes=len(content) // 3)


def test_an_export_of_more_than_a_thousand_files_is_read_to_its_last(tmp_path: Path) -> None:
    """Servers that write a file a page give thousands; the last of them are Bundles, which are read whole."""
    folder = write_lines(tmp_path / "many", line(patient()))
    for number in range(1_030):
        resource = observation(f"of-file-{number}", "Patient/victim")
        content = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}
        (folder / f"{number:05d}.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "last.ndjson").write_bytes(line(observation("of-the-last", "Patient/victim")) + b"\n")
    result, store = ingested(folder)
    (record,) = (each for each in MedsSource(store).records(Quarantine()) if each.patient_id == "victim")
    cited = {each.source for each in record.events}
    assert {f"Observation/of-file-{number}" for number in range(1_030)} | {"Observation/of-the-last"} <= cited
    assert not result.rejected


def test_more_parts_than_can_be_numbered_are_refused(tmp_path: Path) -> None:
    Mapped(tmp_path / "last", MOST_PARTS - 1)
    with pytest.raises(SourceError, match="more than 524288 files"):
        Mapped(tmp_path / "one-more", MOST_PARTS)


def test_files_of_one_type_give_the_same(tmp_path: Path) -> None:
    facts = numbered([observation(**change) for change in TIMES[:5]] + OTHERS[:12])
    folder = tmp_path / "in"
    for kind in ("Observation", "Encounter"):
        of_kind = [each for each in facts if f'"{kind}"'.encode() in each]
        write_lines(folder, name=f"{kind}.ndjson")
        (folder / f"{kind}.ndjson").write_bytes(b"\n".join(of_kind))
    (folder / "Patient.ndjson").write_bytes(b"\n".join(line(each) for each in [patient(), *PEOPLE[:5]]))
    assert_same(folder)


def test_a_store_is_not_written_over(edges: Path) -> None:
    _, store = ingested(edges)
    with pytest.raises(SourceError, match="is not empty"):
        ingest_folder(edges, store, write_store)


def test_an_ingest_that_was_stopped_goes_on_only_with_the_same_files(edges: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"

    def stop(*_: object) -> dict[str, int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_folder(edges, store, stop, Settings(part_bytes=8192))
    with (edges / "all.ndjson").open("ab") as stream:
        stream.write(line(observation("late", "Patient/anna")) + b"\n")
    with pytest.raises(SourceError, match="beginning of an ingest"):
        ingest_folder(edges, store, write_store, Settings(part_bytes=8192))


def test_killed_again_and_again_it_ends_in_the_same_bytes(edges: Path, tmp_path: Path) -> None:
    _, whole = ingested(edges, part_bytes=8192)
    store = tmp_path / "killed"
    program = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from connectors.fhir.ingest import export\nfrom connectors.meds.store import write_store\n"
        "put, left = export._put, [int(sys.argv[3])]\n"
        "def counted(path, text):\n"
        "    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    left[0] -= 1\n    put(path, text)\n"
        "export._put = counted\n"
        "export.ingest_folder(Path(sys.argv[1]), Path(sys.argv[2]), write_store, "
        "export.Settings(part_bytes=8192))\n"
    )
    for writes in (2, 5):
        command = [sys.executable, "-c", program, str(edges), str(store), str(writes)]
        assert subprocess.run(command, env={**os.environ}, check=False).returncode == -signal.SIGKILL
    assert list((store / ".ingest" / "parts").glob("*.json"))
    ingest_folder(edges, store, write_store, Settings(part_bytes=8192))
    for path in sorted(path for path in whole.rglob("*") if path.is_file()):
        assert (store / path.relative_to(whole)).read_bytes() == path.read_bytes(), path.name
    assert not (store / ".ingest").exists()


def test_a_code_system_of_an_observation_is_kept(tmp_path: Path) -> None:
    _, store = ingested(write_lines(tmp_path / "in"))
    (record, *_) = MedsSource(store).records(Quarantine())
    assert record.events[0].code.system == LOINC


def test_an_answer_that_was_written_back_is_no_evidence_in_a_store_either(tmp_path: Path) -> None:
    written = observation(identifier=[{"system": "urn:prognosis:answer", "value": "an answer"}])
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "Patient.ndjson").write_bytes(line(patient()) + b"\n")
    (tmp_path / "export" / "Observation.ndjson").write_bytes(line(written) + b"\n")
    result = assert_same(tmp_path / "export")
    assert result.notices == {"Observation: an answer of prognosis: no fact": 1}


def test_a_drug_that_goes_by_two_codes_is_neither(tmp_path: Path) -> None:
    def drug(identity: str, code: str) -> bytes:
        coded = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]}
        return line({"resourceType": "Medication", "id": identity, "code": coded})

    def order(identity: str, named: str, **changes: object) -> bytes:
        stated = {"status": "active", "intent": "order", "authoredOn": "2020-03-01"}
        return line(
            about_victim(
                "MedicationRequest",
                **stated | {"id": identity, "medicationReference": {"reference": named}} | changes,
            )
        )

    drugs = [drug("one", "1191"), drug("one", "6809"), drug("two", "1191"), drug("two", "1191")]
    orders = [order("a", "Medication/one"), order("b", "Medication/two")]
    read_by_mapping = order("c", "Medication/one", authoredOn="2020")
    folder = write_lines(tmp_path / "export", line(patient()), *orders, drugs[0], read_by_mapping, *drugs[1:])
    result = assert_same(folder)
    assert (result.accepted["MedicationRequest"], result.rejected["MedicationRequest"]) == (1, 2)
