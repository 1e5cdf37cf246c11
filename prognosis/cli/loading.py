"""From source names on the command line to a cohort, with progress and an account of what was set aside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape

from prognosis.cli.console import Bars, stderr
from prognosis.cli.sources import read_patient, read_records
from prognosis.cohort import (
    Case,
    Cohort,
    FindingsLabel,
    MaskLabel,
    MeasurementLabel,
    Task,
    build_cohort,
)
from prognosis.cohort.arms import arm_counts, problem_of_arms, reasons_of_no_arm
from prognosis.cohort.lint import causes_never_seen, codes_never_seen
from prognosis.cohort.outcome import Findings, Response, State, TimeToEvent, Value
from prognosis.errors import InputError
from prognosis.record import PatientRecord, Quarantine

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Loaded:
    """Records as read, the cohort selected from them, and what could not be read."""

    records: tuple[PatientRecord, ...]
    cohort: Cohort
    quarantine: Quarantine


def load_records(
    sources: Sequence[str], task: Task | None, quarantine: Quarantine
) -> tuple[PatientRecord, ...]:
    """Read every source, with progress on stderr, and say what was set aside."""
    with Bars() as bars:
        records = read_records(
            sources, task, quarantine, lambda source, read: bars(f"reading {source}", read, 0)
        )
    report_quarantine(quarantine)
    return records


def load_patient(
    sources: Sequence[str], task: Task | None, patient: str, quarantine: Quarantine
) -> tuple[PatientRecord, ...]:
    """Read one patient where every source can be asked for one, else all patients; say what was set aside.

    Raises:
        InputError: The sources were asked for this patient alone, and there is none.
    """
    found = read_patient(sources, task, patient, quarantine)
    if found is None:
        return load_records(sources, task, quarantine)
    report_quarantine(quarantine)
    if not found:
        raise InputError(f"patient {patient}", "is not in the sources", "check the id and the sources")
    return found


def load_cohort(sources: Sequence[str], task: Task, *, require_labels: bool = True) -> Loaded:
    """Read the sources and select the task's cases."""
    quarantine = Quarantine()
    records = load_records(sources, task, quarantine)
    return Loaded(records, build_cohort(task, records, require_labels=require_labels), quarantine)


def report_quarantine(quarantine: Quarantine) -> None:
    """Print to stderr how much input was set aside, and the first reasons."""
    for message, count in quarantine.notices.items():
        stderr.print(f"[yellow]note[/]: {escape(message)} ({count})", highlight=False)
    if not len(quarantine):
        return
    stderr.print(f"[yellow]{len(quarantine)} set aside[/], the rest goes on:")
    for rejection in list(quarantine)[:SHOWN]:
        stderr.print(
            f"  {rejection.reference}: {rejection.problem}; {rejection.remedy}", markup=False, highlight=False
        )
    if len(quarantine) > SHOWN:
        stderr.print(f"  ... and {len(quarantine) - SHOWN} more (--json of `cohort describe` lists all)")


def cohort_json(loaded: Loaded) -> dict[str, Any]:
    """Counts of a cohort: cases, patients, sites, labels, arms, exclusions, quarantine.

    Every cause, exclusion and arm of the task is there, with 0 where nobody has it.
    """
    cases, task = loaded.cohort.cases, loaded.cohort.task
    problem = problem_of_arms(loaded.cohort)
    exclusions = {rule.name: 0 for rule in task.exclusions} | dict(loaded.cohort.exclusions)
    return {
        "task": loaded.cohort.task.name,
        "records": len(loaded.records),
        "cases": len(cases),
        "patients": len({case.patient for case in cases}),
        "sites": dict(Counter(case.record.site for case in cases)),
        "labels": dict(label_counts(loaded.cohort)),
        "with_clinical": sum(bool(case.record.events) for case in cases),
        "with_notes": sum(bool(case.record.notes) for case in cases),
        "with_images": sum(bool(case.record.studies) for case in cases),
        "arms": arm_counts(loaded.cohort),
        "of_no_arm": dict(reasons_of_no_arm(loaded.cohort)),
        "arms_by_site": _arms_by_site(loaded.cohort),
        "arms_contradicted": [f"the cohort {problem}"] if problem else [],
        "exclusions": exclusions,
        "accepted": dict(loaded.quarantine.accepted),
        "never_seen": causes_never_seen(task, loaded.records) | codes_never_seen(task, loaded.records),
        "notices": dict(loaded.quarantine.notices),
        "quarantined": [
            {"reference": r.reference, "problem": r.problem, "remedy": r.remedy} for r in loaded.quarantine
        ],
    }


def _arms_by_site(cohort: Cohort) -> dict[str, dict[str, int]]:
    """The counts of arms at each site; nothing for a task without arms."""
    if not cohort.task.arms:
        return {}
    by_site: dict[str, list[Case]] = defaultdict(list)
    for case in cohort.cases:
        by_site[case.record.site].append(case)
    return {site: arm_counts(Cohort(cohort.task, tuple(own))) for site, own in sorted(by_site.items())}


def label_counts(cohort: Cohort) -> Counter[str]:
    """How many cases have each cause or class; of each finding, how many are present, absent, unknown."""
    labels = [case.label for case in cohort.cases]
    found: Counter[str] = Counter()
    if not isinstance(cohort.task.outcome, Findings):
        counted = (
            cohort.task.causes
            if isinstance(cohort.task.outcome, TimeToEvent | State | Value | Response)
            else ()
        )
        found.update(dict.fromkeys(counted, 0))  # one that nobody has is told too
        found.update(label_name(label) for label in labels)
        return found
    for name in cohort.task.causes:
        states = [label.state(name) if isinstance(label, FindingsLabel) else None for label in labels]
        for word, state in (("present", True), ("absent", False), ("not known", None)):
            found[f"{name}, {word}"] = states.count(state)
    return found


def label_name(label: object) -> str:
    """A label's cause or class, "marked" for masks, "measured" for a value, "censored" for none."""
    if isinstance(label, MeasurementLabel):
        return "measured"
    if isinstance(label, MaskLabel):
        return "marked"
    cause = getattr(label, "cause", None) or getattr(label, "category", None)
    return str(cause) if cause else "censored"
