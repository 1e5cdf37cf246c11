"""What a missing modality costs: each one taken from 0 to 100% of the patients of a simulation.

`python -m benchmarks.missingness [--patients 2000] [--seeds 5] [--cache FOLDER] [--out FILE] [--plot FILE]`

Trained as in `benchmarks.simulated_truth`, on cohorts in which notes and films are absent in three patients
in ten. A modality is then taken from a growing share of the judged patients who have it: at random, or not
at random, the chance of losing it falling with the planted log-hazard. Who has lost it at one share has lost
it at every larger one. In the third sweep it is taken at random from the training patients instead, and the
head is fitted again on the evidence that is left; at 100% nobody has it on either side.

C is Harrell's, pairs within seeds, death censored, beside the best single of the other modalities: one that
was fitted by itself, on the same patients. The slope is of the log-odds of progression within 365 days.
Intervals are 95% percentile intervals over the judged patients.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.missingness_plot import plot
from benchmarks.simulated_inputs import SimulatedRun, simulated_run
from benchmarks.simulated_risks import CAUSE, Calibrated, Floats, risk, seen_at, singles_of, train_head
from benchmarks.simulated_statistics import clusters_over, concordance_over, slope_over
from prognosis.evaluation.interval_json import interval_json
from prognosis.fusion.head import HazardHead
from prognosis.fusion.inputs import FusionInputs
from prognosis.simulate import Dials, Oracle
from prognosis.simulate.standard import standardised
from prognosis.survival.bootstrap import clustered_bootstrap, paired_difference
from prognosis.survival.statistic import once

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
ALLOWED = 0.01
HORIZON_DAYS = 365.0
LOG_ODDS = -1.5
"""Of losing a modality for one standard deviation more of the log-hazard; the default dials have -0.4."""
AT_RANDOM, NOT_AT_RANDOM, IN_TRAINING = "at random", "not at random", "at random, in training"
SWEEPS = (AT_RANDOM, NOT_AT_RANDOM, IN_TRAINING)


@dataclass(frozen=True, slots=True)
class Point:
    """One run's judged patients at one share.

    Attributes:
        fused: (n,) risk from what is left.
        oracle: (n,) planted log-hazard of what is left.
        seen: Predicted risks by the horizon.
    """

    fused: Floats
    oracle: Floats
    seen: Calibrated


def losing(
    inputs: FusionInputs, oracle: Oracle, name: str, share: float, seed: int, *, log_odds: float
) -> NDArray[np.bool_]:
    """(n,) True for the share of those who have a modality that lose it.

    Args:
        inputs: Who has what.
        oracle: Of the same patients.
        name: The modality.
        share: 0 to 1.
        seed: Of the draw; the same for every share, so that losses are nested.
        log_odds: Of losing it, for one standard deviation more of the planted log-hazard; 0, at random.
    """
    chance = np.random.default_rng([seed, 7]).random(len(inputs))
    key = np.log(chance) - np.log1p(-chance) - log_odds * standardised(oracle.full(CAUSE))
    having = np.flatnonzero(inputs.present[:, inputs.modalities.index(name)])
    first = having[np.argsort(key[having])][: round(share * len(having))]
    lost = np.zeros(len(inputs), dtype=bool)
    lost[first] = True
    return lost


def taken(inputs: FusionInputs, name: str, lost: NDArray[np.bool_]) -> FusionInputs:
    """The inputs after some patients have lost a modality."""
    place = inputs.modalities.index(name)
    present, distance = inputs.present.copy(), inputs.distance.copy()
    present[lost, place], distance[lost, place] = False, 0.0

    def without(each: tuple[Floats, ...]) -> tuple[Floats, ...]:
        masked = each[place].copy()
        masked[lost] = 0.0
        return (*each[:place], masked, *each[place + 1 :])

    return replace(
        inputs,
        present=present,
        distance=distance,
        evidence=without(inputs.evidence),
        vectors=without(inputs.vectors),
    )


def what_is_left(oracle: Oracle, inputs: FusionInputs) -> Floats:
    """(n,) the planted log-hazard of what each record still holds."""
    truth = oracle.parts[CAUSE]
    clinical, text, imaging = (
        inputs.present[:, inputs.modalities.index(name)] for name in ("clinical", "text", "imaging")
    )
    return (
        clinical * (truth.clinical + truth.arm)
        + text * truth.text
        + imaging * truth.imaging
        + clinical * imaging * truth.interaction
    )


def point(run: SimulatedRun, head: HazardHead, sweep: str, name: str, share: float) -> Point:
    """Take a modality from a share of a run's patients and ask the model about the judged ones."""
    judged, learnt = run.judged, run.training
    log_odds = LOG_ODDS if sweep == NOT_AT_RANDOM else 0.0
    inputs = judged.inputs
    if sweep == IN_TRAINING and 0.0 < share < 1.0:
        lost = losing(learnt.inputs, learnt.oracle, name, share, run.seed, log_odds=log_odds)
        head = train_head(run, taken(learnt.inputs, name, lost))
    elif sweep != IN_TRAINING or share == 1.0:
        lost = losing(inputs, judged.oracle, name, share, run.seed, log_odds=log_odds)
        inputs = taken(inputs, name, lost)
    return Point(
        risk(head, inputs),
        what_is_left(judged.oracle, inputs),
        seen_at(run, head, inputs, np.arange(len(inputs)), HORIZON_DAYS),
    )


