"""How well a value that was planted in every modality is predicted, and its drivers told, beside the truth.

`python -m benchmarks.measured_truth [--patients N] [--judged N] [--set KEY=VALUE] [--out FILE]`

Each simulated patient is given one more result, 180 days after the index:

    value = 70 - 6 * (planted log-hazard of progression, the arm's part left out) + noise of spread 5

so that its expectation is known, of the whole record and of what the record holds. Nobody dies before it, and
it is there for everyone: what is judged is the model, not the choice of cases. One cohort trains, another is
judged. The share reached is the model's R2 over that of the oracle of what was observed; a driver's sums by
modality are held against the planted parts. It is a test of correctness and never clinical evidence.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from prognosis.cli.settings import model_config
from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.evaluation.interval_json import interval_json
from prognosis.evaluation.judging import evaluate_folds_of, held_out_fold
from prognosis.explanation import cohort_tokens, explain_tokens
from prognosis.fusion import FusionModel, train_model
from prognosis.record import Code, Event
from prognosis.record.patient import sorted_record
from prognosis.simulate import Dials, Oracle, simulate_cohort
from prognosis.simulate.chart import SIMULATE
from prognosis.survival.bootstrap import clustered_bootstrap
from prognosis.survival.measured import explained_share

ROOT = Path(__file__).resolve().parents[1]
CAUSE = "progression"
INDEX = "encounter-start|IMP"
DAYS, CENTRE, SLOPE, NOISE = 180.0, 70.0, -6.0, 5.0
FUNCTION = Code(SIMULATE, "lung-function")
JUDGED_SEED = 1000
REPLICATES = 1000


def measured_task() -> Task:
    """The demonstration's question, asked of the planted value."""
    path = ROOT / "configs" / "tasks" / "simulated_progression.yaml"
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    stated["name"] = "simulated_function"
    stated["screening"] = {"exclude_codes": [f"{SIMULATE}|disease-progression"]}
    stated["outcome"] = {
        "kind": "measurement",
        "name": "lung_function",
        "codes": [str(FUNCTION)],
        "unit": "%",
        "horizon_days": DAYS,
        "window_days": 30,
    }
    return Task.from_statement(stated, "simulated_function")


def planted_cohort(task: Task, patients: int, seed: int) -> tuple[Cohort, Oracle]:
    """A cohort whose every patient has the planted value, and what is known of it."""
    made = simulate_cohort(Dials(patients=patients), seed)
    parts = made.oracle.parts[CAUSE]
    random = np.random.default_rng([seed, 7])
    values = CENTRE + SLOPE * (parts.full() - parts.arm) + random.normal(0.0, NOISE, patients)
    records = []
    for record, value in zip(made.records, values, strict=True):
        index = next(event.time for event in record.events if str(event.code) == INDEX)
        known = record.as_of(index)
        time, source = index + timedelta(days=DAYS), f"Observation/{record.patient_id}-function"
        later = Event(time, FUNCTION, float(value), None, "%", source=source, display="lung function")
        records.append(sorted_record(replace(known, events=(*known.events, later))))
    cohort = build_cohort(task, records)
    return cohort, made.oracle


def oracle_shares(cohort: Cohort, oracle: Oracle) -> dict[str, Any]:
    """R2 of both oracles with its interval over patients."""
    parts = oracle.parts[CAUSE]
    values = np.array([case.label.value for case in cohort.cases])  # type: ignore[union-attr]
    everything = parts.full() - parts.arm
    seen = parts.observed(oracle.has_text, oracle.has_imaging) - parts.arm
    found = {}
    for name, known in (("full oracle", everything), ("observed oracle", seen)):
        residual = values - (CENTRE + SLOPE * known)
        share = explained_share(values, residual)
        found[name] = interval_json(clustered_bootstrap(share, cohort.patients, REPLICATES, 0))
    return found


def told_parts(model: FusionModel, cohort: Cohort, oracle: Oracle) -> dict[str, Any]:
    """Correlation of what each modality's drivers add with what was planted in it; the additivity error."""
    parts = oracle.parts[CAUSE]
    explained = [explain_tokens(model, known) for known in cohort_tokens(model, cohort.cases)]
    present = {"clinical": None, "text": oracle.has_text, "imaging": oracle.has_imaging}
    found: dict[str, Any] = {"largest additivity error": max(each.max_additivity_error for each in explained)}
    for name, here in present.items():
        rows = np.ones(len(explained), dtype=bool) if here is None else here
        told = np.array([each.by_modality().get(name, 0.0) for each in explained])
        true: NDArray[np.float64] = SLOPE * getattr(parts, name)
        found[name] = float(np.corrcoef(told[rows], true[rows])[0, 1])
    return found


def main(arguments: list[str]) -> None:
    """Train, judge, compare with the truth; print what matters and write all of it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=600)
    options.add_argument("--judged", type=int, default=1000)
    options.add_argument("--set", action="append", default=[], dest="settings")
    options.add_argument("--out", type=Path)
    asked = options.parse_args(arguments)
    task = measured_task()
    training, _ = planted_cohort(task, asked.patients, 0)
    judged, oracle = planted_cohort(task, asked.judged, JUDGED_SEED)
    config = model_config(None, asked.settings, task)
    model = train_model(training, config)
    result = evaluate_folds_of([held_out_fold(model, judged, training)], 0, REPLICATES).result
    truth = oracle_shares(judged, oracle)
    seen, ours = truth["observed oracle"]["value"], result.result.metrics["r2"].value
    found: dict[str, Any] = {
        "command": f"python -m benchmarks.measured_truth {' '.join(arguments)}".rstrip(),
        "oracle R2": truth,
        "share of the observed oracle's R2": ours / seen,
        "drivers and planted parts": told_parts(model, judged, oracle),
        "result": result.to_json(),
    }
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    found["result"] = found["result"]["metrics"]
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
