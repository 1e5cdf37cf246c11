"""`prognosis simulate`: a cohort whose truth is known, as a source, and the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from prognosis.cli.console import Bars, print_json, stderr
from prognosis.cli.loading import report_quarantine
from prognosis.cli.settings import stated_settings
from prognosis.cli.sources import export_fhir_dicom, export_meds
from prognosis.errors import SourceError
from prognosis.record import PatientRecord, Quarantine
from prognosis.simulate import Dials, SimulatedCohort, oracle_concordance, simulate_cohort, write_oracle

FORMS = ("fhir-dicom", "meds")


def run_simulate(
    out: Path, patients: int, seed: int, settings: Sequence[str], to: str, *, json_output: bool
) -> None:
    """Write OUT/source, in the form asked for, and OUT/oracle, which no model may read."""
    dials = Dials.from_settings({"patients": patients, **stated_settings(settings)})
    if to not in FORMS:
        raise SourceError(f"--to {to}", "is not a form of export", f"use {' or '.join(FORMS)}")
    if out.exists() and any(out.iterdir()):
        raise SourceError(
            str(out), "is not empty, and two cohorts must not mix", "name a new or empty folder"
        )
    quarantine = Quarantine()
    with Bars() as bars:
        cohort = simulate_cohort(dials, seed, bars)
        written = _write(cohort.records, out / "source", to, quarantine, bars)
        write_oracle(cohort.oracle, out / "oracle")
    report_quarantine(quarantine)
    stated = {
        "evidence": "simulation: a test of correctness, not clinical evidence",
        "seed": seed,
        "dials": asdict(dials),
        "written": written,
        **_counted(cohort),
    }
    (out / "simulation.json").write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")
    if json_output:
        print_json(stated)
    counts = ", ".join(f"{count} {name}" for name, count in written.items())
    stderr.print(f"wrote {out / 'source'}: {counts}", markup=False, highlight=False)
    stderr.print(f"wrote {out / 'oracle'}: keep it away from every source", markup=False)


def _write(
    records: Sequence[PatientRecord],
    folder: Path,
    to: str,
    quarantine: Quarantine,
    on_progress: Callable[[str, int, int], None],
) -> dict[str, int]:
    if to == "meds":
        return export_meds(records, folder)
    return export_fhir_dicom(records, folder, quarantine, on_progress)


def _counted(cohort: SimulatedCohort) -> dict[str, object]:
    """What the dials came to in this cohort."""
    oracle = cohort.oracle
    reached = oracle_concordance(oracle)
    return {
        "events": {
            name: int(np.sum(oracle.cause == number))
            for number, name in enumerate(("censored", "progression", "death"))
        },
        "without_notes": int((~oracle.has_text).sum()),
        "without_films": int((~oracle.has_imaging).sum()),
        "oracle_c": asdict(reached),
    }
