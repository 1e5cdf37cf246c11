"""`prognosis risk --write-back` and `prognosis retract`: on a server once, and off it again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prognosis.cohort import Case
from prognosis.prediction import predict_cases
from tests.cli.program import Program, Ran
from tests.connectors.fhir.ledger import Ledger, ledger, statement
from tests.connectors.fhir.resources import Resource
from tests.connectors.fhir.ward import Request, opened, reply
from tests.simulated import Simulated

ANSWERS = ("RiskAssessment", "Observation", "DiagnosticReport")


@pytest.fixture
def case(small: Simulated) -> Case:
    return small.complete[0]


@pytest.fixture
def server(small: Simulated, case: Case) -> Iterator[Ledger]:
    """A server that holds what the export says of one patient."""
    held = ledger()
    for resource in exported(small.folder / "fhir", case.record.patient_id):
        held.put(resource)
    with opened(held):
        yield held


def exported(folder: Path, patient: str) -> Iterator[Resource]:
    for path in folder.glob("*.ndjson"):
        for line in path.read_text(encoding="utf-8").splitlines():
            resource = json.loads(line)
            about = resource.get("subject", {}).get("reference") == f"Patient/{patient}"
            if about or (path.stem == "Patient" and resource["id"] == patient):
                yield resource


@pytest.fixture
def risk(prognosis: Program, small: Simulated, server: Ledger, case: Case) -> Callable[..., Ran]:
    """The patient's answer, written back."""

    def asked(*more: object, to: str | None = None) -> Ran:
        named = [word for uri in small.uris for word in ("--source", uri)]
        target = to or f"fhir-server:{server.address}"
        patient, model = case.record.patient_id, small.model_folder
        return prognosis("risk", patient, "--model", model, *named, "--write-back", target, "--json", *more)

    return asked


@pytest.fixture
def retract(prognosis: Program, small: Simulated, server: Ledger, case: Case) -> Callable[..., Ran]:
    """The model's answers about the patient, taken back."""

    def asked(*more: object) -> Ran:
        target = ("--from", f"fhir-server:{server.address}", "--json")
        return prognosis("retract", case.record.patient_id, "--model", small.model_folder, *target, *more)

    return asked


def ours(server: Ledger) -> dict[str, Resource]:
    return {name: each for name, each in server.held.items() if "/prognosis-" in name}


def statuses(server: Ledger) -> Counter[str]:
    return Counter(each["status"] for name, each in ours(server).items() if name.startswith(ANSWERS))


def doings(ran: Ran) -> set[str]:
    return {each["done"] for each in ran.stated["written"]["resources"]}


def test_an_answer_is_written_once_whatever_else_is_asked(risk, server: Ledger, small, case: Case) -> None:
    first = risk()
    assert first.status == 0, first.err
    assert doings(first) == {"created"}
    written = ours(server)
    assert Counter(name.partition("/")[0] for name in written) == {
        "Device": 1,
        "RiskAssessment": 1,
        "Observation": 2,
        "DiagnosticReport": 1,
        "Provenance": 4,
        "AuditEvent": 5,
    }
    assessment = next(each for name, each in written.items() if name.startswith("RiskAssessment"))
    expected = predict_cases(small.model, [case])[0].risks()
    assert [each["probabilityDecimal"] for each in assessment["prediction"]] == pytest.approx(
        [100 * each.probability for each in expected], abs=1e-4
    )
    second = risk("--scale", "probability", "--top", 2, "--since", "2019-01-01")
    assert doings(second) == {"unchanged"}
    assert ours(server) == written
    assert "0 resources written" in second.prose
    assert "9 there already" in second.prose  # an AuditEvent is of the run that wrote


def test_each_provenance_names_the_version_that_it_is_about(risk, server: Ledger) -> None:
    risk()
    records = [each for name, each in ours(server).items() if name.startswith("Provenance")]
    targets = {each["target"][0]["reference"] for each in records}
    assert targets == {f"{name}/_history/1" for name in ours(server) if name.startswith(ANSWERS)}
    for record in records:
        assert record["activity"]["coding"][0]["code"] == "CREATE"
        assert all(entity["what"]["reference"] in server.held for entity in record["entity"])


def test_a_retraction_marks_every_answer_and_a_second_does_nothing_more(
    risk, retract, server: Ledger
) -> None:
    risk()
    assert retract().status == 0
    assert statuses(server) == {"entered-in-error": 4}
    before = dict(server.held)
    again = retract()
    assert {each["done"] for each in again.stated["resources"]} == {"unchanged"}
    assert server.held == before
    refused = risk()
    assert refused.status == 2
    assert "was retracted, and is not written again" in refused.prose
    assert server.held == before


