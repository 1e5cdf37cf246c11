"""`prognosis benchmark`: our model and its peers on the same folds of real data sets."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from prognosis.cli.benchmark_report import benchmark_page
from prognosis.cli.console import print_json, stderr, stdout
from prognosis.cli.loading import load_cohort
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Task
from prognosis.evaluation.benchmark import Benchmark, write_results
from prognosis.evaluation.benchmark import run_benchmark as run_suite
from prognosis.evaluation.leaderboard import Leaderboard
from prognosis.fusion import FusionModel, train_model
from prognosis.outputs.report import write_report

OURS = "prognosis"
SHOWN = ("uno_c", "harrell_c", "ibs")


def run_benchmark(suite_path: Path, out: Path, config_path: Path | None, *, json_output: bool) -> None:
    """Run a suite, print its leaderboards, write results.json and a page for each data set."""
    suite = Benchmark.load(suite_path)
    loaded = {each.source: load_cohort([each.source], Task.load(each.task)) for each in suite.data}
    cohorts = {source: found.cohort for source, found in loaded.items()}

    def fit(cohort: Cohort) -> FusionModel:
        return train_model(cohort, model_config(config_path, [], cohort.task))

    command = shlex.join(["prognosis", *sys.argv[1:]])
    result = run_suite(suite, cohorts, {OURS: fit}, command, lambda text: stderr.print(text, markup=False))
    path = write_results(result, out)
    created = datetime.now(tz=UTC).isoformat(timespec="seconds")
    for board in result.leaderboards:
        page = benchmark_page(result, board, loaded[board.source], OURS, created)
        write_report(out / f"{board.task}.html", page)
    if json_output:
        print_json(result.to_json())
    else:
        for board in result.leaderboards:
            print_board(board)
    stderr.print(f"wrote {path} and a page for each data set", markup=False)


def print_board(board: Leaderboard) -> None:
    """One data set's leaderboard."""
    events = ", ".join(f"{count} {name}" for name, count in board.events.items())
    table = Table(title=f"{board.task} ({board.n} cases, {events})")
    for name in ("method", "Uno C", "Harrell C", "IBS", "fit s", "predict s"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for entry in board.entries:
        metrics = entry.result.metrics
        cells = [
            f"{m.value:.3f} ({m.low:.3f}, {m.high:.3f})" if (m := metrics.get(name)) else "" for name in SHOWN
        ]
        table.add_row(entry.name, *cells, f"{entry.fit_seconds:.1f}", f"{entry.predict_seconds:.2f}")
    stdout.print(table)
    for name, reason in board.failed.items():
        stderr.print(f"{board.task}: {name} failed: {reason}", markup=False)
