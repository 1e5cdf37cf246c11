"""A score is looked for under what is known of a record now, however often it is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prognosis.serve.metrics import Metrics
from prognosis.serve.reading import Chart
from prognosis.serve.scorer import Scorer
from prognosis.serve.state_folder import StateFolder
from tests.simulated import Simulated

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_fact_counts_from_the_moment_at_which_it_is_known(small: Simulated, tmp_path: Path) -> None:
    clock = [NOW]
    scorer = Scorer.open(small.model, StateFolder(tmp_path / "state"), Metrics(), lambda: clock[0])
    case = small.complete[0]
    admitted = tuple(
        replace(event, time=NOW + timedelta(hours=1)) if event.time == case.index_time else event
        for event in case.record.events
    )
    chart = Chart(replace(case.record, events=admitted))
    before = scorer.score(chart)
    assert scorer.kept(chart) == before
    clock[0] += timedelta(hours=2)
    assert scorer.kept(chart) is None
    after = scorer.score(chart)
    assert after.score.index_time == NOW + timedelta(hours=1)
    clock[0] -= timedelta(hours=2)
    found = scorer.kept(chart)
    assert found is not None
    assert found.score == before.score
