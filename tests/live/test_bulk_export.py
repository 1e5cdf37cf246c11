"""A real FHIR server: logged in to with a key, exported in bulk, and the records are those of the files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from connectors.fhir import FhirFolder, write_bulk
from prognosis.cli.sources import read_records
from prognosis.cli.sources.bulk import BulkAsked, export_bulk
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine
from prognosis.simulate import Dials, simulate_cohort
from tests.live.sekmet import BEARER, load, put, running

PATIENTS = 20
CLIENTS = {"RS384": "reads-with-rsa", "ES384": "reads-with-ec"}
SCOPES = "system/*.read system/*.rs"
NOT_THEIRS = {"ImagingStudy", "Organization"}
"""Types that smart-fetch does not export."""


@dataclass(frozen=True)
class Hospital:
    """A server with a cohort, the files that it came from, and the keys that open it."""

    address: str
    files: Path
    keys: dict[str, Path]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A server that knows one program by an RSA key and another by an EC key."""
    folder = tmp_path_factory.mktemp("hospital")
    keys, clients = {}, []
    for algorithm, key in (
        ("RS384", RSAKey.generate_key(2048, auto_kid=True)),
        ("ES384", ECKey.generate_key("P-384", auto_kid=True)),
    ):
        path = keys[algorithm] = folder / f"{algorithm}.pem"
        path.touch(0o600)
        path.write_bytes(key.as_pem(private=True))
        public = {**key.as_dict(private=False), "alg": algorithm, "use": "sig"}
        clients.append({"client_id": CLIENTS[algorithm], "jwks": {"keys": [public]}, "scopes": SCOPES})
    files = folder / "files"
    write_bulk(simulate_cohort(Dials(patients=PATIENTS), 3).records, files)
    (folder / "server").mkdir()
    with running(folder / "server", clients) as base:
        load(base, files)
        yield Hospital(base, files, keys)


@pytest.fixture
def logged_in(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    monkeypatch.setenv("PROGNOSIS_FHIR_CLIENT_ID", CLIENTS["ES384"])
    monkeypatch.setenv("PROGNOSIS_FHIR_KEY", str(hospital.keys["ES384"]))
    return hospital


def of_files(hospital: Hospital) -> list[PatientRecord]:
    return list(FhirFolder(hospital.files, "fhir-folder:files").records(Quarantine()))


@pytest.mark.parametrize("algorithm", CLIENTS)
def test_a_program_with_a_key_logs_in_and_pulls_the_records_of_the_files(
    hospital: Hospital, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGNOSIS_FHIR_CLIENT_ID", CLIENTS[algorithm])
    monkeypatch.setenv("PROGNOSIS_FHIR_KEY", str(hospital.keys[algorithm]))
    pulled = read_records([f"fhir-server:{hospital.address}"], None, Quarantine())
    assert sorted(pulled, key=lambda each: each.patient_id) == of_files(hospital)
    assert len(pulled) == PATIENTS


def test_the_key_of_another_program_opens_nothing(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGNOSIS_FHIR_CLIENT_ID", CLIENTS["RS384"])
    key = hospital.files.parent / "unknown.pem"
    key.touch(0o600)
    key.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
    monkeypatch.setenv("PROGNOSIS_FHIR_KEY", str(key))
    with pytest.raises(SourceError, match=r"status 401 \(invalid_client\)"):
        read_records([f"fhir-server:{hospital.address}"], None, Quarantine())


@pytest.mark.parametrize("asked_for", [BulkAsked(), BulkAsked(patients=True)], ids=["system", "patients"])
def test_an_export_of_everyone_reads_as_the_files_do(
    logged_in: Hospital, tmp_path: Path, asked_for: BulkAsked
) -> None:
    quarantine = Quarantine()
    summary = export_bulk(logged_in.address, tmp_path / "out", asked_for, quarantine, lambda *_: None)
    back = Quarantine()
    records = list(FhirFolder(tmp_path / "out", "fhir-folder:out").records(back))
    expected = of_files(logged_in)
    if asked_for.patients:  # the sites are Organizations, which are about no patient
        assert [each.patient_id for each in records] == [each.patient_id for each in expected]
        assert [each.events for each in records] == [each.events for each in expected]
    else:
        assert records == expected
    assert not quarantine.rejections
    assert not back.rejections
    assert back.accepted == summary.resources
    assert not list((tmp_path / "out").glob("*.part"))


def test_an_export_of_a_group_holds_its_members_and_no_one_else(logged_in: Hospital, tmp_path: Path) -> None:
    members = [each.patient_id for each in of_files(logged_in)[:5]]
    group = {
        "resourceType": "Group",
        "id": "first-five",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": f"Patient/{each}"}} for each in members],
    }
    put(logged_in.address, [group])
    out = tmp_path / "out"
    export_bulk(logged_in.address, out, BulkAsked(group="first-five"), Quarantine(), lambda *_: None)
    records = list(FhirFolder(out, "fhir-folder:out").records(Quarantine()))
    assert [each.patient_id for each in records] == members
    expected = {each.patient_id: each.events for each in of_files(logged_in)}
    assert all(each.events == expected[each.patient_id] for each in records)


def test_the_server_forgets_an_export_where_the_token_may_have_it_forgotten(
    hospital: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = hospital.files.parent / "server" / "bulk"
    before = set(held.iterdir()) if held.exists() else set()
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", BEARER)
    quarantine = Quarantine()
    export_bulk(hospital.address, tmp_path / "out", BulkAsked(), quarantine, lambda *_: None)
    assert set(held.iterdir()) == before
    assert not quarantine.notices


def test_another_program_s_bulk_client_reads_the_same_cohort(
    hospital: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`smart-fetch` was not written here; skipped where it is not on PATH."""
    program = shutil.which("smart-fetch")
    if program is None:
        pytest.skip("no second bulk client here: tests/live/install makes an environment of one")
    (tmp_path / "token").write_text(BEARER, encoding="utf-8")
    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", BEARER)
    types = sorted({path.stem for path in hospital.files.glob("*.ndjson")} - NOT_THEIRS)
    export_bulk(
        hospital.address, tmp_path / "ours", BulkAsked(types=tuple(types)), Quarantine(), lambda *_: None
    )
    command = [program, "bulk", str(tmp_path / "theirs"), "--fhir-url", hospital.address]
    command += ["--bearer-token", str(tmp_path / "token"), "--type", ",".join(types)]
    command += ["--no-compression", "--no-default-filters"]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    theirs, ours = (
        list(FhirFolder(tmp_path / name, f"fhir-folder:{name}").records(Quarantine()))
        for name in ("theirs", "ours")
    )
    assert ours == theirs
    assert [each.events for each in ours] == [each.events for each in of_files(hospital)]
