"""What the exact explanation costs: additive-bilinear fusion beside what joins the same tokens freely.

`python -m benchmarks.price_of_exactness [--patients 300 2000] [--seeds 3] [--cache FOLDER] [--out FILE.json]`

For each size and seed one simulated cohort trains and another one is judged. Every method reads the same
evidence: out of fold where it learns, by the average of the fold models where it is judged. Differences are
of Uno's C and of the integrated Brier score, for progression with death competing; pairs are formed within
seeds, and an interval resamples the judged patients of all seeds, the same for both methods. Fitted tokens
are kept in the cache; a method's time is processor time and begins where they are at hand.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.price_tokens import Run, inputs_of, run_of, simulated_task
from prognosis.evaluation.comparison import compare
from prognosis.evaluation.haim import embeddings, fit_haim
from prognosis.evaluation.held_out import HeldOut, JudgingDays, judging_days
from prognosis.evaluation.interval_json import interval_json
from prognosis.evaluation.late_fusion import fit_late_fusion
from prognosis.evaluation.rivals import HAIM, LATE, TRANSFORMER
from prognosis.evaluation.survival_metrics import PreparedMetrics, prepare_survival
from prognosis.fusion.challenger import ChallengerConfig, TokenTable, train_challenger
from prognosis.fusion.fitting import fit_head
from prognosis.fusion.head import cumulative_incidence
from prognosis.fusion.inputs import FusionInputs
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.recalibration import recalibrate
from prognosis.simulate import Dials

EXACT = "additive-bilinear"
UNATTENDED = "transformer without attention"
METRICS = ("uno_c", "ibs")

Floats = NDArray[np.float64]
Predict = Callable[[FusionInputs, TokenTable, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method said of a run's judged cases, and its processor seconds.

    Attributes:
        incidence: (n, K, T).
        fit_seconds: From tokens at hand to a fitted method.
        predict_seconds: Of all judged cases, likewise.
        note: What the method says of itself.
    """

    incidence: Floats
    fit_seconds: float
    predict_seconds: float
    note: str


def fit_exact(run: Run, inputs: FusionInputs) -> tuple[Predict, str]:
    """The model's own head, recalibrated by subset."""
    exposure = exposure_of(run.learned_target)
    found = fit_head(inputs, exposure, run.config.fusion)
    head = recalibrate(found.head(), inputs, exposure, np.ones(len(inputs)))
    edges = run.learned_target.edges
    note = "interaction kept" if found.strengths.size else "no interaction kept"
    return lambda asked, _, days: cumulative_incidence(head.log_hazard(asked), edges, days), note


def fit_late(run: Run, inputs: FusionInputs) -> tuple[Predict, str]:
    """One risk a modality, joined by logistic regression."""
    late, edges = fit_late_fusion(inputs, exposure_of(run.learned_target)), run.learned_target.edges
    return lambda asked, _, days: cumulative_incidence(late.log_hazard(asked), edges, days), ""


def fit_haim_style(run: Run, inputs: FusionInputs) -> tuple[Predict, str]:
    """Embeddings read by XGBoost."""
    haim = fit_haim(inputs, run.learned_target, run.folds, run.config.seed)
    return lambda asked, _, days: haim.incidence(embeddings(asked), days), ""


def fit_transformer(run: Run, layers: int) -> tuple[Predict, str]:
    """Tokens read by self-attention, or, without a layer, only weighed by modality."""
    config = ChallengerConfig(layers=layers, seed=run.config.seed)
    found = train_challenger(run.learned, exposure_of(run.learned_target), run.folds, config)
    edges = run.learned_target.edges

    def predict(_: FusionInputs, asked: TokenTable, days: Floats) -> Floats:
        return cumulative_incidence(found.log_hazard(asked), edges, days)

    return predict, f"stopped after {', '.join(str(epochs) for epochs in found.epochs)} epochs"


def answers_of(run: Run, days: Floats) -> dict[str, Answer]:
    """Every method on one run."""
    learned, judged = inputs_of(run.learned), inputs_of(run.judged)
    fits: dict[str, Callable[[], tuple[Predict, str]]] = {
        EXACT: lambda: fit_exact(run, learned),
        LATE: lambda: fit_late(run, learned),
        HAIM: lambda: fit_haim_style(run, learned),
        TRANSFORMER: lambda: fit_transformer(run, ChallengerConfig().layers),
        UNATTENDED: lambda: fit_transformer(run, 0),
    }
    found = {}
    for name, fit in fits.items():
        started = time.process_time()
        predict, note = fit()
        fitted = time.process_time()
        incidence = predict(judged, run.judged, days)
        found[name] = Answer(incidence, fitted - started, time.process_time() - fitted, note)
        sys.stderr.write(f"  {name}: {found[name].fit_seconds:.1f} s; {note}\n")
    return found


