"""How often held-out patients stay free of an event for as long as their lower bound says, on real cohorts.

    python -m benchmarks.conformal_coverage configs/benchmarks/survival.yaml --out results/coverage.json

Each cohort of the benchmark file with enough cases is cross-validated by patient with the real training. The
table gives, for every event and level, the coverage estimated by inverse probability of censoring, its
standard error over resampled patients, and how many standard errors the coverage lies from the level. A bound
that could not be later because follow-up ends covers more often than its level: "limited" is the share of
such bounds.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from prognosis.cli.loading import load_cohort
from prognosis.cohort import Cohort, Task
from prognosis.evaluation.judging import Judged
from prognosis.evaluation.judging_bounds import bounded_cases, joined_cases
from prognosis.evaluation.retraining import cross_validated_folds
from prognosis.fusion import ModelConfig
from prognosis.survival.bootstrap import replicate_values
from prognosis.survival.statistic import once

LEVELS = (0.8, 0.9, 0.95)
REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One event and level of one cohort."""

    task: str
    event: str
    level: float
    n: int
    coverage: float
    standard_error: float
    mean_days: float
    marginal_days: float
    limited: float

    @property
    def distance(self) -> float | None:
        """Standard errors from the level, positive is conservative; None where nobody was missed."""
        return (self.coverage - self.level) / self.standard_error if self.standard_error else None


def main() -> None:
    """Judge every cohort that is large enough, and print as it goes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("--only", action="append", help="the name of a task; repeat it for several")
    parser.add_argument("--least-cases", type=int, default=500)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    stated = parser.parse_args()
    rows: list[Row] = []
    print(f"{'task':12} {'free of':16} level coverage     SE  from level     n  days / marginal  limited")
    for each in yaml.safe_load(stated.benchmark.read_text(encoding="utf-8"))["data"]:
        path = stated.benchmark.parent / each["task"]
        if stated.only and path.stem not in stated.only:
            continue
        cohort = load_cohort([each["source"]], Task.load(path)).cohort
        if len(cohort) < stated.least_cases:
            continue
        started = time.perf_counter()
        found = judge(cohort, stated.folds, stated.seed)
        for row in found:
            print(in_words(row), flush=True)
        print(f"{path.stem}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
        rows += found
        if stated.out is not None:
            stated.out.parent.mkdir(parents=True, exist_ok=True)
            command = shlex.join(["python", "-m", "benchmarks.conformal_coverage", *sys.argv[1:]])
            written = {"command": command, "rows": [{**asdict(r), "distance": r.distance} for r in rows]}
            stated.out.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def judge(cohort: Cohort, folds: int, seed: int) -> list[Row]:
    """Cross-validate one cohort, and judge every bound of its models."""
    config = ModelConfig.from_statement(cohort.task.model, cohort.task.name)
    judged = cross_validated_folds(cohort, config, folds, seed)
    return [
        _row(cohort.task.name, judged, event, level, seed)
        for event in judged[0].model.bounds
        for level in LEVELS
    ]


def _row(task: str, judged: list[Judged], event: str, level: float, seed: int) -> Row:
    cases = joined_cases([bounded_cases(fold, event, level) for fold in judged])
    last = np.concatenate([np.full(len(fold.cohort), fold.model.bounds[event].last_day) for fold in judged])
    drawn = replicate_values(cases.coverage(), cases.clusters, REPLICATES, seed)
    return Row(
        task=task,
        event=event,
        level=level,
        n=len(cases.days),
        coverage=float(cases.coverage()(once(len(cases.days)))[0]),
        standard_error=float(drawn.std(ddof=1)),
        mean_days=float(cases.days.mean()),
        marginal_days=float(cases.marginal_days.mean()),
        limited=float((cases.days >= last).mean()),
    )


def in_words(row: Row) -> str:
    """A line of the table."""
    distance = "" if row.distance is None else f"{row.distance:+.2f}"
    length = f"{row.mean_days:7.0f} / {row.marginal_days:6.0f}"
    return (
        f"{row.task:12} {row.event:16} {row.level:5.2f}   {row.coverage:.3f} {row.standard_error:8.4f} "
        f"{distance:>9} {row.n:7d} {length} {row.limited:8.2f}"
    )


if __name__ == "__main__":
    main()