def test_one_of_two_answers_is_retracted_by_its_index_time(risk, retract, server: Ledger, case: Case) -> None:
    risk()
    kept = {name for name in ours(server) if name.startswith(ANSWERS)}
    early = min(note.time for note in case.record.notes)
    assert doings(risk("--at", early.isoformat())) == {"created", "unchanged"}
    assert retract("--at", early.isoformat()).status == 0
    withdrawn = {name for name, each in ours(server).items() if each.get("status") == "entered-in-error"}
    assert withdrawn == {name for name in ours(server) if name.startswith(ANSWERS)} - kept
    assert withdrawn
    assert retract("--at", "1999-01-01").status == 2


def test_a_model_that_abstains_writes_why_and_no_number(risk, retract, server: Ledger) -> None:
    ran = risk("--at", "1900-01-01")
    assert ran.status == 0, ran.err
    assert ran.stated["abstained_because"]
    assert statuses(server) == {"cancelled": 1}
    (assessment,) = (each for name, each in ours(server).items() if name.startswith("RiskAssessment"))
    assert assessment["note"][0]["text"].endswith(ran.stated["abstained_because"])
    assert "prediction" not in assessment
    assert retract().status == 0
    assert statuses(server) == {"entered-in-error": 1}


def test_a_version_that_a_person_made_gets_no_provenance_of_the_model(risk, server: Ledger) -> None:
    risk()
    name = next(name for name in ours(server) if name.startswith("RiskAssessment"))
    server.put({**server.held[name], "status": "final"})
    before = dict(server.held)
    assert doings(risk()) == {"unchanged"}
    assert server.held == before


def test_nothing_to_retract_is_said(retract, server: Ledger) -> None:
    ran = retract()
    assert ran.status == 2
    assert "has no answer of the model" in ran.prose
    assert ours(server) == {}


def test_a_patient_or_a_source_that_the_server_has_not_stops_everything(
    risk, server: Ledger, case: Case
) -> None:
    whole = dict(server.held)
    del server.held[f"Patient/{case.record.patient_id}"]
    assert "holds no patients of this id" in risk().prose
    server.held = {name: each for name, each in whole.items() if not name.startswith("DocumentReference")}
    ran = risk()
    assert (ran.status, ran.out) == (2, "")
    assert "cited resources" in ran.prose
    assert ours(server) == {}


def test_an_answer_whose_provenance_was_refused_gets_it_the_next_time(risk, server: Ledger) -> None:
    def without_provenance(request: Request) -> bytes | None:
        return reply(b"", "403 Forbidden") if b'"Provenance/' in request.body else None

    server.before = without_provenance
    ran = risk()
    assert ran.status == 2
    assert "give a token whose scopes allow these writes" in ran.prose
    assert Counter(name.partition("/")[0] for name in ours(server))["Provenance"] == 0
    server.before = lambda _: None
    assert doings(risk()) == {"created", "unchanged"}
    assert Counter(name.partition("/")[0] for name in ours(server))["Provenance"] == 4


def test_a_server_that_takes_no_audit_events_is_told_of(risk, server: Ledger) -> None:
    server.stated = statement("AuditEvent")
    ran = risk()
    assert ran.status == 0
    assert "AuditEvent: the server does not take it" in ran.prose
    assert not [name for name in ours(server) if name.startswith("AuditEvent")]


def test_a_server_that_chooses_ids_itself_is_refused(risk, server: Ledger) -> None:
    server.stated = statement("RiskAssessment")
    ran = risk()
    assert ran.status == 2
    assert "clients may not write RiskAssessment under ids of their own" in ran.prose
    assert ours(server) == {}


@pytest.mark.parametrize("to", ["fhir-folder:out", "https://fhir.example.org", "fhir-server:"])
def test_an_answer_goes_to_a_server_only(risk, to: str) -> None:
    assert "write fhir-server:URL" in risk(to=to).prose


def test_the_token_of_one_server_is_not_given_to_another(
    risk, monkeypatch: pytest.MonkeyPatch, server: Ledger
) -> None:
    from prognosis.cli.sources import answer_server
    from prognosis.errors import SourceError

    monkeypatch.setenv("PROGNOSIS_FHIR_TOKEN", "secret")
    uri = f"fhir-server:{server.address}"
    with pytest.raises(SourceError, match="is another server than"):
        answer_server(uri, ["fhir-server:https://fhir.example.org"])
    assert answer_server(uri, [uri, "dicom-folder:x"]).uri == uri