def judging_of(runs: Sequence[Run], horizons: Sequence[float]) -> JudgingDays:
    """The days at which every seed is judged."""
    last = min(float(run.learned_target.edges[-1]) for run in runs)
    first = runs[0].judged_target
    target = replace(
        first,
        cause=np.concatenate([run.judged_target.cause for run in runs]),
        days=np.concatenate([run.judged_target.days for run in runs]),
    )
    days = judging_days(target, [day for day in horizons if day <= last])
    return JudgingDays(days.horizons, min(days.tau, last), days.grid[days.grid <= last])


def metrics_of(
    runs: Sequence[Run], answers: Sequence[Mapping[str, Answer]], name: str, judged: JudgingDays
) -> PreparedMetrics:
    """One method's metrics over all seeds."""
    parts = [
        HeldOut(found[name].incidence, judged.days, run.judged_target, run.learned_target, run.patients)
        for run, found in zip(runs, answers, strict=True)
    ]
    return prepare_survival(parts, judged)


def report(
    runs: Sequence[Run], answers: Sequence[Mapping[str, Answer]], judged: JudgingDays, replicates: int
) -> dict[str, Any]:
    """Every method's metrics, the exact model's differences from it, and its times."""
    methods = list(answers[0])
    every = {name: metrics_of(runs, answers, name, judged) for name in methods}
    told: dict[str, Any] = {}
    for name in methods:
        only = replace(every[name], statistics={key: every[name].statistics[key] for key in METRICS})
        told[name] = {
            **{key: interval_json(found) for key, found in only.bootstrap(replicates, 0).metrics.items()},
            "fit_seconds": [round(found[name].fit_seconds, 2) for found in answers],
            "predict_ms_a_case": [
                round(1e3 * found[name].predict_seconds / len(found[name].incidence), 4) for found in answers
            ],
            "notes": [found[name].note for found in answers],
        }
        if name != EXACT:
            gaps = compare(EXACT, name, every[EXACT], every[name], METRICS, 0, replicates)
            told[name]["exact_minus_it"] = {gap.metric: interval_json(gap.difference) for gap in gaps}
            told[name]["by_seed"] = _by_seed(runs, answers, name, judged)
    return {"judged": sum(len(run.patients) for run in runs), "methods": told}


def _by_seed(
    runs: Sequence[Run], answers: Sequence[Mapping[str, Answer]], name: str, judged: JudgingDays
) -> dict[str, list[float]]:
    """The exact model's difference from a method in each seed by itself."""
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for run, answer in zip(runs, answers, strict=True):
        pair = [metrics_of([run], [answer], each, judged) for each in (EXACT, name)]
        for metric in METRICS:
            ones = np.ones((1, len(run.patients)))
            ours, its = (float(one.statistics[metric](ones)[0]) for one in pair)
            found[metric].append(round(ours - its, 5))
    return found


def main() -> None:
    """Run every size and print the tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--patients", type=int, nargs="+", default=[300, 2000])
    asked.add_argument("--judged", type=int, default=1000)
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--replicates", type=int, default=1000)
    asked.add_argument("--set", dest="settings", action="append", default=[])
    asked.add_argument("--cache", type=Path, default=Path("runs/price"))
    asked.add_argument("--out", type=Path)
    options = asked.parse_args()
    horizons = simulated_task().horizons_days
    found: dict[str, Any] = {"seeds": options.seeds, "dials": asdict(Dials()), "sizes": {}}
    for patients in options.patients:
        runs = [
            run_of(patients, options.judged, seed, options.cache, options.settings)
            for seed in range(options.seeds)
        ]
        judged = judging_of(runs, horizons)
        answers = [answers_of(run, judged.days) for run in runs]
        found["sizes"][patients] = report(runs, answers, judged, options.replicates)
        sys.stdout.write(table(patients, options.seeds, found["sizes"][patients]))
        sys.stdout.flush()
        if options.out is not None:
            options.out.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def table(patients: int, seeds: int, found: Mapping[str, Any]) -> str:
    """One size as a Markdown table."""

    def cell(interval: Mapping[str, float], digits: int) -> str:
        value, low, high = (f"{interval[key]:.{digits}f}" for key in ("value", "low", "high"))
        return f"{value} ({low} to {high})"

    lines = [
        f"\n{patients} training patients, {seeds} seeds, {found['judged']} judged\n",
        "| method | Uno's C | IBS | exact minus it, C | exact minus it, IBS | fit, s | predict, ms a case |",
        "|--|--|--|--|--|--|--|",
    ]
    for name, own in found["methods"].items():
        gaps = own.get("exact_minus_it")
        fit, predict = np.median(own["fit_seconds"]), np.median(own["predict_ms_a_case"])
        cells = [name, cell(own["uno_c"], 3), cell(own["ibs"], 4)]
        cells += [cell(gaps["uno_c"], 3), cell(gaps["ibs"], 4)] if gaps else ["", ""]
        lines.append(f"| {' | '.join([*cells, f'{fit:.1f}', f'{predict:.2f}'])} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
