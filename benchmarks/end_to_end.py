"""Read-outs beside training end to end, on simulated cohorts: the table of docs/training.md.

`python -m benchmarks.end_to_end [--patients 1000] [--seed 0] [--judged 1000] [--out FILE.json]`

One cohort trains and another one is judged. The read-outs are fitted once; each way end to end goes on from
them, and its processor time is what it adds, reading films and notes once more among it. C is of progression
with death censored (Harrell) or competing (Uno); differences from the read-outs are paired, with intervals
over the judged patients. The likelihood is the mean over judged patients; lower is better.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prognosis.cli.demo import packaged
from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.evaluation.comparison import compare
from prognosis.evaluation.fold_metrics import judging_of
from prognosis.evaluation.interval_json import interval_json
from prognosis.evaluation.judging import Judged, held_out_fold
from prognosis.evaluation.survival_metrics import PreparedMetrics
from prognosis.fusion import ModelConfig
from prognosis.fusion.cross_fitting import CrossFitted, cross_fit
from prognosis.fusion.end_to_end import fit_end_to_end
from prognosis.fusion.likelihood import exposure_of, negative_log_likelihood
from prognosis.fusion.train import train_on
from prognosis.simulate import Dials, simulate_cohort

READ_OUTS = "read-outs"
WAYS = {
    READ_OUTS: (),
    "end to end": ("training.way=end_to_end",),
    "end to end, ranking 0.3": ("training.way=end_to_end", "training.ranking=0.3"),
}
METRICS = ("harrell_c", "uno_c", "ibs")
JUDGED_SEED = 1000
"""Added to a training cohort's seed to give the judged cohort's."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One way's model before the patients who did not train it.

    Attributes:
        fold: The model and the judged patients.
        seconds: Processor time that fitting the evidence took, beyond the read-outs' for other ways.
    """

    fold: Judged
    seconds: float


def trained(
    cohort: Cohort, judged: Cohort, settings: Sequence[str], start: CrossFitted | None
) -> tuple[CrossFitted, Trained]:
    """Train one way, from `start`'s read-outs where these are given."""
    config = model_config(packaged("models/default.yaml"), settings, cohort.task)
    began = time.process_time()
    evidence = cross_fit(cohort, config) if start is None else _further(cohort, config, start)
    spent = time.process_time() - began
    model = train_on(cohort, config, evidence)
    return evidence, Trained(held_out_fold(model, judged, cohort), spent)


def _further(cohort: Cohort, config: ModelConfig, start: CrossFitted) -> CrossFitted:
    names = tuple(start.fitted)
    fitted = fit_end_to_end(lambda: start.fitted, names, cohort, start.target, start.folds, config)
    return replace(start, fitted=fitted)


def report(ways: Mapping[str, Trained], replicates: int) -> dict[str, Any]:
    """Every way's metrics, its likelihood, its time, and its differences from the read-outs."""
    judging = judging_of([ways[READ_OUTS].fold], 0, replicates)
    prepared: dict[str, PreparedMetrics] = {}
    for name, way in ways.items():
        said = way.fold.model.incidence_of(way.fold.inputs, judging.days)
        every = judging.prepare([said], None)
        prepared[name] = replace(every, statistics={key: every.statistics[key] for key in METRICS})
    told: dict[str, Any] = {}
    for name, way in ways.items():
        fold = way.fold
        eta = fold.model.head.log_hazard(fold.inputs)
        gaps = (
            ()
            if name == READ_OUTS
            else compare(name, READ_OUTS, prepared[name], prepared[READ_OUTS], METRICS, 0, replicates)
        )
        told[name] = {
            **{
                key: interval_json(own)
                for key, own in prepared[name].bootstrap(replicates, 0).metrics.items()
            },
            "negative_log_likelihood": float(negative_log_likelihood(eta, exposure_of(fold.target)).mean()),
            "less_read_outs": {gap.metric: interval_json(gap.difference) for gap in gaps},
            "fit_seconds": round(way.seconds, 1),
        }
    return told


def table(found: Mapping[str, Any]) -> str:
    """The report as a Markdown table."""

    def cell(interval: Mapping[str, float] | None, digits: int, sign: str = "") -> str:
        if interval is None:
            return ""
        value, low, high = (f"{interval[key]:{sign}.{digits}f}" for key in ("value", "low", "high"))
        return f"{value} ({low} to {high})"

    lines = [
        "| way | Harrell's C | against read-outs | Uno's C | against read-outs | IBS | likelihood | fit, s |",
        "|--|--|--|--|--|--|--|--|",
    ]
    for name, own in found.items():
        gaps = own["less_read_outs"]
        cells = [name, cell(own["harrell_c"], 3), cell(gaps.get("harrell_c"), 4, "+")]
        cells += [cell(own["uno_c"], 3), cell(gaps.get("uno_c"), 4, "+"), cell(own["ibs"], 4)]
        cells += [f"{own['negative_log_likelihood']:.3f}", f"{own['fit_seconds']:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Simulate, train every way, judge, print and write."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--patients", type=int, default=1000)
    asked.add_argument("--judged", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--replicates", type=int, default=1000)
    asked.add_argument("--set", dest="settings", action="append", default=[])
    asked.add_argument("--out", type=Path)
    options = asked.parse_args()
    task = Task.load(packaged("tasks/simulated_progression.yaml"))
    sizes = {options.seed: options.patients, JUDGED_SEED + options.seed: options.judged}
    cohort, judged = (
        build_cohort(task, simulate_cohort(Dials(patients=count), seed).records)
        for seed, count in sizes.items()
    )
    start, ways = None, {}
    for name, settings in WAYS.items():
        evidence, ways[name] = trained(cohort, judged, [*settings, *options.settings], start)
        start = evidence if start is None else start
        sys.stderr.write(f"{name}: {ways[name].seconds:.0f} s\n")
    found = report(ways, options.replicates)
    sys.stdout.write(table(found))
    if options.out is not None:
        stated = {"patients": options.patients, "judged": options.judged, "seed": options.seed, "ways": found}
        options.out.write_text(json.dumps(stated, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
