"""What the exact explanation costs: additive-bilinear fusion beside what joins the same tokens freely.

`python -m benchmarks.price_of_exactness [--patients 300 2000] [--seeds 3] [--cache FOLDER] [--out FILE.json]`

For each size and seed one simulated cohort trains and another one is judged. The transformers read the very
tokens that the model adds up; late fusion and HAIM's way read modalities that were each fitted by itself, as
they would have them (`prognosis.evaluation.rivals`). What learns reads evidence of models that had not seen
the case; what is judged, the average of the fold models. Differences are of Uno's C and of the integrated
Brier score, for progression with death competing; pairs are formed within seeds, and an interval resamples
the judged patients of all seeds, the same for both methods. Evidence and tokens are kept in the cache, where
`benchmarks.simulated_truth` with the same sizes, seeds and settings finds them; a method's time is processor
time and begins where they are at hand, and with `--fit-only` nothing but they is made.
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

from benchmarks.simulated_inputs import Part, SimulatedRun, simulated_run
from prognosis.cli.demo import packaged
from prognosis.cohort import Task
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
from prognosis.fusion.likelihood import exposure_of
from prognosis.fusion.recalibration import recalibrate
from prognosis.simulate import Dials

EXACT = "additive-bilinear"
UNATTENDED = "transformer without attention"
METRICS = ("uno_c", "ibs")

Floats = NDArray[np.float64]
Predict = Callable[[Part, TokenTable, Floats], Floats]


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


def fit_exact(run: SimulatedRun) -> tuple[Predict, str]:
    """The model's own head, recalibrated by subset."""
    learned, exposure = run.training.inputs, exposure_of(run.training.target)
    found = fit_head(learned, exposure, run.config.fusion)
    head = recalibrate(found.head(), learned, exposure, np.ones(len(learned)))
    edges = run.training.target.edges
    note = "interaction kept" if found.strengths.size else "no interaction kept"
    return lambda asked, _, days: cumulative_incidence(head.log_hazard(asked.inputs), edges, days), note


def fit_late(run: SimulatedRun) -> tuple[Predict, str]:
    """One risk a modality, joined by logistic regression."""
    late = fit_late_fusion(run.training.alone, exposure_of(run.training.target))
    edges = run.training.target.edges
    return lambda asked, _, days: cumulative_incidence(late.log_hazard(asked.alone), edges, days), ""


def fit_haim_style(run: SimulatedRun) -> tuple[Predict, str]:
    """Embeddings read by XGBoost."""
    haim = fit_haim(run.training.alone, run.training.target, run.folds, run.config.seed)
    return lambda asked, _, days: haim.incidence(embeddings(asked.alone), days), ""


def fit_transformer(run: SimulatedRun, tokens: TokenTable, layers: int) -> tuple[Predict, str]:
    """Tokens read by self-attention, or, without a layer, only weighed by modality."""
    config = ChallengerConfig(layers=layers, seed=run.config.seed)
    found = train_challenger(tokens, exposure_of(run.training.target), run.folds, config)
    edges = run.training.target.edges

    def predict(_: Part, asked: TokenTable, days: Floats) -> Floats:
        return cumulative_incidence(found.log_hazard(asked), edges, days)

    return predict, f"stopped after {', '.join(str(epochs) for epochs in found.epochs)} passes"


def answers_of(run: SimulatedRun, days: Floats) -> dict[str, Answer]:
    """Every method on one run, which has its tokens."""
    if run.tokens is None:
        return {}
    learned, judged = run.tokens
    fits: dict[str, Callable[[], tuple[Predict, str]]] = {
        EXACT: lambda: fit_exact(run),
        LATE: lambda: fit_late(run),
        HAIM: lambda: fit_haim_style(run),
        TRANSFORMER: lambda: fit_transformer(run, learned, ChallengerConfig().layers),
        UNATTENDED: lambda: fit_transformer(run, learned, 0),
    }
    found = {}
    for name, fit in fits.items():
        started = time.process_time()
        predict, note = fit()
        fitted = time.process_time()
        incidence = predict(run.judged, judged, days)
        found[name] = Answer(incidence, fitted - started, time.process_time() - fitted, note)
        sys.stderr.write(f"  {name}: {found[name].fit_seconds:.1f} s; {note}\n")
    return found


