"""`prognosis cohort build | describe | export`; `check` has a file of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from prognosis.cli.arm_balance import arm_differences, arm_differences_json, print_arm_differences
from prognosis.cli.code_report import code_uses_json, print_code_uses
from prognosis.cli.console import Bars, print_json, stderr, stdout
from prognosis.cli.loading import Loaded, cohort_json, label_name, load_cohort, load_records
from prognosis.cli.sources import export_fhir_dicom, export_meds
from prognosis.cohort import Began, Case, FindingsLabel, MeasurementLabel, OfNoArm, SurvivalLabel, Task
from prognosis.cohort.code_uses import code_uses
from prognosis.errors import SourceError
from prognosis.record import Quarantine

DATED = SurvivalLabel, MeasurementLabel


def run_build(task_path: Path, sources: Sequence[str], out: Path, *, json_output: bool) -> None:
    """Write the selected patients' records (MEDS Parquet), their labels, and the flow of exclusions.

    The records are whole; a label's prediction_time says up to when each may be read.
    """
    loaded = load_cohort(sources, Task.load(task_path))
    selected = {case.record.key for case in loaded.cohort.cases}
    export_meds([record for record in loaded.records if record.key in selected], out / "records")
    write_labels(loaded, out / "labels.parquet")
    counts = cohort_json(loaded)
    (out / "cohort.json").write_text(json.dumps(counts, indent=1, default=str), encoding="utf-8")
    stderr.print(f"wrote {len(loaded.cohort)} cases to {out}", markup=False)
    if json_output:
        print_json(counts)


def write_labels(loaded: Loaded, path: Path) -> None:
    """Labels in MEDS form: subject, prediction_time, and duration_days with cause, findings or value."""
    import pandas as pd

    rows = [
        {
            "site": case.record.site,
            "patient_id": case.record.patient_id,
            "prediction_time": case.index_time,
            "duration_days": case.label.days if isinstance(case.label, DATED) else None,
            "cause": None if isinstance(case.label, FindingsLabel) else label_name(case.label),
            "arm": case.arm.arm if isinstance(case.arm, Began) else None,
            **({"of_no_arm": case.arm.reason} if isinstance(case.arm, OfNoArm) else {}),
            **_findings(case, loaded.cohort.task),
            **({"value": case.label.value} if isinstance(case.label, MeasurementLabel) else {}),
        }
        for case in loaded.cohort.cases
    ]
    pd.DataFrame(rows).to_parquet(path)


def _findings(case: Case, task: Task) -> dict[str, bool | None]:
    """A column for each finding: True, False, or None where it is not known."""
    if not isinstance(case.label, FindingsLabel):
        return {}
    return {f"finding {name}": case.label.state(name) for name in task.causes}


def run_describe(
    task_path: Path, sources: Sequence[str], *, codes: bool = False, json_output: bool = False
) -> None:
    """Print who is in the cohort, who was left out and how the arms' patients differ.

    With `codes`, also which codes and units are left aside.
    """
    loaded = load_cohort(sources, Task.load(task_path))
    differences = arm_differences(loaded.cohort)
    counts = cohort_json(loaded) | {"arm_differences": arm_differences_json(differences)}
    uses = code_uses(loaded.cohort.task, loaded.records) if codes else None
    told = (*counts["never_seen"].values(), *counts["arms_contradicted"])
    for problem in told:
        stderr.print(problem, style="yellow", markup=False, highlight=False)
    if json_output:
        print_json(counts if uses is None else counts | {"codes": code_uses_json(uses)})
        return
    table = Table(title=f"cohort of {counts['task']}")
    table.add_column("what")
    table.add_column("count", justify="right")
    for name in ("records", "cases", "patients", "with_clinical", "with_notes", "with_images"):
        table.add_row(name.replace("_", " "), str(counts[name]))
    for section in ("sites", "labels", "arms", "of_no_arm", "exclusions", "accepted"):
        for name, count in counts[section].items():
            table.add_row(escape(f"{section.replace('_', ' ')}: {name}"), str(count))
    for site, arms in counts["arms_by_site"].items() if len(counts["arms_by_site"]) > 1 else ():
        for name, count in arms.items():
            table.add_row(escape(f"arms at {site}: {name}"), str(count))
    table.add_row("set aside", str(len(counts["quarantined"])))
    stdout.print(table)
    if differences and loaded.cohort.task.treatment is not None:
        print_arm_differences(differences, loaded.cohort.task.treatment.names[0])
    if uses is not None:
        print_code_uses(uses)


def run_export(folder: Path, sources: Sequence[str], to: str, *, json_output: bool) -> None:
    """Write every record of the sources to a folder."""
    quarantine = Quarantine()
    records = load_records(sources, None, quarantine)
    if to == "fhir-dicom":
        with Bars():
            written = export_fhir_dicom(records, folder, quarantine)
    elif to == "meds":
        written = export_meds(records, folder)
    else:
        raise SourceError(f"--to {to}", "is not a form of export", "use fhir-dicom or meds")
    counts = ", ".join(f"{count} {name}" for name, count in written.items())
    stderr.print(f"wrote {folder}: {counts}", markup=False)
    if json_output:
        print_json({"written": dict(written), "quarantined": len(quarantine)})
