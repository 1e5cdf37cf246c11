"""A service in one piece: its model, where records come from, who may ask, and what it keeps."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prognosis.fusion import FusionModel
from prognosis.serve.audit import AuditLog
from prognosis.serve.auth.keys import Keys
from prognosis.serve.auth.seen import SeenTokens
from prognosis.serve.auth.tokens import TokenCheck
from prognosis.serve.egress import Egress
from prognosis.serve.metrics import Metrics
from prognosis.serve.pseudonyms import SiteKey
from prognosis.serve.reading import Charts, Records
from prognosis.serve.scorer import Scorer
from prognosis.serve.scores import ScoreStore
from prognosis.serve.settings import ServiceSettings
from prognosis.serve.state_folder import StateFolder
from prognosis.serve.turns import Turns

READERS = 4


@dataclass(slots=True)
class Service:
    """What answers.

    Attributes:
        settings: How it is set up.
        scorer: Makes and keeps scores, and has the model.
        records: The patients of its own sources.
        charts: Those of an EHR; None where it cannot read any.
        audit: What was answered.
        tokens: Who may ask; None where nobody is asked, on this machine only.
        scoring: The model's turn.
        reading: The turns of sources and tokens.
        metrics: Counts.
        now: The time.
        ready: Whether it takes requests for answers.
    """

    settings: ServiceSettings
    scorer: Scorer
    records: Records
    charts: Charts | None
    audit: AuditLog
    tokens: TokenCheck | None
    scoring: Turns
    reading: Turns
    metrics: Metrics
    now: Callable[[], datetime]
    ready: bool = True
    _lock: int | None = field(default=None, repr=False)

    @property
    def model(self) -> FusionModel:
        """What it answers with."""
        return self.scorer.model

    @property
    def key(self) -> SiteKey:
        """Makes pseudonyms."""
        return self.scorer.key

    @property
    def scores(self) -> ScoreStore:
        """What was made."""
        return self.scorer.scores

    @classmethod
    def open(
        cls,
        settings: ServiceSettings,
        model: FusionModel,
        records: Records,
        charts: Charts | None,
        state: StateFolder,
        now: Callable[[], datetime] = lambda: datetime.now(tz=UTC),
    ) -> Service:
        """A service on its folder of state, which no other may use meanwhile.

        Raises:
            ConfigError: The folder cannot be used, or another service uses it.
            AuditError: The audit in it is not what was written.
        """
        state.made()
        lock = state.locked()
        metrics = Metrics()
        scorer = Scorer.open(model, state, metrics, now)
        tokens = None
        if settings.clients:
            jkus = [client.jku for client in settings.clients if client.jku is not None]
            keys = Keys(Egress(jkus, settings.private_hosts).get)
            tokens = TokenCheck(settings, keys, SeenTokens(state.tokens))
        return cls(
            settings=settings,
            scorer=scorer,
            records=records,
            charts=charts,
            audit=AuditLog(state.audit, state.audit_head, scorer.key),
            tokens=tokens,
            scoring=Turns("model", 1, settings.waiting),
            reading=Turns("reading", READERS, 4 * settings.waiting),
            metrics=metrics,
            now=now,
            _lock=lock,
        )

    def close(self) -> None:
        """End what runs, write what waits, and let another use the folder."""
        self.ready = False
        self.scoring.close()
        self.reading.close()
        self.audit.close()
        self.scores.close()
        if self.tokens is not None:
            self.tokens.seen.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