def names_of(run: SimulatedRun) -> NDArray[np.str_]:
    """(n,) the judged patients of a run, unique over runs."""
    return np.array([f"{run.seed}/{patient}" for patient in run.judged.patients])


def judging_of(runs: Sequence[SimulatedRun], horizons: Sequence[float]) -> JudgingDays:
    """The days at which every seed is judged."""
    last = min(float(run.training.target.edges[-1]) for run in runs)
    first = runs[0].judged.target
    target = replace(
        first,
        cause=np.concatenate([run.judged.target.cause for run in runs]),
        days=np.concatenate([run.judged.target.days for run in runs]),
    )
    days = judging_days(target, [day for day in horizons if day <= last])
    return JudgingDays(days.horizons, min(days.tau, last), days.grid[days.grid <= last])


def metrics_of(
    runs: Sequence[SimulatedRun], answers: Sequence[Mapping[str, Answer]], name: str, judged: JudgingDays
) -> PreparedMetrics:
    """One method's metrics over all seeds."""
    parts = [
        HeldOut(found[name].incidence, judged.days, run.judged.target, run.training.target, names_of(run))
        for run, found in zip(runs, answers, strict=True)
    ]
    return prepare_survival(parts, judged)


def report(
    runs: Sequence[SimulatedRun],
    answers: Sequence[Mapping[str, Answer]],
    judged: JudgingDays,
    replicates: int,
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
    return {"judged": sum(len(names_of(run)) for run in runs), "methods": told}


def _by_seed(
    runs: Sequence[SimulatedRun], answers: Sequence[Mapping[str, Answer]], name: str, judged: JudgingDays
) -> dict[str, list[float]]:
    """The exact model's difference from a method in each seed by itself."""
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for run, answer in zip(runs, answers, strict=True):
        pair = [metrics_of([run], [answer], each, judged) for each in (EXACT, name)]
        for metric in METRICS:
            ones = np.ones((1, len(names_of(run))))
            ours, its = (float(one.statistics[metric](ones)[0]) for one in pair)
            found[metric].append(round(ours - its, 5))
    return found


def run_of(patients: int, seed: int, judged: int, cache: Path, settings: tuple[str, ...]) -> SimulatedRun:
    """One size and seed, with its tokens; what it cost to fit is told."""
    started = time.process_time()
    run = simulated_run(Dials(patients=patients), judged, seed, cache, settings, tokens=True)
    sys.stderr.write(f"{patients} patients, seed {seed}: at hand in {time.process_time() - started:.0f} s\n")
    return run


def main() -> None:
    """Run every size and print the tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--patients", type=int, nargs="+", default=[300, 2000])
    asked.add_argument("--judged", type=int, default=2000)
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--replicates", type=int, default=1000)
    asked.add_argument("--set", dest="settings", action="append", default=[])
    asked.add_argument("--fit-only", action="store_true", help="stop when evidence and tokens are kept")
    asked.add_argument("--cache", type=Path, default=Path("runs/price"))
    asked.add_argument("--out", type=Path)
    options = asked.parse_args()
    horizons = Task.load(packaged("tasks/simulated_progression.yaml")).horizons_days
    found: dict[str, Any] = {"seeds": options.seeds, "dials": asdict(Dials()), "sizes": {}}
    for patients in options.patients:
        known = options.judged, options.cache, tuple(options.settings)
        runs = [run_of(patients, seed, *known) for seed in range(options.seeds)]
        if options.fit_only:
            continue
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
