"""How a disease answered: a grade that somebody gave, or the best response of measured lesions (RECIST 1.1).

RECIST 1.1 is Eisenhauer et al., Eur J Cancer 2009;45:228; section numbers below are of it. Responses are not
confirmed by a second assessment (4.6 asks for it where response is the end point and arms are not drawn), and
lesions that are not targets count only where a new one is stated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from prognosis.cohort.case import ClassLabel, Unlabelled
from prognosis.cohort.outcome import (
    COMPLETE,
    DIED,
    NOT_ASSESSED,
    PARTIAL,
    PROGRESSIVE,
    RECIST,
    STABLE,
    Lesions,
    Response,
)
from prognosis.errors import TaskError
from prognosis.record import Event, PatientRecord
from prognosis.record.codes import is_among

UNIT = "mm"
SHRUNK, GROWN, GROWN_MM, NORMAL_NODE_MM = 0.7, 1.2, 5.0, 10.0
"""4.3.1: partial at 30% below the baseline, progressive at 20% and 5 mm above the least, nodes normal."""
ROUNDING_MM = 1e-6
"""30% of a sum of diameters is met by one that a computer makes of tenths of a millimetre."""
NO_BASELINE = "no lesion was measured by the index"
NOT_NAMED = "outcome has a value that the task does not name"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Measured:
    """The lesions of one day: when, code to its diameters in mm, and whether one was cut off by its limit."""

    time: datetime
    diameters: Mapping[str, tuple[float, ...]]
    nodes: frozenset[str]
    cut_off: bool

    @property
    def total(self) -> float:
        return sum(sum(each) for each in self.diameters.values())

    @property
    def gone(self) -> bool:
        """No lesion is left, and every node is of a normal size."""
        return all(
            size < NORMAL_NODE_MM if code in self.nodes else size == 0.0
            for code, sizes in self.diameters.items()
            for size in sizes
        )

    def is_of(self, baseline: _Measured) -> bool:
        """Whether all that the baseline measured was measured again, and nothing else."""
        if self.cut_off or set(self.diameters) != set(baseline.diameters):
            return False
        return all(len(sizes) == len(baseline.diameters[code]) for code, sizes in self.diameters.items())


def response_label(outcome: Response, record: PatientRecord, index: datetime) -> ClassLabel | Unlabelled:
    """The class of a case's response.

    Args:
        outcome: What is asked.
        record: The full record, later facts included.
        index: When the question is asked.

    Raises:
        TaskError: A lesion was measured in a unit that the task does not name.
    """
    graded = _graded(outcome, record, index)
    if outcome.lesions is not None:
        graded = _best(outcome, outcome.lesions, record, index)
    if isinstance(graded, Unlabelled):
        return graded
    if graded is None:
        died = any(is_among(str(event.code), outcome.death_codes) for event in _after(outcome, record, index))
        graded = DIED if died else NOT_ASSESSED
        if graded not in outcome.classes:
            return Unlabelled("died before an assessment" if died else "not assessed in the window")
    return ClassLabel(outcome.classes[graded]) if graded in outcome.classes else Unlabelled(NOT_NAMED)


def progressed_by(outcome: Response, record: PatientRecord, index: datetime, time: datetime) -> bool:
    """Whether measured lesions had progressed by a time after the index, or the patient had died."""
    lesions = outcome.lesions
    known = record.as_of(time)
    died = any(
        event.time > index and is_among(str(event.code), outcome.death_codes) for event in known.events
    )
    return died or (lesions is not None and PROGRESSIVE in dict(_grades(lesions, known, index)))


def _after(outcome: Response, record: PatientRecord, index: datetime) -> Iterator[Event]:
    until = index + outcome.within_days * _DAY
    yield from (event for event in record.events if index <= event.time <= until)


def _graded(outcome: Response, record: PatientRecord, index: datetime) -> str | Unlabelled | None:
    """The grade of the first assessment in the window; None where there is none."""
    since = index + outcome.from_days * _DAY
    own = [
        each
        for each in _after(outcome, record, index)
        if str(each.code) == outcome.code and each.time >= since
    ]
    first = {event.stated for event in own if event.time == own[0].time}
    if len(first) > 1:
        return Unlabelled("two assessments at one time disagree")
    return next(iter(first), None)


def _best(
    outcome: Response, lesions: Lesions, record: PatientRecord, index: datetime
) -> str | Unlabelled | None:
    """The best response in the window; None where no assessment can be compared with the baseline."""
    if _baseline(lesions, record, index) is None:
        return Unlabelled(NO_BASELINE, never_asked=True)
    known = record.as_of(index + outcome.within_days * _DAY)
    lasting = index + outcome.from_days * _DAY
    found = [grade for grade, time in _grades(lesions, known, index) if grade != STABLE or time >= lasting]
    return min(found, key=RECIST.index, default=None)


def _grades(lesions: Lesions, record: PatientRecord, index: datetime) -> Iterator[tuple[str, datetime]]:
    """The response at each assessment after the index, in time order, until the first that is progressive.

    An assessment at which a lesion of the baseline was not measured, or one was cut off by its limit, has
    none (4.4.2).
    """
    baseline = _baseline(lesions, record, index)
    if baseline is None:
        return
    new = [
        event.time
        for event in record.events
        if event.time > index and is_among(str(event.code), lesions.new_lesion_codes)
    ]
    least = baseline.total
    seen: list[tuple[str, datetime]] = []
    for each in _days(lesions, [event for event in record.events if event.time > index]):
        if each.is_of(baseline):
            seen.append((_grade(each, baseline.total, least), each.time))
            least = min(least, each.total)
    seen += [(PROGRESSIVE, time) for time in new]
    for grade, time in sorted(seen, key=lambda pair: (pair[1], -RECIST.index(pair[0]))):
        yield grade, time
        if grade == PROGRESSIVE:
            return


def _grade(seen: _Measured, baseline_mm: float, least_mm: float) -> str:
    if seen.gone:
        return COMPLETE
    total = seen.total
    if total >= GROWN * least_mm - ROUNDING_MM and total - least_mm >= GROWN_MM - ROUNDING_MM:
        return PROGRESSIVE
    return PARTIAL if total <= SHRUNK * baseline_mm + ROUNDING_MM else STABLE


def _baseline(lesions: Lesions, record: PatientRecord, index: datetime) -> _Measured | None:
    """The lesions as last measured by the index; None where there was none, or one was cut off."""
    since = index - lesions.baseline_days * _DAY
    days = list(_days(lesions, [event for event in record.events if since <= event.time <= index]))
    return days[-1] if days and days[-1].total > 0.0 and not days[-1].cut_off else None


def _days(lesions: Lesions, events: list[Event]) -> Iterator[_Measured]:
    """What was measured on each day (of UTC), in time order."""
    measured = (*lesions.codes, *lesions.node_codes)
    by_day: defaultdict[date, list[Event]] = defaultdict(list)
    for event in events:
        if event.number is not None and is_among(str(event.code), measured):
            by_day[event.time.date()].append(event)
    for _, own in sorted(by_day.items()):
        diameters: defaultdict[str, list[float]] = defaultdict(list)
        for event in own:
            diameters[str(event.code)].append(_millimetres(lesions, event))
        nodes = frozenset(code for code in diameters if is_among(code, lesions.node_codes))
        sizes = {code: tuple(each) for code, each in diameters.items()}
        yield _Measured(own[-1].time, sizes, nodes, any(event.comparator is not None for event in own))


def _millimetres(lesions: Lesions, event: Event) -> float:
    unit, number = event.unit or "", event.number or 0.0
    if unit == UNIT:
        return number
    if unit not in lesions.other_units:
        raise TaskError(
            "outcome.lesions",
            f"{event.code} was measured in {unit or 'no stated unit'}, not in {UNIT}",
            f'state the factor to {UNIT} in other_units: {{"{unit}": ..}}, or correct the source',
        )
    return number * lesions.other_units[unit]
