"""`prognosis demo`: the whole road once, offline, on a cohort whose truth is known."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from prognosis.cli.cards import bundle_card
from prognosis.cli.console import Bars, print_json, stderr
from prognosis.cli.demo_report import demo_report
from prognosis.cli.demo_truth import Truth, compare_with_truth
from prognosis.cli.loading import report_quarantine
from prognosis.cli.settings import model_config
from prognosis.cli.sources import export_fhir_dicom, read_records
from prognosis.cohort import Cohort, Task, build_cohort, cohort_target, held_out_rows
from prognosis.errors import SourceError
from prognosis.evaluation.judging import Evaluation, evaluate_folds_of, held_out_fold
from prognosis.evaluation.results import EvaluationResult
from prognosis.evaluation.singles import fit_singles
from prognosis.fusion import FusionModel, save_model
from prognosis.fusion.cross_fitting import cross_fit
from prognosis.fusion.train import train_on
from prognosis.outputs.model_card import model_card
from prognosis.outputs.report import write_report
from prognosis.record import Quarantine
from prognosis.simulate import Dials, Oracle, simulate_cohort, write_oracle

HELD_OUT_SHARE = 0.4
MARKER = "demo.json"


class Stopwatch:
    """Seconds spent in each named step, told on stderr as they end."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Time one step."""
        started = time.monotonic()
        stderr.print(f"[bold]{what}[/] ...")
        yield
        self.seconds[what] = round(time.monotonic() - started, 1)
        stderr.print(f"  {self.seconds[what]} s", highlight=False)


def run_demo(out: Path, patients: int, seed: int, *, json_output: bool) -> None:
    """Simulate, export as FHIR and DICOM, read back, train, judge against the truth, explain, report."""
    out = claim_folder(out)
    watch = Stopwatch()
    task = Task.load(packaged("tasks/simulated_progression.yaml"))
    config = model_config(packaged("models/default.yaml"), [], task)
    quarantine = Quarantine()
    with watch.step(f"simulate {patients} patients and write them as FHIR and DICOM"):
        oracle = write_source(out, Dials(patients=patients), seed, quarantine)
    with watch.step("read them back through the connectors"), Bars() as bars:
        uris = [f"fhir-folder:{out / 'source'}", f"dicom-folder:{out / 'source'}"]
        records = read_records(uris, task, quarantine, lambda uri, read: bars(uri.partition(":")[0], read, 0))
    report_quarantine(quarantine)
    cohort = build_cohort(task, records)
    target = cohort_target(cohort)
    apart = held_out_rows(cohort.patients, target.cause, HELD_OUT_SHARE, seed)
    training, judged = cohort.take(np.flatnonzero(~apart)), cohort.take(np.flatnonzero(apart))
    with watch.step(f"train on {len(training)} patients"), Bars() as bars:
        evidence = cross_fit(training, config, bars)
        model = train_on(training, config, evidence, bars)
    with watch.step(f"judge on {len(judged)} other patients"):
        singles = fit_singles(training, evidence, config.fusion)
        fold = held_out_fold(model, judged, training, singles)
        evaluation = evaluate_folds_of([fold], seed)
        truth = compare_with_truth(fold, oracle, seed)
    command = f"prognosis demo --out {out} --patients {patients} --seed {seed}"
    model = write_model(out / "model", model, training, quarantine, evaluation.result, command)
    with watch.step("write the report"):
        created = datetime.now(tz=UTC).isoformat(timespec="seconds")
        write_report(
            out / "report.html", demo_report(model, cohort, evaluation, truth, quarantine, command, created)
        )
    summary = {**summarise(evaluation, truth, model, watch), "command": command}
    (out / "summary.json").write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    tell(summary, out)
    if json_output:
        print_json(summary)


def claim_folder(out: Path) -> Path:
    """An empty folder; an earlier demo's is emptied, anything else is refused.

    Raises:
        SourceError: The folder holds something that no demo wrote.
    """
    if out.exists() and any(out.iterdir()):
        if not (out / MARKER).exists():
            raise SourceError(f"--out {out}", "holds files that no demo wrote", "name a new or empty folder")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text('{"written_by": "prognosis demo"}\n', encoding="utf-8")
    return out


def packaged(name: str) -> Path:
    """A configuration file that is installed with the package, or stands in the checkout."""
    installed = Path(str(resources.files("prognosis"))) / "configs" / name
    return installed if installed.exists() else Path(__file__).parents[2] / "configs" / name


def write_source(out: Path, dials: Dials, seed: int, quarantine: Quarantine) -> Oracle:
    """Simulate and export; the oracle stands outside of what is read back."""
    simulated = simulate_cohort(dials, seed)
    export_fhir_dicom(simulated.records, out / "source", quarantine)
    write_oracle(simulated.oracle, out / "oracle")
    return simulated.oracle


def write_model(
    folder: Path,
    model: FusionModel,
    training: Cohort,
    quarantine: Quarantine,
    judged: EvaluationResult,
    command: str,
) -> FusionModel:
    """Write the model with its card and its metrics; the model as it is named there."""
    judged_on = f"{judged.patients} patients held out"
    card = bundle_card(model, training, quarantine, "simulation", judged, judged_on, command)
    return save_model(model, folder, model_card(card), {"held_out": judged.to_json()})


def summarise(evaluation: Evaluation, truth: Truth, model: FusionModel, watch: Stopwatch) -> dict[str, Any]:
    """What the demo measured."""
    return {
        "evidence": "simulation: a test of correctness, not clinical evidence",
        "model_id": model.model_id,
        "trained_on": model.training.cases,
        "judged_on": len(evaluation.cohort),
        **truth.to_json(),
        "metrics": evaluation.result.to_json()["metrics"],
        "seconds": watch.seconds,
        "total_seconds": round(sum(watch.seconds.values()), 1),
    }


def tell(summary: dict[str, Any], out: Path) -> None:
    """The result in a few lines on stderr."""

    def shown(name: str) -> str:
        found = summary[name]
        return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"

    stderr.print(
        f"our C {shown('our_c')}; best single modality ({summary['best_single']}) {shown('best_single_c')}"
    )
    stderr.print(f"fused minus best single {shown('gain_over_best_single')}")
    stderr.print(
        f"oracle of what was observed {shown('observed_oracle_c')}; full oracle {shown('full_oracle_c')}"
    )
    stderr.print(f"share of the observed oracle's C - 0.5 reached: {summary['share_of_observed_oracle']:.2f}")
    stderr.print(f"planted causes among the top 5 drivers: {summary['planted_share_of_top_5']:.2f}")
    stderr.print(
        f"largest additivity error {summary['max_additivity_error']:.1e}; {summary['total_seconds']} s in all"
    )
    stderr.print(f"open {out / 'report.html'}")
