"""Where joint training starts: each fold's read-outs, kept beside the checkpoints to be fitted once."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from prognosis.cohort import Cohort
from prognosis.errors import BundleError, CheckpointError
from prognosis.evidence import EvidenceModel
from prognosis.evidence.manifest import check_manifest
from prognosis.evidence.model_folder import write_model_folder
from prognosis.fusion.bundle import load_evidence
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.end_to_end.checkpoint import another_run, write_whole

Starts = Mapping[str, tuple[EvidenceModel, ...]]
"""By modality, the model of each fold."""

_RUN = "run.json"


def run_digest(cohort: Cohort, config: ModelConfig) -> str:
    """sha256 of the task, the settings, and of who the cases are and what is known of them and when.

    What a fact or a pixel says is not part of it: reading all of them would cost as much as the start.
    """
    digest = hashlib.sha256(cohort.task.model_dump_json().encode())
    digest.update(config.model_dump_json().encode())
    for case in cohort.cases:
        record = case.record
        held = [len(record.events), len(record.notes), [study.study_uid for study in record.studies]]
        digest.update(repr([case.patient, case.index_time.isoformat(), case.label, held]).encode())
    return digest.hexdigest()


def claim_folder(folder: Path, run: str) -> None:
    """Make a folder a run's own, or see that it is.

    Raises:
        CheckpointError: It holds the checkpoints of another run, or other files, or is no folder that can be
            written to.
    """
    stated = folder / _RUN
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(path != stated.with_suffix(".part") for path in folder.iterdir()) and _run_of(stated) != run:
            raise another_run(folder)
        write_whole(stated, json.dumps({"run": run}).encode())
    except OSError as error:
        problem = f"cannot hold checkpoints ({error.strerror})"
        remedy = "name a folder that can be written to with --checkpoints"
        raise CheckpointError(str(folder), problem, remedy) from error


def _run_of(stated: Path) -> str:
    """The run that a folder says it is of; nothing where it does not say so."""
    try:
        return str(json.loads(stated.read_text(encoding="utf-8"))["run"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def forget(folder: Path) -> None:
    """Remove a run's checkpoints; until the last of them is gone the folder says whose they are."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    shutil.rmtree(folder)


def started(folder: Path, names: Sequence[str], fit: Callable[[], Starts]) -> Starts:
    """The models of each fold: read where an earlier run left them whole, else fitted and written.

    Args:
        folder: Of the run.
        names: The modalities.
        fit: Gives them.

    Raises:
        MissingDependencyError: What reads a modality is not installed.
    """
    own = folder / "start"
    try:
        check_manifest(own)
        folds = [own / f"fold{place}" for place in range(len(list(own.glob("fold*"))))]
        return {name: tuple(load_evidence(name, fold) for fold in folds) for name in names}
    except BundleError:
        pass
    starts = fit()

    def write(whole: Path) -> None:
        for name, models in starts.items():
            for place, model in enumerate(models):
                part = whole / f"fold{place}" / "evidence" / name
                part.mkdir(parents=True)
                model.save(part)

    write_model_folder(own, "start", write)
    return starts
