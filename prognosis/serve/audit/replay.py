"""Answers of the audit, made again from the sources."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from prognosis.cohort import Case
from prognosis.fusion import FusionModel
from prognosis.record import PatientRecord
from prognosis.record.digest import record_digest
from prognosis.serve.answers import Score, score_case
from prognosis.serve.audit.entry import Entry
from prognosis.serve.audit.log import open_audit
from prognosis.serve.pseudonyms import OURS, SiteKey
from prognosis.serve.reading import Records
from prognosis.serve.scores import ScoreStore

LARGEST_DIFFERENCE = 1e-6


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it.

    Attributes:
        entries: With a score.
        scores: Different ones among them.
        same: Scores that came out the same to 1e-6.
        differing: Scores that did not; their entries are named by number, the first hundred.
        largest_difference: Of any probability or bound.
        other_model: Scores of another model.
        not_held: Scores whose patient is not in the sources, an EHR's own among them.
        record_changed: Scores whose record the sources no longer have as it was: a result was corrected.
    """

    entries: int
    scores: int
    same: int
    differing: tuple[int, ...]
    largest_difference: float
    other_model: int
    not_held: int
    record_changed: int


def replay_audit(
    path: Path, scores: ScoreStore, key: SiteKey, model: FusionModel, records: Records
) -> Replayed:
    """Score each patient again as the record was known at the index time, one at a time.

    Args:
        path: The audit; verify it first.
        scores: What was answered.
        key: The site's, by which patients are found again.
        model: To score with.
        records: The sources.
    """
    known = {key.patient(OURS, each.site, each.patient_id): each for each in records.held()}
    entries: dict[tuple[str, str], int] = {}
    count = 0
    with closing(open_audit(path, write=False)) as db:
        for number, text in db.execute("SELECT number, entry FROM audit ORDER BY number"):
            entry = Entry.read(number, text)
            if entry.score:
                count += 1
                entries.setdefault((entry.patient, entry.score), number)
    tally = {"same": 0, "other_model": 0, "not_held": 0, "record_changed": 0}
    differing: list[int] = []
    largest = 0.0
    for (patient, digest), number in entries.items():
        stated, record = scores.stated(digest), known.get(patient)
        outcome = _outcome(stated, record, model)
        if isinstance(outcome, str):
            tally[outcome] += 1
            continue
        largest = max(largest, outcome)
        if outcome <= LARGEST_DIFFERENCE:
            tally["same"] += 1
        else:
            differing.append(number)
    return Replayed(
        count, len(entries), differing=tuple(differing[:100]), largest_difference=largest, **tally
    )


def _outcome(stated: Score | None, record: PatientRecord | None, model: FusionModel) -> float | str:
    """The largest difference of a score made again, or why it cannot be."""
    if stated is None or record is None:
        return "not_held"
    if stated.model_id != model.model_id:
        return "other_model"
    known = record.as_of(stated.index_time)
    digest = record_digest(known)
    if digest != stated.record:
        return "record_changed"
    return difference(stated, score_case(model, Case(known, stated.index_time), digest))


def difference(one: Score, other: Score) -> float:
    """The largest difference of two scores' numbers; infinite where they tell of different things."""
    if bool(one.abstained_because) != bool(other.abstained_because):
        return float("inf")
    mine, theirs = _numbers(one), _numbers(other)
    if mine.keys() != theirs.keys():
        return float("inf")
    return max((abs(mine[name] - theirs[name]) for name in mine), default=0.0)


def _numbers(score: Score) -> dict[tuple[object, ...], float]:
    found: dict[tuple[object, ...], float] = {}
    for risk in score.risks:
        for end in ("probability", "low", "high"):
            found["risk", risk.cause, risk.days, end] = getattr(risk, end)
    for bound in score.free_for:
        found["free", bound.event, bound.level] = bound.days
    if score.measured is not None:
        found["value",] = score.measured.value
        for within in score.measured.intervals:
            found["low", within.level], found["high", within.level] = within.low, within.high
    for why in score.why:
        found["total", why.cause], found["base", why.cause] = why.total, why.base
    return found
