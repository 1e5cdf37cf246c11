"""Answers written to a FHIR server, with who wrote them from what, and withdrawn from it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from prognosis.cli.sources.fhir_login import fhir_login
from prognosis.cohort import Task
from prognosis.errors import InputError, SourceError, WriteError
from prognosis.outputs.fhir import (
    ANSWER,
    Answer,
    AnswerKey,
    Parties,
    answer_resources,
    audit_event,
    device_id,
    kinds_of,
    provenance,
)
from prognosis.outputs.fhir.elements import Resource
from prognosis.outputs.fhir.provenance import Activity
from prognosis.record import PatientRecord

if TYPE_CHECKING:
    from connectors.fhir import FhirWriter
    from connectors.fhir.http.transaction import Written

SCHEME = "fhir-server:"
_DATED = ("occurrenceDateTime", "effectiveDateTime")
_ACTIVITY: dict[str, Activity] = {"created": "CREATE", "updated": "UPDATE"}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the resources of one answer, or of a retraction.

    Attributes:
        patient: On the server, "Patient/x".
        resources: Name, version and what was done, of each.
        notes: What was not done, and why.
    """

    patient: str
    resources: tuple[Written, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """When and where something is written.

    Attributes:
        time: Now (aware).
        client: The machine that it is written from, by name.
    """

    time: datetime
    client: str


def answer_server(uri: str, sources: Sequence[str] = ()) -> FhirWriter:
    """The server that an answer is written to.

    Args:
        uri: "fhir-server:URL".
        sources: What the record is read from; the token of one server is not given to another.

    Raises:
        SourceError: It is no such name, or one token would go to two servers.
    """
    from connectors.fhir import FhirWriter

    base = uri.removeprefix(SCHEME)
    if base == uri or not base:
        raise SourceError(uri, "is no FHIR server, and answers are written to one", f"write {SCHEME}URL")
    login = fhir_login(base)
    others = [each for each in sources if each.startswith(SCHEME) and each != uri]
    if others and login is not None:
        problem = f"is another server than {others[0]}, and the environment holds the login of one"
        raise SourceError(uri, problem, "write to the server that the record is read from")
    return FhirWriter(base, uri, login=login)


def write_answer(
    server: FhirWriter, record: PatientRecord, answer_about: Callable[[str], Answer], act: Act
) -> Told:
    """Write an answer, and who wrote it from what, once.

    Args:
        server: Where to.
        record: Whom it is about; the server's Patient must agree with it.
        answer_about: Gives the answer for the patient as the server names it.
        act: When and where.

    Raises:
        WriteError: The server holds another patient or not the sources, or does not take the answer.
        SourceError: It cannot be read.
    """
    subject = server.subject(record.patient_id, record.birth_date, record.sex)
    answer = answer_about(subject)
    cited = tuple(sorted({*answer.cited, *answer.arms_cited}))
    server.check_sources(cited, subject)
    resources = answer_resources(answer)
    unwanted = {
        f"{kind}/{answer.key.fhir_id(what)}": answer.key.value(what)
        for kind, what in kinds_of(answer.task)
        if answer.key.fhir_id(what) not in {resource["id"] for resource in resources}
    }
    audited = _audited(server, {resource["resourceType"] for resource in resources})
    written = server.write(resources, unwanted)
    stated = [each for each in written if each.name != answer.device and _is_its_own(each)]
    records = [
        provenance(
            "NULLIFY" if each.name in unwanted else _ACTIVITY.get(each.done),
            each.version,
            answer.device,
            cited,
            act.time,
        )
        for each in stated
        if each.name not in unwanted or each.done == "updated"
    ]
    if audited:
        records += _audit_events(server, written, subject, answer.device, act)
    told = (*(each for each in written if each.version), *server.record(records))
    return Told(subject, told, () if audited else (NOT_AUDITED,))


def _is_its_own(each: Written) -> bool:
    """Whether this version is the model's: written now, or standing as the model wrote it."""
    return each.done != "unchanged" or each.status in ("preliminary", "cancelled")


NOT_AUDITED = "AuditEvent: the server does not take it, so none was written"
NOT_SEARCHED = (
    "RiskAssessment: the server cannot search it by patient, and an abstention has no report to be found by: "
    "name its index time with --at"
)


def _audited(server: FhirWriter, kinds: set[str]) -> bool:
    """Whether the server says that it takes AuditEvents; what an answer is made of, it must not refuse.

    Raises:
        WriteError: It does not take a type that an answer is made of.
    """
    takes = server.takes(("AuditEvent", "Provenance", *sorted(kinds)))
    refused = next((kind for kind, taken in takes.items() if taken is False and kind != "AuditEvent"), None)
    if refused is not None:
        problem = f"says that clients may not write {refused} under ids of their own (updateCreate)"
        raise WriteError(server.origin.name, problem, "have the server's owner allow it")
    return takes["AuditEvent"] is True


def _audit_events(
    server: FhirWriter, written: Sequence[Written], subject: str, device: str, act: Act
) -> list[Resource]:
    parties = Parties(act.client, server.origin.name, device)
    return [
        audit_event(
            "create" if each.done == "created" else "update",
            each.version,
            "" if each.name == device else subject,
            parties,
            act.time,
        )
        for each in written
        if each.done != "unchanged"
    ]


def retract_answers(
    server: FhirWriter,
    patient_id: str,
    model_id: str,
    task: Task,
    at: datetime | None,
    act: Act,
) -> Told:
    """Mark a model's answers about a patient as entered in error, and say who did.

    Args:
        server: Where they are.
        patient_id: Whom they are about.
        model_id: Which model gave them.
        task: That it answers.
        at: The index time of the one that is meant; None for all that can be found.
        act: When and where.

    Raises:
        InputError: There is none.
        WriteError: The server holds no such patient, or does not take the change.
        SourceError: It cannot be read.
    """
    subject = server.subject(patient_id)
    audited = _audited(server, {kind for kind, _ in kinds_of(task)})
    notes = () if audited else (NOT_AUDITED,)
    times = {at} if at is not None else set(_index_times(server, subject, model_id, task))
    if at is None and "RiskAssessment" not in server.searched_by_patient(("RiskAssessment",)):
        notes = (*notes, NOT_SEARCHED)
    names = {
        f"{kind}/{key.fhir_id(what)}": key.value(what)
        for key in (AnswerKey(subject, time, model_id) for time in sorted(times))
        for kind, what in kinds_of(task)
    }
    withdrawn = [each for each in server.withdraw(names, ANSWER) if each.version]
    if not withdrawn:
        problem = f"has no answer of the model {model_id} on {server.origin.name}"
        raise InputError(f"patient {patient_id}", problem, "check the id, the model, --at and the server")
    device = f"Device/{device_id(model_id)}"
    records = [
        provenance("NULLIFY", each.version, device, (), act.time)
        for each in withdrawn
        if each.done == "updated"
    ]
    if audited:
        records += _audit_events(server, withdrawn, subject, device, act)
    return Told(subject, (*withdrawn, *server.record(records)), notes)


def _index_times(server: FhirWriter, subject: str, model_id: str, task: Task) -> list[datetime]:
    """The index times of a model's answers: those under which an identifier found is the one it would be."""
    times = []
    kinds = kinds_of(task)
    for resource in server.about(subject, ("RiskAssessment", "DiagnosticReport")):
        stated = next((resource[name] for name in _DATED if name in resource), "")
        try:
            time = datetime.fromisoformat(stated)
        except (TypeError, ValueError):
            continue
        if time.tzinfo is None:
            continue
        key = AnswerKey(subject, time, model_id)
        if resource.get("id") in {key.fhir_id(what) for _, what in kinds}:
            times.append(time)
    return times
