"""FHIR dates and times as knowledge times.

A date without a time of day ("2020-03-01") is read as the END of that day, in UTC, and "2020-03" and
"2020" as the end of the month and year: a fact may have become known at any moment up to then, and
reading it as midnight would let a model at noon see what was learnt in the afternoon. A time of day
without an offset from UTC is refused (FHIR R4 datatypes, dateTime), as are years outside 1850 to 2250:
year 1 and year 9999 are placeholders, while de-identified records are shifted into the 2100s.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache

from connectors.fhir.mapping_fields import Json, element, string
from prognosis.errors import MappingError

EARLIEST_YEAR = 1850
LATEST_YEAR = 2250

_FORM = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?P<clock>T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?P<offset>Z|[+-]\d{2}:\d{2})?)?)?)?\Z",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A FHIR dateTime: the first and last instants it can mean (equal when it has a time of day)."""

    first: datetime
    last: datetime
    precision: str


class _NotAMomentError(ValueError):
    """Carries what is wrong with a dateTime, without its content."""


@lru_cache(maxsize=8192)
def _moment(text: str) -> Moment:
    form = _FORM.match(text)
    if form is None:
        message = "is not a FHIR dateTime"
        raise _NotAMomentError(message)
    year = int(form["year"])
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        message = f"lies outside the years {EARLIEST_YEAR} to {LATEST_YEAR}"
        raise _NotAMomentError(message)
    try:
        if form["clock"]:
            return _instant(text, offset=form["offset"])
        first_month, last_month = (int(form["month"]),) * 2 if form["month"] else (1, 12)
        first_day = last_day = int(form["day"] or 1)
        if not form["day"]:
            last_day = monthrange(year, last_month)[1]
        first = datetime.combine(date(year, first_month, first_day), time.min, UTC)
        last = datetime.combine(date(year, last_month, last_day), time.max, UTC)
    except _NotAMomentError:
        raise
    except ValueError as error:
        message = "names a day or time that does not exist"
        raise _NotAMomentError(message) from error
    return Moment(first, last, "day" if form["day"] else "month" if form["month"] else "year")


def _instant(text: str, *, offset: str | None) -> Moment:
    if offset is None:
        message = "has a time of day without an offset from UTC"
        raise _NotAMomentError(message)
    instant = datetime.fromisoformat(text).astimezone(UTC)
    return Moment(instant, instant, "instant")


def moment(node: Json, key: str, reference: str) -> Moment | None:
    """The dateTime, instant or date at `key`; None when it is absent.

    Raises:
        MappingError: It is malformed, does not exist in the calendar, or is implausibly far away.
    """
    text = string(node, key, reference)
    if text is None:
        return None
    try:
        return _moment(text)
    except _NotAMomentError as error:
        remedy = "send YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with an offset such as Z"
        raise MappingError(reference, f"{key} {error}", remedy) from error


def period_start(node: Json, key: str, reference: str) -> Moment | None:
    """The start of the Period at `key`, or its end where it has no start."""
    period = element(node, key, reference)
    if period is None:
        return None
    return moment(period, "start", reference) or moment(period, "end", reference)


def happened(resource: Json, stem: str, reference: str) -> Moment | None:
    """When something took place: `stem`DateTime, `stem`Instant or the start of `stem`Period."""
    key = f"{stem}DateTime"
    if key in resource:
        return moment(resource, key, reference)
    return moment(resource, f"{stem}Instant", reference) or period_start(resource, f"{stem}Period", reference)


def over(resource: Json, stem: str, reference: str) -> Moment | None:
    """When something that took time was over: the end of `stem`Period where it has one, else `happened`.

    What was found in a period (the urine of a day) cannot have been known before its end.
    """
    began = happened(resource, stem, reference)
    if f"{stem}DateTime" in resource or f"{stem}Instant" in resource:
        return began
    end = moment(element(resource, f"{stem}Period", reference) or {}, "end", reference)
    return began if began is None or end is None or end.last < began.last else end


def no_time(reference: str, wanted: str) -> MappingError:
    """The error of a resource that cannot be dated; a missing time never becomes now."""
    return MappingError(reference, "has no time", f"send {wanted}")
