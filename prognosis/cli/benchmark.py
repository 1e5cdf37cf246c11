"""`prognosis benchmark`: our model and its peers on the same folds of real data sets."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.table import Table

from prognosis.cli.benchmark_report import LEADING, dataset_page, summary_page
from prognosis.cli.console import Bars, print_json, stderr, stdout
from prognosis.cli.loading import load_cohort
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Task
from prognosis.evaluation.apart import cross_validate_apart
from prognosis.evaluation.benchmark import run_benchmark as run_suite
from prognosis.evaluation.benchmark import write_results
from prognosis.evaluation.benchmark_file import Benchmark
from prognosis.evaluation.kept import Kept
from prognosis.evaluation.leaderboard import BenchmarkResult, Leaderboard
from prognosis.evaluation.running import Running
from prognosis.fusion import FusionModel, train_model
from prognosis.outputs.benchmark_page import write_dataset_page, write_summary_page

OURS = "prognosis"
KEPT = "predictions"


@dataclass(frozen=True, slots=True)
class Ours:
    """The model under test, with the settings of a task and a configuration.

    Attributes:
        config_path: The configuration; None for the defaults.
        stated: Its text, so that a run that was interrupted is not continued with other settings.
    """

    config_path: Path | None
    stated: str

    def __call__(self, cohort: Cohort) -> FusionModel:
        """Train on a cohort."""
        return train_model(cohort, model_config(self.config_path, [], cohort.task))


def run_benchmark(suite_path: Path, out: Path, config_path: Path | None, *, json_output: bool) -> None:
    """Run a suite, print its leaderboards, write results.json, a page for each data set and index.html."""
    suite = Benchmark.load(suite_path)
    tasks = [Task.load(each.task) for each in suite.data]
    for task in tasks:
        model_config(config_path, [], task)  # a mistake here is told now, not after the peers have run
    loaded = [load_cohort([each.source], task) for each, task in zip(suite.data, tasks, strict=True)]
    stated = config_path.read_text(encoding="utf-8") if config_path and config_path.is_file() else ""
    command = shlex.join(["prognosis", *sys.argv[1:]])
    with Bars() as bars:
        running = Running(
            command, partial(cross_validate_apart, minutes=suite.minutes), Kept(out / KEPT), bars
        )
        result = run_suite(
            suite, [each.cohort for each in loaded], {OURS: Ours(config_path, stated)}, running
        )
    path = write_results(result, out)
    created = datetime.now(tz=UTC).isoformat(timespec="seconds")
    for board, each in zip(result.leaderboards, loaded, strict=True):
        write_dataset_page(out / f"{board.task}.html", dataset_page(result, board, each, OURS, created))
    write_summary_page(out / "index.html", summary_page(result, OURS, created))
    if json_output:
        print_json(result.to_json())
    else:
        for board in result.leaderboards:
            print_board(board)
        print_ranks(result)
    stderr.print(f"wrote {path}, {out / 'index.html'} and a page for each data set", markup=False)


def print_board(board: Leaderboard) -> None:
    """One data set's leaderboard."""
    events = ", ".join(f"{count} {name}" for name, count in board.events.items())
    table = Table(title=f"{board.task} ({board.n} cases, {events})")
    for name in ("method", "Uno C", "Harrell C", "IBS", "fit s", "predict s", "peak MiB"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for entry in board.entries:
        metrics = entry.result.metrics
        cells = [
            f"{m.value:.3f} ({m.low:.3f}, {m.high:.3f})" if (m := metrics.get(name)) else ""
            for name in LEADING
        ]
        peak = "" if entry.peak_mib is None else f"{entry.peak_mib:.0f}"
        table.add_row(entry.name, *cells, f"{entry.fit_seconds:.1f}", f"{entry.predict_seconds:.2f}", peak)
    stdout.print(table)
    for name, reason in board.failed.items():
        stderr.print(f"{board.task}: {name} gave no predictions: {reason}", markup=False)


def print_ranks(result: BenchmarkResult) -> None:
    """Mean ranks over data sets, where there is more than one."""
    if len(result.leaderboards) < 2:
        return
    table = Table(title=f"mean rank over {len(result.leaderboards)} data sets (1 is best)")
    table.add_column("method")
    for name in LEADING.values():
        table.add_column(name, justify="right")
    ranks = {ranking.metric: ranking.mean_ranks for ranking in result.rankings}
    for name in sorted(ranks["uno_c"], key=lambda name: ranks["uno_c"][name]):
        cells = [f"{ranks[metric][name]:.2f}" if name in ranks[metric] else "" for metric in LEADING]
        table.add_row(name, *cells)
    stdout.print(table)
