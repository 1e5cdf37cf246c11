"""What the lint finds, and the limits by which it judges."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign of leakage or damage; it names codes and counts, never a patient.

    Attributes:
        kind: The rule that found it: "column predicts alone", "outcome-like name", ...
        subject: What it is about: a code, a code with its level, a word, "notes".
        problem: What is wrong, as a sentence without a full stop.
        numerator: How many of `denominator` show it; for a rule about prediction, those with the event.
        denominator: How many were looked at (cases, values, notes or studies, as `problem` says).
    """

    kind: str
    subject: str
    problem: str
    numerator: int
    denominator: int

    def to_json(self) -> dict[str, str | int]:
        """The finding as plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of the lint.

    Attributes:
        concordance: A single column above this (or below 1 minus this) is taken to tell the answer.
        missing_auroc: The same for whether a column was observed at all.
        least_cases: Fewest cases on each side of a comparison, and in a level.
        least_events: Fewest events among the observed cases before a concordance is trusted.
        level_chance: A level in which everyone or no one has the event is reported when chance would do so
            less often than this; so an outcome that nearly everyone has is not reported level by level.
        few_levels: A numeric column with at most this many values is also read as levels.
        many_levels: A text column with more values than this is taken for free text; its values are not
            read as names.
        oldest_years: The greatest age that is believed.
        note_characters: Notes shorter than this may agree between patients: standard sentences do.
    """

    concordance: float = 0.9
    missing_auroc: float = 0.8
    least_cases: int = 20
    least_events: int = 10
    level_chance: float = 1e-4
    few_levels: int = 10
    many_levels: int = 50
    oldest_years: float = 120.0
    note_characters: int = 200
