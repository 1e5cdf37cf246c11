"""Which Patient stands for which: Patient.link followed, cycles and dead ends refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.fhir.gather import Gathered
from connectors.fhir.mapping_facts import Person
from prognosis.errors import MappingError


@dataclass(frozen=True, slots=True)
class SettledPersons:
    """The patients of a source after their links were followed.

    Attributes:
        kept: Patients that records are made of, by "Patient/x".
        stands_for: "Patient/old" to the kept Patient that replaced it.
        refused: Patients that were set aside.
        sites: Names of organisations, by "Organization/x".
    """

    kept: Mapping[str, Person]
    stands_for: Mapping[str, str]
    refused: frozenset[str]
    sites: Mapping[str, str]

    def standing_for(self, patient: str) -> str | None:
        """The kept Patient that facts about `patient` belong to; None when there is none."""
        target = self.stands_for.get(patient, patient)
        return target if target in self.kept else None

    def refusal(self, patient: str) -> str:
        """Why facts about `patient` belong to nobody."""
        if patient in self.refused:
            return "is about a Patient that was itself set aside"
        return "is about a Patient that is not in the source or could not be read"

    def site(self, person: Person) -> str:
        """The name of the patient's managing organisation; "" when none is stated."""
        return _site(person, self.sites)

    def in_order(self) -> tuple[str, ...]:
        """The kept patients by patient id and site."""
        return tuple(sorted(self.kept, key=lambda source: self._order(self.kept[source])))

    def _order(self, person: Person) -> tuple[str, str, str]:
        return person.patient_id, self.site(person), person.source


def settled_persons(gathered: Gathered) -> SettledPersons:
    """Follow Patient.link: facts about a replaced Patient belong to the one that replaced it.

    A Patient whose links run in a circle, fork, or end outside the source is set aside with its facts:
    they may be another person's.
    """
    links = _links(gathered)
    stands_for: dict[str, str] = {}
    kept: dict[str, Person] = {}
    problems: dict[str, str] = {}
    for source, person in gathered.persons.items():
        if source not in links:
            kept[source] = person
            continue
        end = _end(source, links)
        if end is None or end not in gathered.persons:
            problems[source] = "its Patient.link runs in a circle, forks, or ends outside the source"
        else:
            stands_for[source] = end
            gathered.quarantine.accept("Patient", gathered.lines[source])
            gathered.quarantine.notice(
                "replaced Patient: its facts were joined to the Patient that replaces it"
            )
    for source in links.keys() - gathered.persons.keys():
        end = _end(source, links)
        if end in kept:
            stands_for[source] = end
    for source in _same_identity(kept, gathered.sites):
        problems[source] = "another Patient has the same patient id at the same site"
        del kept[source]
    for source in sorted(problems):
        for _ in range(gathered.lines[source]):
            remedy = "correct the links or identifiers, or export the missing Patient"
            gathered.quarantine.reject(MappingError(source, problems[source], remedy))
    refused = frozenset(problems) | gathered.contradicted
    return SettledPersons(kept, stands_for, refused, gathered.sites)


def _links(gathered: Gathered) -> dict[str, frozenset[str]]:
    links: dict[str, frozenset[str]] = {}
    for source, person in gathered.persons.items():
        if person.replaced_by:
            links[source] = links.get(source, frozenset()) | frozenset(person.replaced_by)
        for old in person.replaces:
            links[old] = links.get(old, frozenset()) | {source}
    return links


def _end(source: str, links: Mapping[str, frozenset[str]]) -> str | None:
    """Where the chain of links from `source` ends; None when it forks or runs in a circle."""
    seen = {source}
    while source in links:
        if len(links[source]) != 1:
            return None
        (source,) = links[source]
        if source in seen:
            return None
        seen.add(source)
    return source


def _same_identity(kept: Mapping[str, Person], sites: Mapping[str, str]) -> list[str]:
    identities = {source: (person.patient_id, _site(person, sites)) for source, person in kept.items()}
    counted = Counter(identities.values())
    return [source for source, identity in identities.items() if counted[identity] > 1]


def _site(person: Person, sites: Mapping[str, str]) -> str:
    if person.organization is None:
        return person.organization_name
    own = person.organization.rpartition("/")[2]
    return sites.get(person.organization) or person.organization_name or own
