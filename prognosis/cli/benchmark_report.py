"""One page for each data set of a benchmark: leaderboards, and the calibration of our model."""

from __future__ import annotations

from prognosis.cli.cards import LIMITS
from prognosis.cli.cohort_report import calibrations, cohort_table, estimate_of, measures, protocol_statement
from prognosis.cli.loading import Loaded
from prognosis.evaluation.leaderboard import BenchmarkResult, Entry
from prognosis.evaluation.leaderboard import Leaderboard as Results
from prognosis.outputs.report_content import Contender, Leaderboard, Report

SHOWN = (
    ("uno_c", "Uno's C", 0.5),
    ("harrell_c", "Harrell's C", 0.5),
    ("ibs", "integrated Brier score", None),
)


def benchmark_page(
    result: BenchmarkResult, board: Results, loaded: Loaded, ours: str, created: str
) -> Report:
    """One data set's page.

    Args:
        result: The whole benchmark.
        board: This data set's results.
        loaded: Its cohort.
        ours: The name of our method among the entries.
        created: ISO 8601.
    """
    own = next((entry for entry in board.entries if entry.name == ours), None)
    task = loaded.cohort.task
    return Report(
        title=f"{result.name}: {task.name}",
        question=task.question,
        evidence="real",
        evidence_statement=(
            f"{board.source}: {result.folds}-fold cross-validation by patient, the same folds for all. "
            f"{protocol_statement(board.protocol)}"
        ),
        model_id=f"{ours}, retrained on each fold",
        created=created,
        command=result.command,
        cohort=cohort_table(loaded.cohort, loaded.quarantine),
        measures=measures(own) if own else (),
        leaderboards=tuple(_leaderboard(board, ours, *shown) for shown in SHOWN),
        calibrations=calibrations(own) if own else (),
        intended_use="A comparison of methods on public data.",
        not_intended=("Decisions about care.",),
        limits=(*LIMITS, *(f"{name} gave no predictions: {why}" for name, why in board.failed.items())),
    )


def _leaderboard(board: Results, ours: str, metric: str, title: str, chance: float | None) -> Leaderboard:
    gains = {found.b: estimate_of(found.difference) for found in board.comparisons if found.metric == metric}

    def contender(entry: Entry) -> Contender:
        seconds = f"fit {entry.fit_seconds:.1f} s, predict {entry.predict_seconds:.2f} s"
        estimate = estimate_of(entry.result.metrics[metric])
        return Contender(
            entry.name, "ours" if entry.name == ours else "baseline", estimate, gains.get(entry.name), seconds
        )

    contenders = tuple(contender(entry) for entry in board.entries if metric in entry.result.metrics)
    return Leaderboard(
        title, chance, contenders, higher_is_better=metric != "ibs", protocol="pooled held-out folds"
    )
