"""Why one patient's risk is what it is, as it is told: drivers, what they add, and the receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prognosis.outputs.estimate import signed


@dataclass(frozen=True, slots=True)
class Driver:
    """One thing that is known and what it adds to the risk.

    Attributes:
        name: What it is: "C reactive protein", "left lower zone".
        detail: Its value: "185 mg/L, rising", the sentence.
        modality: "clinical", "text" or "imaging".
        time: When it became known, ISO 8601; "" where it has no time.
        source: What to cite: "Observation/cr-1", "DocumentReference/n1#3".
        contribution: Signed, on the page's scale; positive is worse.
        parts: What it is the sum of, where that is more than one: level and change, a statement in several
            notes; largest first.
    """

    name: str
    detail: str
    modality: str
    time: str
    source: str
    contribution: float
    parts: tuple[Driver, ...] = ()

    def told_parts(self, digits: int = 2) -> tuple[Driver, ...]:
        """The parts worth a line beneath the driver's own where `digits` decimals are printed.

        None that rounds to zero; and where a single one is left that would print the driver's own line once
        more, none.
        """
        shown = tuple(part for part in self.parts if round(part.contribution, digits))
        repeats = len(shown) == 1 and shown[0]._line(digits) == self._line(digits)
        return () if repeats else shown

    def _line(self, digits: int) -> tuple[str, ...]:
        return (self.name, self.detail, self.time, self.source, signed(self.contribution, digits))


def parts_not_told(drivers: Sequence[Driver], digits: int = 2) -> str:
    """How many parts of these drivers round to zero and are not printed, in words; "" where none is.

    A driver's only part is the driver itself, whose own line says it.
    """
    several = [driver.parts for driver in drivers if len(driver.parts) > 1]
    count = sum(not round(part.contribution, digits) for parts in several for part in parts)
    if not count:
        return ""
    parts = "part" if count == 1 else "parts"
    return f"{count} {parts} of less than {0.5 * 10**-digits:.{digits + 1}f} not shown"


@dataclass(frozen=True, slots=True)
class Receipt:
    """How the explanation was made and how exact it is.

    Attributes:
        method: "closed-form Shapley values".
        scale: "log-hazard", "log-odds" or "probability by 30 days".
        max_additivity_error: Largest |base + sum of contributions - output| found; 0 is exact.
        standard_error: Largest of any contribution, when they were sampled; 0 when computed.
        coalitions: Of groups of drivers, all of them evaluated; 0 where nothing had to be enumerated.
        permutations: By which groups were split among their drivers.
        short_scale: The scale in a word or two, for an axis: "log-hazard", "ln bilirubin", "mg/dL".
    """

    method: str
    scale: str
    max_additivity_error: float
    standard_error: float
    coalitions: int = 0
    permutations: int = 0
    short_scale: str = ""

    @property
    def evaluated(self) -> str:
        """What was evaluated, in words; "" where the values are a formula."""
        if not self.coalitions:
            return ""
        return f"{self.coalitions:,} coalitions and {self.permutations:,} permutations evaluated"


@dataclass(frozen=True, slots=True)
class DriverGroup:
    """Evidence that is told together: "text: Assessment", of 4 pieces, and what they add."""

    name: str
    pieces: int
    contribution: float


@dataclass(frozen=True, slots=True)
class PatientExplanation:
    """Why the risk of one cause is what it is: base + sum of the contributions = total.

    Attributes:
        cause: The cause explained.
        base: What the model says of the average patient with these modalities, on the receipt's scale.
        total: What it says of this patient.
        drivers: Everything that is known, in any order; the page sorts them by size.
        receipt: Method and exactness.
        groups: The evidence by family, largest first, where families were told exactly.
    """

    cause: str
    base: float
    total: float
    drivers: tuple[Driver, ...]
    receipt: Receipt
    groups: tuple[DriverGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedDriver:
    """One piece of evidence that moved the answer between two dates.

    Attributes:
        kind: "new", "changed", "aged" or "gone".
        name: What it is.
        modality: "clinical", "text" or "imaging".
        before: Its value at the first date, "" where it was not there.
        after: Its value at the second, "" where it is gone.
        time: When it became known, ISO 8601; "" where it has no time.
        source: What to cite.
        contribution: To the move; positive is worse.
    """

    kind: str
    name: str
    modality: str
    before: str
    after: str
    time: str
    source: str
    contribution: float


@dataclass(frozen=True, slots=True)
class PatientChange:
    """How the answer to one cause moved: recalibration + the sum of the drivers = after - before.

    Attributes:
        cause: The cause.
        since: The first date, ISO 8601.
        scale: Of all numbers.
        before: The answer then.
        after: The answer now.
        recalibration: The part owed to other modalities being there to be read.
        drivers: What moved it, largest first.
        unchanged: How many pieces of evidence did not.
        max_additivity_error: Of the sum.
    """

    cause: str
    since: str
    scale: str
    before: float
    after: float
    recalibration: float
    drivers: tuple[ChangedDriver, ...]
    unchanged: int
    max_additivity_error: float

    @property
    def unmoved(self) -> str:
        """How much evidence moved nothing, in words."""
        return f"{self.unchanged} {'piece' if self.unchanged == 1 else 'pieces'} of evidence"
