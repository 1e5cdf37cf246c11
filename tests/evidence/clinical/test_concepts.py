"""What a concept is called: no two concepts of one cohort share a name."""

from __future__ import annotations

from datetime import timedelta

from prognosis.evidence.clinical.concepts import learn_vocabulary
from prognosis.record import Code, Event
from tests.evidence.clinical.cohorts import INDEX, case_of, laboratory


def test_the_beginning_and_the_end_of_an_encounter_and_two_units_have_names_of_their_own() -> None:
    encounter = [
        Event(
            INDEX - timedelta(days=days),
            Code(f"encounter-{end}", "AMB"),
            source="Encounter/1",
            display="ambulatory encounter",
        )
        for end, days in (("start", 9), ("end", 8))
    ]
    units = [laboratory(1.0, 3.0), laboratory(0.1, 4.0, unit="mg/dL")]
    found = learn_vocabulary([case_of([*encounter, *units])], frozenset(), 1, 5)
    names = dict(zip(found.concepts, found.names, strict=True))
    told = {(concept.code, concept.unit): name for concept, name in names.items()}
    assert told["encounter-start|AMB", ""] == "ambulatory encounter begins"
    assert told["encounter-end|AMB", ""] == "ambulatory encounter ends"
    assert told["http://loinc.org|1988-5", "mg/dL"] == "C reactive protein (1988-5 mg/dL)"
    assert len(set(found.names)) == len(found.names)
