"""How much of what there was to know the fused model finds, on cohorts whose truth is known.

`python -m benchmarks.simulated_truth [--patients 2000] [--seeds 5] [--cache FOLDER] [--out FILE.json]`

For each seed a cohort trains and another one is judged, with an interaction planted between images and
clinical values and without one. C is Harrell's C of the log-hazard of progression averaged over time bins,
death censored: the same for a model and for an oracle. The observed oracle knows the planted parts of what
a record holds, the full one everything. Pairs are formed within seeds; intervals are 95% percentile
intervals over the judged patients of all seeds, so they say nothing of the chance of training.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.simulated_inputs import Part, SimulatedRun, simulated_run
from benchmarks.simulated_risks import (
    FULL,
    FUSED,
    LATE,
    OBSERVED,
    Calibrated,
    Floats,
    calibrated,
    parts_of,
    relearnt_risks,
    risks_of,
    train_head,
)
from benchmarks.simulated_statistics import clusters_over, concordance_over, slope_over
from prognosis.evaluation.interval_json import interval_json
from prognosis.evidence import MODALITIES
from prognosis.simulate import Dials
from prognosis.survival.bootstrap import clustered_bootstrap
from prognosis.survival.statistic import Statistic

REPLICATES = 1000
SETTINGS = {"interaction": Dials().interaction, "no interaction": 0.0}
HORIZON_DAYS = 365.0
LEAST_CASES = 50
JUDGED_PATIENTS = 2000


@dataclass(frozen=True, slots=True)
class Judged:
    """One seed's judged patients and what was said of them.

    Attributes:
        part: Who they are and what happened.
        risks: Method to (n,) risk; higher is worse.
        subsets: Subset of modalities to what its calibration is judged on.
        parts: Modality to what its evidence says of what was planted.
    """

    part: Part
    risks: Mapping[str, Floats]
    subsets: Mapping[str, Calibrated]
    parts: Mapping[str, Mapping[str, float]]


def judge(run: SimulatedRun, relearnt: Mapping[str, SimulatedRun]) -> Judged:
    """Fit the heads and ask every one of them about the judged patients.

    Args:
        run: The run.
        relearnt: Modality to the same run with it dealt to other training patients.
    """
    head = train_head(run, run.training.inputs)
    risks = risks_of(run, head)
    for name, other in relearnt.items():
        risks |= relearnt_risks(other, name)
    return Judged(run.judged, risks, calibrated(run, head, HORIZON_DAYS), parts_of(run, head))


def report(judged: Sequence[Judged], replicates: int) -> dict[str, Any]:
    """Every number over some seeds, each with its interval."""
    patients = np.concatenate([each.part.patients for each in judged])
    targets = [each.part.target for each in judged]
    found = {
        name: concordance_over(targets, [each.risks[name] for each in judged]) for name in judged[0].risks
    }

    def interval(statistic: Statistic) -> dict[str, float]:
        return interval_json(clustered_bootstrap(statistic, patients, replicates, 0))

    def share(method: str, oracle: str) -> dict[str, float]:
        def reached(weights: Floats) -> Floats:
            return (found[method](weights) - 0.5) / (found[oracle](weights) - 0.5)

        return interval(reached)

    def less(first: str, second: str) -> dict[str, float]:
        return interval(lambda weights: found[first](weights) - found[second](weights))

    names = judged[0].part.inputs.modalities
    c = {name: interval(statistic) for name, statistic in found.items()}
    best = max(names, key=lambda name: c[f"{name} alone"]["value"])
    return {
        "patients": len(patients),
        "c": c,
        "strongest_single": best,
        "share_of_observed_oracle": share(FUSED, OBSERVED),
        "late_fusion_share_of_observed_oracle": share(LATE, OBSERVED),
        "share_of_full_oracle": share(FUSED, FULL),
        "fused_less_strongest_single": less(FUSED, f"{best} alone"),
        "fused_less_late_fusion": less(FUSED, LATE),
        "gain": {name: _gains(name, less, set(found)) for name in names},
        "calibration_slope": _slopes(judged, replicates),
        "parts": _mean_parts(judged),
    }


def _gains(
    name: str, less: Callable[[str, str], dict[str, float]], methods: set[str]
) -> dict[str, dict[str, float]]:
    """What a modality adds, as it is and once its link to the patients is cut."""
    gains = {
        "as_it_is": less(FUSED, f"without {name}"),
        "judged_shuffled": less(f"{name} shuffled", f"without {name}"),
    }
    learnt = f"{name} learnt shuffled"
    if learnt in methods:
        gains["learnt_shuffled"] = less(learnt, f"without {name}, {learnt}")
    return gains


def _slopes(judged: Sequence[Judged], replicates: int) -> dict[str, dict[str, float]]:
    """The calibration slope in every subset of modalities, over all seeds; small subsets are left out."""
    found = {}
    for subset in judged[0].subsets:
        having = [each for each in judged if subset in each.subsets]
        seen = [each.subsets[subset] for each in having]
        cases = sum(len(each.rows) for each in seen)
        if cases >= LEAST_CASES:
            patients = clusters_over([each.part.patients for each in having], seen)
            slope = clustered_bootstrap(slope_over(seen), patients, replicates, 0)
            found[subset] = {"cases": cases, **interval_json(slope)}
    return found


def _mean_parts(judged: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Each modality's parts, averaged over seeds."""
    return {
        name: {key: float(np.mean([each.parts[name][key] for each in judged])) for key in own}
        for name, own in judged[0].parts.items()
    }


