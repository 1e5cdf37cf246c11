"""One patient of a folder: lines about others are told by their bytes, and not parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from connectors.fhir.files import MAX_LINE_BYTES, Wanted, export_files, file_resources
from connectors.fhir.gather import Gathered
from connectors.fhir.links import SettledPersons, settled_persons
from prognosis.record import Quarantine

_OF_EVERYBODY = re.compile(
    rb'"resourceType"\s*:\s*"(?:Patient|Organization|Endpoint|Medication|Bundle)"|\\u00[2-7]'
)
"""What is read whoever is asked about, and lines that spell ASCII as escapes: their bytes say nothing."""
_ID = re.compile(rb'"id"\s*:\s*"([^"]{1,64})"')


def gathered_about(
    root: Path, patient_id: str, quarantine: Quarantine
) -> tuple[Gathered, SettledPersons, tuple[str, ...]]:
    """What a folder states of one patient, as a reading of everything would have it.

    Lines are looked at three times: for what concerns everybody (Patients and their links, organisations,
    medications), for the names of this patient, and for resources found so far that occur again under
    another patient's name, since neither of the two can then be believed.

    Args:
        root: The folder.
        patient_id: As records have it.
        quarantine: Where what cannot be read goes; of lines about others only what concerns everybody.

    Returns:
        Facts about the patient alone; all Patients, their links followed; those kept under this id.

    Raises:
        SourceError: The folder is absent or holds no FHIR file.
    """
    gathered = Gathered(quarantine)
    paths = export_files(root, quarantine)
    _add(gathered, root, paths, _concerns_everybody)
    names = _names(*_settled(gathered, patient_id))
    if names:
        _add(gathered, root, (path for path in paths if _has_lines(path)), _names_one_of(names))
        again = _identity_among(_ids(gathered), names)
        _add(gathered, root, (path for path in paths if _has_lines(path)), again)
    gathered.finish()
    persons, chosen = _settled(gathered, patient_id)
    about = {
        each: facts for each, facts in gathered.facts.items() if persons.standing_for(facts.patient) in chosen
    }
    return replace(gathered, facts=about), persons, chosen


def _settled(gathered: Gathered, patient_id: str) -> tuple[SettledPersons, tuple[str, ...]]:
    """Patients with their links followed, and those kept under an id; nothing is counted."""
    believed = {each: own for each, own in gathered.persons.items() if each not in gathered.contradicted}
    persons = settled_persons(replace(gathered, quarantine=Quarantine(), persons=believed))
    return persons, tuple(each for each in persons.in_order() if persons.kept[each].patient_id == patient_id)


def _names(persons: SettledPersons, chosen: tuple[str, ...]) -> tuple[bytes, ...]:
    """The ids under which facts may stand that belong to chosen Patients."""
    replaced = (old for old, new in persons.stands_for.items() if new in chosen)
    return tuple(sorted({each.partition("/")[2].encode() for each in (*chosen, *replaced)}))


def _ids(gathered: Gathered) -> frozenset[bytes]:
    """Of every fact found so far."""
    found = (*gathered.facts, *(source for source, _ in gathered.deferred))
    return frozenset(source.partition("/")[2].encode() for source in found)


def _add(gathered: Gathered, root: Path, paths: Iterable[Path], wanted: Wanted) -> None:
    """Read the wanted lines; what ends a file early is told once, however often it is read."""
    known = set(gathered.quarantine.rejections)
    seen = replace(gathered, quarantine=Quarantine())
    for path in paths:
        for where, resource in file_resources(
            path, path.relative_to(root).as_posix(), seen.quarantine, wanted
        ):
            seen.add(where, resource)
    gathered.quarantine.accepted += seen.quarantine.accepted
    gathered.quarantine.notices += seen.quarantine.notices
    gathered.quarantine.rejections += [each for each in seen.quarantine.rejections if each not in known]


def _has_lines(path: Path) -> bool:
    return not path.name.lower().endswith(".json")


def _concerns_everybody(line: bytes) -> bool:
    return len(line) > MAX_LINE_BYTES or _OF_EVERYBODY.search(line) is not None


def _names_one_of(names: tuple[bytes, ...]) -> Wanted:
    """Lines not read yet that hold one of the names, be it as a part of another word."""
    named = re.compile(b"|".join(re.escape(name) for name in names))
    return lambda line: named.search(line) is not None and not _concerns_everybody(line)


def _identity_among(ids: frozenset[bytes], names: tuple[bytes, ...]) -> Wanted:
    """Lines not read yet that have one of the ids."""
    read = _names_one_of(names)
    return lambda line: (
        not ids.isdisjoint(_ID.findall(line)) and not read(line) and not _concerns_everybody(line)
    )