def summarised(
    runs: Sequence[SimulatedRun],
    points: Sequence[Point],
    others: Sequence[Mapping[str, Floats]],
    replicates: int,
) -> dict[str, Any]:
    """The numbers of one share over all runs.

    Args:
        runs: The runs.
        points: What the model said in each.
        others: Each run's (n,) risks from single modalities, without the one that is taken away.
        replicates: Bootstrap samples.
    """
    targets = [run.judged.target for run in runs]
    patients = [run.judged.patients for run in runs]
    together = np.concatenate(patients)
    fused = concordance_over(targets, [each.fused for each in points])
    singles = {name: concordance_over(targets, [each[name] for each in others]) for name in others[0]}
    best = max(singles, key=lambda name: float(singles[name](once(len(together)))[0]))
    oracle = concordance_over(targets, [each.oracle for each in points])
    seen = [each.seen for each in points]
    slope = clustered_bootstrap(slope_over(seen), clusters_over(patients, seen), replicates, 0)
    return {
        "c": interval_json(clustered_bootstrap(fused, together, replicates, 0)),
        "oracle_c": interval_json(clustered_bootstrap(oracle, together, replicates, 0)),
        "best_remaining_single": best,
        "single_c": interval_json(clustered_bootstrap(singles[best], together, replicates, 0)),
        "less_single": interval_json(paired_difference(fused, singles[best], together, replicates, 0)),
        "calibration_slope": interval_json(slope),
    }


def main() -> None:
    """Simulate, train, take away, judge, print, write and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=2000, help="of each training cohort")
    parser.add_argument("--judged", type=int, default=2000, help="patients of each judged cohort")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sweeps", nargs="+", choices=SWEEPS, default=list(SWEEPS))
    parser.add_argument("--cache", type=Path, help="a folder for fitted evidence")
    parser.add_argument("--set", nargs="*", default=[], help="model settings, as section.field=value")
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--out", type=Path, help="write the numbers as JSON here")
    parser.add_argument("--plot", type=Path, help="draw the curves here")
    stated = parser.parse_args()
    dials = Dials(patients=stated.patients)
    runs = [
        simulated_run(dials, stated.judged, seed, stated.cache, tuple(stated.set))
        for seed in range(stated.seeds)
    ]
    heads = [train_head(run, run.training.inputs) for run in runs]
    singles = [singles_of(run) for run in runs]
    numbers: dict[str, Any] = {}
    for sweep in stated.sweeps:
        for name in runs[0].judged.inputs.modalities:
            others = [{other: own for other, own in each.items() if other != name} for each in singles]
            for share in SHARES:
                points = [point(run, head, sweep, name, share) for run, head in zip(runs, heads, strict=True)]
                found = summarised(runs, points, others, stated.replicates)
                numbers.setdefault(sweep, {}).setdefault(name, {})[f"{share:.1f}"] = found
                print(line(sweep, name, share, found), flush=True)
    below = [
        found["less_single"]["value"]
        for by_name in numbers.values()
        for by_share in by_name.values()
        for found in by_share.values()
    ]
    print(f"lowest difference to the best remaining single {min(below):.3f}; allowed {-ALLOWED}")
    if stated.out is not None:
        command = "python -m benchmarks.missingness " + " ".join(sys.argv[1:])
        written = {"command": command, "lowest_less_single": min(below), "sweeps": numbers}
        stated.out.write_text(json.dumps(written, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if stated.plot is not None:
        plot(numbers, stated.plot)


def line(sweep: str, name: str, share: float, found: dict[str, Any]) -> str:
    """One share in words."""

    def shown(value: dict[str, float]) -> str:
        return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"

    return (
        f"{name} taken {sweep} from {share:4.0%}: C {shown(found['c'])}, "
        f"less {found['best_remaining_single']} alone {shown(found['less_single'])}, "
        f"slope {shown(found['calibration_slope'])}, oracle {found['oracle_c']['value']:.3f}"
    )


if __name__ == "__main__":
    main()
