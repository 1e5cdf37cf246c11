"""An answer goes to the right patient on a server that holds what it cites, or nowhere."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.fhir import FhirServer
from connectors.fhir.mapping import ANSWER
from connectors.fhir.mapping_person import PATIENT_ID
from prognosis.errors import WriteError
from prognosis.record import Quarantine
from tests.connectors.fhir.ledger import Ledger, ledger, statement, writer
from tests.connectors.fhir.resources import Resource, observation, patient
from tests.connectors.fhir.ward import QUICK, opened


def holding(*resources: Resource, stated: Resource | None = None) -> Ledger:
    server = ledger(stated=stated or statement())
    for each in resources:
        server.put(each)
    return server


def exported(identity: str, patient_id: str) -> Resource:
    """A Patient whose id in the records is no FHIR id."""
    return {**patient(identity), "identifier": [{"system": PATIENT_ID, "value": patient_id}]}


def test_a_patient_is_found_by_id_or_by_the_identifier_of_an_export() -> None:
    with writer(holding(patient("anna"), exported("p7", "ward 7"))) as writing:
        assert writing.subject("anna") == "Patient/anna"
        assert writing.subject("ward 7") == "Patient/p7"


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ([], "holds no patients of this id"),
        ([exported("anna", "ward 7")], "holds no patients of this id"),
        ([exported("a", "anna"), exported("b", "anna")], "holds 2 patients of this id"),
        ([patient("anna", birthDate="1951-01-01")], "has another birth date than the record"),
        ([patient("anna", gender="male")], "has another sex than the record"),
        (
            [patient("anna", link=[{"type": "replaced-by", "other": {"reference": "Patient/ben"}}])],
            "was replaced by another",
        ),
    ],
)
def test_somebody_else_is_not_written_about(held: list[Resource], why: str) -> None:
    with writer(holding(*held)) as writing, pytest.raises(WriteError, match=why):
        writing.subject("anna", date(1950, 5, 5), "female")


def test_the_ids_of_patients_stand_in_no_address() -> None:
    server = holding(patient("anna"), observation("crp", "Patient/anna"))
    with writer(server) as writing:
        writing.subject("anna")
        writing.check_sources(["Observation/crp"], "Patient/anna")
        with pytest.raises(WriteError, match="about another patient"):
            writing.check_sources(["Observation/crp"], "Patient/ben")
        writing.about("Patient/anna", ("DiagnosticReport",))
    assert not [each.target for each in server.requests if "anna" in each.target]


def test_what_is_cited_must_be_there_and_be_the_patient_s() -> None:
    server = holding(patient("anna"), patient("ben"))
    for identity, subject in (("mine", "Patient/anna"), ("theirs", "Patient/ben")):
        server.put(observation(identity, subject))
    with writer(server) as writing:
        writing.check_sources(["Observation/mine"], "Patient/anna")
        with pytest.raises(
            WriteError, match="does not hold 1 of 2 cited resources, the first Observation/gone"
        ):
            writing.check_sources(["Observation/gone", "Observation/mine"], "Patient/anna")
        with pytest.raises(WriteError, match="Observation/theirs: is cited, and is about another patient"):
            writing.check_sources(["Observation/mine", "Observation/theirs"], "Patient/anna")


@pytest.mark.parametrize("side", ["replaced-by", "replaces"])
def test_what_is_cited_may_stand_under_a_patient_that_was_replaced(side: str) -> None:
    ends = {"replaced-by": ("old", "anna"), "replaces": ("anna", "old")}
    people = {name: patient(name) for name in ("anna", "old")}
    holder, other = ends[side]
    people[holder]["link"] = [{"type": side, "other": {"reference": f"Patient/{other}"}}]
    with writer(holding(*people.values(), observation("crp", "Patient/old"))) as writing:
        writing.check_sources(["Observation/crp"], "Patient/anna")


def test_links_that_never_reach_the_patient_are_not_followed_for_ever() -> None:
    circle = {"a": "b", "b": "a"}
    people = [
        patient(name, link=[{"type": "replaced-by", "other": {"reference": f"Patient/{other}"}}])
        for name, other in circle.items()
    ]
    server = holding(patient("anna"), *people, observation("crp", "Patient/a"))
    with writer(server) as writing, pytest.raises(WriteError, match="about another patient"):
        writing.check_sources(["Observation/crp"], "Patient/anna")


def test_a_server_whose_statement_cannot_be_read_is_not_written_to() -> None:
    for spoiled in ({"interaction": "transaction"}, {"resource": [{"type": 7}]}):
        rest = [{"mode": "server", "interaction": [{"code": "transaction"}], **spoiled}]
        stated = {"resourceType": "CapabilityStatement", "rest": rest}
        with writer(holding(stated=stated)) as writing, pytest.raises(WriteError, match="metadata"):
            writing.takes(("Device",))
    stated = {"resourceType": "CapabilityStatement", "rest": [{"resource": [{"searchParam": 1}]}]}
    with writer(holding(stated=stated)) as writing, pytest.raises(WriteError, match="searchParam"):
        writing.searched_by_patient(("Device",))


def test_a_server_says_what_it_takes() -> None:
    with writer(holding(stated=statement("AuditEvent"))) as writing:
        assert writing.takes(("Device", "AuditEvent", "Goal")) == {
            "Device": True,
            "AuditEvent": False,
            "Goal": None,
        }
    with (
        writer(holding(stated=statement(transaction=False))) as writing,
        pytest.raises(WriteError, match="offers no transactions"),
    ):
        writing.takes(("Device",))


def test_answers_are_told_from_what_others_wrote() -> None:
    ours = {"identifier": [{"system": ANSWER, "value": "v"}]}
    server = holding(
        observation("ours", "Patient/anna", **ours),
        observation("theirs", "Patient/anna"),
        observation("anothers", "Patient/ben", **ours),
    )
    with writer(server) as writing:
        assert [each["id"] for each in writing.about("Patient/anna", ("Observation", "Goal"))] == ["ours"]


def test_an_answer_that_was_written_back_is_no_evidence_for_the_next() -> None:
    people = [patient("anna"), observation("crp", "Patient/anna")]
    answer = observation("prognosis-1", "Patient/anna", identifier=[{"system": ANSWER, "value": "v"}])
    pulled = []
    for resources in (people, [*people, answer]):
        quarantine = Quarantine()
        with opened(holding(*resources)) as server:
            source = FhirServer(server.address, "fhir-server:test", policy=QUICK)
            pulled.append(list(source.records(quarantine)))
    assert pulled[0] == pulled[1]
    assert quarantine.notices["Observation: an answer of prognosis: no fact"] == 1
    assert quarantine.accepted["Observation"] == 2
