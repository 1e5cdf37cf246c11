"""A model and sources to serve, and a service that is started and waited for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from prognosis.cli.sources import export_fhir_dicom, read_records
from prognosis.cohort import Task, build_cohort
from prognosis.fusion import ModelConfig, load_model, save_model, train_model
from prognosis.record import Quarantine
from prognosis.simulate import Dials, simulate_cohort

PROGRAM = (sys.executable, "-c", "from prognosis.cli.main import run; run()")
TASK = Path(__file__).resolve().parents[1] / "configs" / "tasks" / "simulated_progression.yaml"
SETTINGS: dict[str, Any] = {
    "clinical": {"trees": {"rounds": 20}},
    "text": {"encoder": "none"},
    "imaging": {"size": 32, "contrast_scales": [1.0], "channels": [4, 4], "strides": [2, 2], "epochs": 1},
    "fusion": {"bins": 5, "bootstrap": 20},
}
READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Served:
    """What is served.

    Attributes:
        model: A model's folder.
        sources: By name.
        patients: Their ids.
    """

    model: Path
    sources: tuple[str, ...]
    patients: tuple[str, ...]


def served_model(folder: Path, model: Path | None, sources: Sequence[str], patients: int) -> Served:
    """The model and the sources named; without them, a simulated cohort and a small model trained on it.

    Args:
        folder: Where what is made is written.
        model: A model's folder, or None.
        sources: Its sources.
        patients: To simulate.
    """
    if model is None:
        export, model = folder / "export", folder / "model"
        export_fhir_dicom(simulate_cohort(Dials(patients=patients), seed=0).records, export, Quarantine())
        sources = (f"fhir-folder:{export}", f"dicom-folder:{export}")
        task = Task.load(TASK)
        cohort = build_cohort(task, read_records(sources, task, Quarantine()))
        save_model(train_model(cohort, ModelConfig.from_statement(SETTINGS, "benchmarks")), model, "", {})
    records = read_records(sources, load_model(model).task, Quarantine())
    return Served(model, tuple(sources), tuple(record.patient_id for record in records))


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Processor time that a process has taken so far, which other work on the machine does not lengthen."""
    stated = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(stated[11]) + int(stated[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, proc(5)


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a service says that it is ready.

    Raises:
        RuntimeError: It ended, or took longer than `READY_S`.
    """
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            message = f"the service ended with status {process.returncode}"
            raise RuntimeError(message)
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.02)
    message = f"the service was not ready within {READY_S:g} s"
    raise RuntimeError(message)
