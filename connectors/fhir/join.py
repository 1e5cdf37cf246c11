"""Facts joined to the patients they are about; what contradicts a birth or a death is set aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from connectors.fhir.gather import Gathered
from connectors.fhir.links import SettledPersons, settled_persons
from connectors.fhir.mapping_endpoints import with_addresses
from connectors.fhir.mapping_facts import Facts, Person
from connectors.fhir.mapping_person import death_event
from prognosis.errors import MappingError
from prognosis.record import Event, ImagingStudy, Note, PatientRecord, Quarantine
from prognosis.record.patient import sorted_record

BEFORE_BIRTH = timedelta(days=400)
"""Facts may precede the birth date by a pregnancy and by the days that de-identification moves it."""

AFTER_DEATH = timedelta(days=1)
"""Care may be charted for a day after the death; a patient seen later than that did not die then."""


def joined_records(gathered: Gathered, latest: datetime | None) -> Iterator[PatientRecord]:
    """Each patient once, sorted by patient id and site.

    Args:
        gathered: Everything read from the folder.
        latest: Facts known later than this are set aside as dated in the future; None for no limit.
    """
    persons = settled_persons(gathered)
    yield from records_of(gathered, persons, persons.in_order(), latest)


def records_of(
    gathered: Gathered, persons: SettledPersons, chosen: Sequence[str], latest: datetime | None
) -> Iterator[PatientRecord]:
    """The records of chosen patients, in their order, from the facts gathered about them.

    Args:
        gathered: Facts, and how often each of them and of the chosen Patients was read.
        persons: All patients, their links followed.
        chosen: Kept Patients, "Patient/x"; facts about others are set aside.
        latest: As in `joined_records`.
    """
    wanted = frozenset(chosen)
    by_person: dict[str, list[tuple[str, Facts]]] = defaultdict(list)
    for source in sorted(gathered.facts):
        facts = gathered.facts[source]
        target = persons.standing_for(facts.patient)
        problem = (
            persons.refusal(facts.patient)
            if target is None or target not in wanted
            else _implausible(facts, persons.kept[target], latest)
        )
        if problem is None and target is not None:
            by_person[target].append((source, facts))
            _accept(gathered, source, facts.notices)
        else:
            _reject(gathered, source, problem or "", "correct the date or the reference")
    for source in chosen:
        person = persons.kept[source]
        yield _record(gathered, source, person, by_person.pop(source, []), persons.site(person))


def _implausible(facts: Facts, person: Person, latest: datetime | None) -> str | None:
    """Why a fact cannot be true of its patient, or None."""
    if latest is None and person.birth_date is None:
        return None
    known = [event.time for event in facts.events]
    known += [note.time for note in facts.notes]
    known += [study.time for study in facts.studies]
    if latest is not None and known and max(known) > latest:
        return "is dated in the future"
    if person.birth_date is not None and known:
        born = datetime.combine(person.birth_date, time.min, UTC)
        if min(known) < born - BEFORE_BIRTH:
            return "is dated before the patient's birth"
    return None


def _record(
    gathered: Gathered, source: str, person: Person, stated: list[tuple[str, Facts]], site: str
) -> PatientRecord:
    events: list[Event] = [event for _, facts in stated for event in facts.events]
    notes: list[Note] = [note for _, facts in stated for note in facts.notes]
    studies: list[ImagingStudy] = [
        with_addresses(study, gathered.endpoints, gathered.quarantine)
        for _, facts in stated
        for study in facts.studies
    ]
    later = _seen_after_death(person, (facts for _, facts in stated))
    if later:
        problem = f"its death precedes {later} later facts by more than a day, so the death is not used"
        _reject(gathered, source, problem, "correct deceasedDateTime, or the dates of those facts")
    else:
        _accept(gathered, source, person.notices)
        if person.died is not None:
            events.append(death_event(source, person.died))
    return sorted_record(
        PatientRecord(
            patient_id=person.patient_id,
            birth_date=person.birth_date,
            sex=person.sex,
            events=tuple(events),
            notes=tuple(notes),
            studies=tuple(studies),
            site=site,
        )
    )


def _seen_after_death(person: Person, stated: Iterable[Facts]) -> int:
    if person.died is None:
        return 0
    limit = person.died + AFTER_DEATH
    return sum(1 for facts in stated if facts.happened is not None and facts.happened > limit)


def _accept(gathered: Gathered, source: str, notices: tuple[str, ...]) -> None:
    quarantine: Quarantine = gathered.quarantine
    quarantine.accept(source.partition("/")[0], gathered.lines[source])
    for notice in notices:
        quarantine.notice(notice)


def _reject(gathered: Gathered, source: str, problem: str, remedy: str) -> None:
    for _ in range(gathered.lines[source]):
        gathered.quarantine.reject(MappingError(source, problem, remedy))
