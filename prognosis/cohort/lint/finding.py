"""What the lint finds, and the limits by which it judges."""

from __future__ import annotations

from dataclasses import dataclass

from prognosis.cohort.lint.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign of leakage or damage; it names codes and counts, never a patient.

    Attributes:
        kind: The rule that found it, a key of `KINDS`: "column predicts alone", "outcome-like name", ...
        subject: What it is about: a code, a code with its level, a word, "notes".
        problem: What is wrong, as a sentence without a full stop.
        numerator: How many of `denominator` show it; for a rule about prediction, those with the event.
        denominator: How many were looked at (cases, values, notes or studies, as `problem` says).
        accepted: Why the task accepts it; "" when it does not.
    """

    kind: str
    subject: str
    problem: str
    numerator: int
    denominator: int
    accepted: str = ""

    @property
    def code(self) -> str:
        """The subject without its level: what a task names to accept the finding."""
        return self.subject.partition(" = ")[0]

    @property
    def fails(self) -> bool:
        """Whether it fails the check: its kind does, and the task does not accept it."""
        return KINDS[self.kind].fails and not self.accepted

    @property
    def level(self) -> str:
        """What it means for the check: "fails", "warns", or "accepted"."""
        return "accepted" if self.accepted else "fails" if self.fails else "warns"

    def to_json(self) -> dict[str, str | int]:
        """The finding as plain JSON, with its level and what to do about it."""
        return {
            "level": self.level,
            "kind": self.kind,
            "subject": self.subject,
            "problem": self.problem,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "accepted_because": self.accepted,
            "remedy": KINDS[self.kind].remedy,
        }


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of the lint.

    Attributes:
        concordance: A single column above this (or below 1 minus this) is taken to tell the answer.
        missing_auroc: The same for whether a column was observed at all, and for a word of the notes.
        weak_auroc: A warning needs an association beyond this (or below 1 minus this) by `errors` standard
            errors.
        errors: Standard errors between an estimate and the limit it must pass.
        least_cases: Fewest cases on each side of a comparison, and in a level.
        least_events: Fewest events among the observed cases before a concordance is trusted; fewer events
            than this in all are a warning.
        chance: What would happen by chance less often than this is reported, e.g. a level in which everyone
            or no one has the event; so an outcome that nearly everyone has is not reported level by level.
        expected: A Poisson count of zero is reported when this many were expected (chance e^-10).
        few_levels: A numeric column with at most this many values is also read as levels.
        many_levels: A text column with more values than this is taken for free text; its values are not
            read as names.
        oldest_years: The greatest age that is believed.
        note_characters: Notes shorter than this may agree between patients: standard sentences do.
        image_bits: Two films are near-duplicates when at most this many of their 256 hash bits differ.
            Halving a film, another window or JPEG quality 50 changed up to 7 of them; of 9.7 million pairs of
            different films the nearest were 17 apart.
        far: Robust standard deviations, on the raw and on a logarithmic scale, beyond which a value is far
            from all others.
        unknown_share: Share of cases left out for an unknown outcome above which selection is in doubt.
    """

    concordance: float = 0.9
    missing_auroc: float = 0.8
    weak_auroc: float = 0.6
    errors: float = 3.0
    least_cases: int = 20
    least_events: int = 10
    chance: float = 1e-4
    expected: float = 10.0
    few_levels: int = 10
    many_levels: int = 50
    oldest_years: float = 120.0
    note_characters: int = 200
    image_bits: int = 12
    far: float = 10.0
    unknown_share: float = 0.2
