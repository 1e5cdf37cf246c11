"""Whether arms are compared rightly where films and notes, too, chose them: cohorts whose truth is known.

`python -m benchmarks.simulated_treatment [--patients 5000] [--seeds 5] [--cache FOLDER] [--out FILE.json]`

For each seed an effect is planted that is none, constant, larger by image or larger by note; the arm is
chosen by clinical values, lesions and a finding. Numbers are days of two years that progression does not
take. Beside the joined model stands the same estimate from clinical values alone. Intervals over seeds are
of the t distribution; one seed has none.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from benchmarks.shared_films import shared_films
from benchmarks.simulated_arms import ARM, EFFECTS, METHODS, REFERENCE, SETTINGS, ArmRun, Asked, arm_run
from prognosis.treatment import policy_value, ranking_value

LEVEL = 0.95
JUDGED_PATIENTS = 200


def judged(run: ArmRun) -> dict[str, float]:
    """Every number of one run."""
    true = run.truth[:, 1] - run.truth[:, 0]
    told = run.worth[:, 1] - run.worth[:, 0]
    ranked = ranking_value(told, run.scores[:, 1] - run.scores[:, 0], run.patients)
    policy = policy_value(run.scores, run.rule, (REFERENCE, ARM), run.patients).least_gain
    own = run.truth[np.arange(len(run.rule)), run.rule].mean() - run.truth.mean(axis=0).max()
    best = run.truth.max(axis=1).mean() - run.truth.mean(axis=0).max()
    value, low, high = run.judged.T
    fresh = run.judged_truth[:, 1] - run.judged_truth[:, 0]
    return {
        "true_average": float(true.mean()),
        "naive_bias": float(run.naive[0] - true.mean()),
        "bias": float(run.average[0] - true.mean()),
        "bias_with_oracle": float(run.by_oracle[0] - true.mean()),
        "bias_beyond_oracle": float(run.average[0] - run.by_oracle[0]),
        "average_covered": float(run.average[1] <= true.mean() <= run.average[2]),
        "outside_overlap": float(run.overlap[0]),
        "qini": ranked.qini.value,
        "qini_found": float(ranked.qini.low > 0.0),
        "autoc": ranked.autoc.value,
        "autoc_found": float(ranked.autoc.low > 0.0),
        "policy_departs": float((run.rule != np.bincount(run.rule).argmax()).mean()),
        "policy_gain_estimated": policy.value,
        "policy_gain_true": float(own),
        "policy_gain_possible": float(best),
        "individual_error": float(np.sqrt(np.mean((value - fresh) ** 2))),
        "individual_error_of_true_average": float(fresh.std()),
        "individual_covered": float(((low <= fresh) & (fresh <= high)).mean()),
        "seconds": float(run.seconds[0]),
    }


def over_seeds(found: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    """Each number's mean over seeds, with its interval and the relative bias of the average."""
    told = {}
    for name in found[0]:
        values = np.array([each[name] for each in found])
        told[name] = _interval(values)
    return told


def _interval(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | None]:
    mean = float(values.mean())
    if len(values) < 2:
        return {"value": mean, "low": None, "high": None}
    reach = float(student.ppf(0.5 + LEVEL / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return {"value": mean, "low": mean - reach, "high": mean + reach}


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The report as lines: a column for each effect and method."""
    columns = [(effect, method) for effect, own in found.items() for method in own]
    lines = ["| | " + " | ".join(f"{effect}, {method}" for effect, method in columns) + " |"]
    lines.append("|--|" + "--|" * len(columns))
    for name in next(iter(next(iter(found.values())).values()))["over_seeds"]:
        cells = [_cell(found[effect][method]["over_seeds"][name]) for effect, method in columns]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(value: Mapping[str, float | None]) -> str:
    if value["low"] is None or value["low"] == value["high"]:
        return f"{value['value']:.2f}"
    return f"{value['value']:.2f} ({value['low']:.2f} to {value['high']:.2f})"


def main() -> None:
    """Simulate, compare, print and write; what is kept in the cache is not made again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=5000)
    parser.add_argument("--judged", type=int, default=JUDGED_PATIENTS, help="fresh patients of each seed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--settings", nargs="+", choices=list(EFFECTS), default=list(EFFECTS))
    parser.add_argument("--cache", type=Path, help="a folder for what was made of each cohort")
    parser.add_argument("--set", nargs="*", default=[], help="model settings, as section.field=value")
    parser.add_argument("--out", type=Path, help="write the numbers as JSON here")
    stated = parser.parse_args()
    runs: dict[str, dict[str, list[dict[str, float]]]] = {
        effect: {method: [] for method in METHODS} for effect in stated.settings
    }
    for seed in range(stated.seeds):
        with shared_films():
            for effect, by_method in runs.items():
                for method, own in by_method.items():
                    asked = Asked(stated.patients, stated.judged, seed, effect, method, tuple(stated.set))
                    own.append(judged(arm_run(asked, stated.cache)))
                    sys.stderr.write(f"{json.dumps(own[-1])}\n")
        found = {
            effect: {m: {"seeds": own, "over_seeds": over_seeds(own)} for m, own in by.items()}
            for effect, by in runs.items()
        }
        if stated.out is not None:
            _write(stated.out, found, stated.patients)
    print(table(found))


def _write(out: Path, found: Mapping[str, Any], patients: int) -> None:
    numbers = {
        "command": "python -m benchmarks.simulated_treatment " + " ".join(sys.argv[1:]),
        "evidence": "simulation: a test of correctness, not clinical evidence",
        "patients": patients,
        "model_settings": SETTINGS,
        "effects": found,
    }
    out.write_text(json.dumps(numbers, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