def told(name: str, found: Mapping[str, Any]) -> str:
    """A report in lines."""

    def line(what: str, value: Mapping[str, float], more: str = "") -> str:
        return f"  {what:44s} {value['value']:7.3f}  ({value['low']:.3f} to {value['high']:.3f}){more}"

    lines = [f"{name}: {found['patients']} judged patients, strongest single {found['strongest_single']}"]
    lines += [line(f"C, {method}", value) for method, value in found["c"].items()]
    lines += [line(key.replace("_", " "), found[key]) for key in found if "share" in key or "less" in key]
    for modality, gains in found["gain"].items():
        lines += [line(f"gain of {modality}, {how.replace('_', ' ')}", value) for how, value in gains.items()]
    for subset, value in found["calibration_slope"].items():
        lines.append(line(f"slope, {subset}", value, f"  {value['cases']} cases"))
    for modality, values in found["parts"].items():
        numbers = ", ".join(f"{key} {value:.3f}" for key, value in values.items())
        lines.append(f"  {modality}: {numbers}")
    return "\n".join(lines)


def main() -> None:
    """Simulate, train, judge, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=2000, help="of each training cohort")
    parser.add_argument("--judged", type=int, default=JUDGED_PATIENTS, help="patients of each judged cohort")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument(
        "--relearn", nargs="*", default=[], choices=MODALITIES, help="train once more with each shuffled"
    )
    parser.add_argument("--cache", type=Path, help="a folder for fitted evidence")
    parser.add_argument("--set", nargs="*", default=[], help="model settings, as section.field=value")
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--out", type=Path, help="write the numbers as JSON here")
    stated = parser.parse_args()
    numbers: dict[str, Any] = {
        "command": "python -m benchmarks.simulated_truth " + " ".join(sys.argv[1:]),
        "evidence": "simulation: a test of correctness, not clinical evidence",
        "calibration_horizon_days": HORIZON_DAYS,
    }
    for setting in stated.settings:
        dials = Dials(patients=stated.patients, interaction=SETTINGS[setting])
        judged: list[Judged] = []
        for seed in range(stated.seeds):
            settings = stated.judged, seed, stated.cache, tuple(stated.set)
            relearnt = {name: simulated_run(dials, *settings, name) for name in stated.relearn}
            judged.append(judge(simulated_run(dials, *settings), relearnt))
            each = report(judged[-1:], stated.replicates)
            numbers.setdefault(setting, {})[f"seed {seed}"] = each
            sys.stderr.write(told(f"{setting}, seed {seed}", each) + "\n")
        numbers[setting]["all seeds"] = report(judged, stated.replicates)
        print(told(f"{setting}, {stated.patients} patients, all seeds", numbers[setting]["all seeds"]))
        if stated.out is not None:
            stated.out.write_text(json.dumps(numbers, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
