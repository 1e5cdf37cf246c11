"""From a patient's record to a score that is kept: the one that is there, or a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prognosis.cohort import Case
from prognosis.fusion import FusionModel
from prognosis.prediction.asking import latest_case
from prognosis.record import PatientRecord
from prognosis.record.digest import record_digest
from prognosis.serve.answers import score_case
from prognosis.serve.metrics import Metrics
from prognosis.serve.pseudonyms import OURS, SiteKey
from prognosis.serve.reading import Chart
from prognosis.serve.scores import MOST_HELD, Kept, ScoreStore, Whose
from prognosis.serve.state_folder import StateFolder

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was known of a record for some time.

    Attributes:
        record: All of it.
        since: When this was found.
        until: When its next fact becomes known.
        case: The record as it is known.
        digest: Of that.
    """

    record: PatientRecord
    since: datetime
    until: datetime
    case: Case
    digest: str


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model and the store of what it made.

    Attributes:
        model: The model.
        key: Makes pseudonyms.
        scores: What was made.
        metrics: Counts.
        now: The time.
    """

    model: FusionModel
    key: SiteKey
    scores: ScoreStore
    metrics: Metrics
    now: Callable[[], datetime]
    _held: dict[str, _Known] = field(default_factory=dict, repr=False)

    @classmethod
    def open(
        cls, model: FusionModel, state: StateFolder, metrics: Metrics, now: Callable[[], datetime]
    ) -> Scorer:
        """A scorer on a service's folder; several processes may have one.

        Raises:
            ConfigError: The folder cannot be used.
        """
        state.made()
        return cls(model, SiteKey.of(state.key), ScoreStore(state.scores), metrics, now)

    def whose(self, record: PatientRecord, namespace: str = OURS) -> Whose:
        """The pseudonyms of a record's patient.

        Args:
            record: The patient's.
            namespace: `OURS`, or the address of the EHR's FHIR server: two people may have one id.
        """
        return Whose(
            self.key.patient(namespace, record.site, record.patient_id),
            self.key.anywhere(namespace, record.patient_id),
            self.key.birth(record.birth_date),
        )

    def kept(self, chart: Chart, namespace: str = OURS) -> Kept | None:
        """The score made of this very record as it is known now, if there is one.

        Raises:
            InputError: The record is empty.
        """
        case, digest = self._case(chart)
        who = self.whose(chart.record, namespace)
        found = self.scores.of_record(who.patient, self.model.model_id, digest)
        return found if found is not None and found.score.index_time == case.index_time else None

    def score(self, chart: Chart, namespace: str = OURS) -> Kept:
        """Make and keep the score of a record as it is known now, unless there is one.

        Raises:
            InputError: The record is empty.
        """
        found = self.kept(chart, namespace)
        if found is not None:
            return found
        case, digest = self._case(chart)
        score = score_case(self.model, case, digest)
        if chart.set_aside:
            told = f"{chart.set_aside} of the chart's resources could not be read and were not used"
            score = score.model_copy(update={"cautions": (*score.cautions, told)})
        self.metrics.scored("abstained" if score.abstained_because else "given")
        return self.scores.keep(score, self.whose(chart.record, namespace), self.now())

    def put_last(self, found: Kept) -> bool:
        """Have a score that was kept before be its patient's last one again; whether it was not.

        A record is what it was before when a wrong result is withdrawn. The score made of the error would
        else stay the last one, on every card and as fresh as the record.
        """
        last = self.scores.latest(found.whose.patient, found.score.model_id)
        if last is not None and last.digest == found.digest:
            return False
        self.scores.keep(found.score, found.whose, self.now())
        return True

    def _case(self, chart: Chart) -> tuple[Case, str]:
        """The case at the latest index that is not in the future, and its record's digest."""
        known = self._known(chart.record)
        digest = known.digest
        if chart.set_aside:
            digest = hashlib.sha256(f"{digest} without {chart.set_aside}".encode()).hexdigest()
        return known.case, digest

    def _known(self, record: PatientRecord) -> _Known:
        """What is known of a record now; found once for each record that a service holds.

        A record never changes, so this changes only when the time of one of its facts comes.
        """
        now = self.now()
        held = self._held.get(record.key)
        if held is not None and held.record is record and held.since <= now < held.until:
            return held
        case = latest_case(self.model.task, record.as_of(now))
        times = [fact.time for facts in (record.events, record.notes, record.studies) for fact in facts]
        until = min((time for time in times if time > now), default=_NEVER)
        found = _Known(record, now, until, case, record_digest(case.record))
        if len(self._held) >= MOST_HELD:
            self._held.clear()
        self._held[record.key] = found
        return found
