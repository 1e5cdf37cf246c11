"""Every kind of finding: whether it fails the check, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_EXCLUDE = "put the code under screening.exclude_codes, or a table's column under table.ignore"
_JOIN = "mend the join or drop one of the two, before any split"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding.

    Attributes:
        fails: True where the check fails on it; False where it only warns.
        remedy: What to do.
    """

    fails: bool
    remedy: str


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        # The future in the input.
        "known after the index": Kind(True, "date each fact by when it was known"),
        "changes when the future is deleted": Kind(True, "build cases from record.as_of(index) only"),
        "index depends on the future": Kind(False, "ask at the first or at each occurrence"),
        "bounded by the follow-up": Kind(True, _EXCLUDE),
        "time known only to the day": Kind(False, "date facts by the minute, or set the index at midnight"),
        # The answer in a column.
        "column predicts alone": Kind(True, _EXCLUDE),
        "level settles the outcome": Kind(True, _EXCLUDE),
        "missingness predicts": Kind(True, _EXCLUDE),
        "missingness goes with the outcome": Kind(False, "ask who decided to measure it, and when"),
        "outcome-like name": Kind(True, _EXCLUDE),
        "outcome-like value": Kind(True, _EXCLUDE),
        "another model's score": Kind(True, _EXCLUDE),
        "name tells the course": Kind(True, _EXCLUDE),
        "outcome told in notes": Kind(True, "add a pattern to screening.sentence_patterns"),
        "words tell the outcome": Kind(True, "add a pattern to screening.sentence_patterns"),
        "acquisition shortcut": Kind(False, "judge by site and by view, and beside the shortcut alone"),
        "permuted labels still predict": Kind(True, "look for a step fitted before the split"),
        # One person, or one film, counted twice.
        "patient on both sides": Kind(True, "split by patient"),
        "same person at two sites": Kind(True, _JOIN),
        "same record in two patients": Kind(True, _JOIN),
        "same image in two patients": Kind(True, _JOIN),
        "near-duplicate image": Kind(False, "nothing: such patients are kept in one fold"),
        "near-duplicate image across the split": Kind(True, _JOIN),
        "near-duplicate image of another class": Kind(True, "ask which class is right, and drop the other"),
        "same note in two patients": Kind(True, _JOIN),
        "same question twice": Kind(True, "keep one case for each patient and index time"),
        "repeated fact": Kind(False, "drop the repeats where the source is read"),
        # The outcome itself.
        "cause without any event": Kind(True, "mend the codes, or leave out a cause that cannot be there"),
        "censoring depends on a column": Kind(False, "let censoring weights depend on the column"),
        "nobody has the event early": Kind(False, "start the clock where follow-up starts"),
        "event at the index": Kind(False, "ask whether the outcome was known when the question was asked"),
        "follow-up ends before the horizon": Kind(False, "ask about an earlier horizon"),
        "too few events": Kind(False, "collect more cases; no number will be certain"),
        "outcome often unknown": Kind(False, "compare those left out with those kept"),
        # The arms.
        "level settles the arm": Kind(
            True, f"{_EXCLUDE}; where it is a reason for the choice, exclude those patients"
        ),
        "too few in an arm": Kind(False, "collect more cases, or leave the arm out; nothing will be certain"),
        "draw contradicted": Kind(
            True, "state the shares and strata of the draw as it was, and look for arms that are mixed up"
        ),
        "code that no record has": Kind(
            True, "mend the spelling, or leave out a code that cannot be there (screening.accept keeps it)"
        ),
        # Damaged data.
        "two units for one code": Kind(True, "convert to one unit where the source is read"),
        "unit cannot be converted": Kind(
            False, "correct the unit at the source, or state its factor in the concept's other_units"
        ),
        "mixed scales": Kind(True, "convert to one unit where the source is read"),
        "implausible value": Kind(True, "correct or remove the values"),
        "implausible date": Kind(True, "correct the dates, or remove the facts"),
        "number not finite": Kind(True, "leave out what is not known"),
        "code for missing among numbers": Kind(True, "leave out what is not known"),
        "missing written as text": Kind(
            False, "leave out what is not known, unless it is a level of its own"
        ),
        "numbers written as text": Kind(False, "give numbers, or list the column under table.categorical"),
        "level spelled in two ways": Kind(False, "use one spelling"),
        "value far from all others": Kind(False, "check for a slipped decimal point"),
        "constant column": Kind(False, "leave it out: it says nothing"),
        "identifier as a column": Kind(False, "name it as table.patient_id, or ignore it"),
        "same values in two columns": Kind(False, "keep one of the two"),
        "empty record": Kind(False, "ask whether the record is complete"),
        "image cannot be opened": Kind(False, "give the source that holds the pixels, or drop the study"),
        # The task file.
        "acceptance matches nothing": Kind(
            False, "remove it from screening.accept, or mend its kind or code"
        ),
    }
)
