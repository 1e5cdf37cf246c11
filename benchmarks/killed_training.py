"""Training end to end, killed again and again, against the same training left alone.

`python -m benchmarks.killed_training [--kills 50] [--patients 60] [--seed 0]`

`prognosis train` runs as a process on a simulated cohort. It is killed (SIGKILL, with all its children) at a
random moment of the time that the training takes when left alone, every third time in the middle of writing a
file, and the same command is run again until it ends; then the next training begins, until there were enough
kills. Every file of each model that says what the model is must be that of the one left alone, bit for bit.
Exit status 1 where one is not.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from prognosis.cli.sources import export_fhir_dicom
from prognosis.evidence.manifest import file_digests
from prognosis.record import Quarantine
from prognosis.simulate import Dials, simulate_cohort

ROOT = Path(__file__).resolve().parents[1]
TASK = ROOT / "configs" / "tasks" / "simulated_progression.yaml"
SETTINGS = (
    "training={way: end_to_end, device: cpu, epochs: 12, patience: 12, batch: 8, checkpoint_steps: 1}",
    "clinical={trees: null}",
    "text={encoder: none}",
    "imaging={size: 32, contrast_scales: [1.0], channels: [4, 4], strides: [2, 2], epochs: 1, threads: 1}",
    "fusion={bins: 5, bootstrap: 5, beside_others: false}",
    "folds=2",
)
NOT_OF_THE_MODEL = {"README.md", "metrics.json"}  # they state the time and the command
WRITING = 3  # every third kill waits for a file half written
POLL_SECONDS = 0.0002


@dataclass(slots=True)
class Tally:
    """What was found so far.

    Attributes:
        kills: Kills by what the training was doing.
        models: Models that came of trainings that were killed.
        differing: Their files that differ from those of the training left alone.
    """

    kills: Counter[str] = field(default_factory=Counter)
    models: int = 0
    differing: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, go on and compare; the exit status."""
    stated = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    stated.add_argument("--kills", type=int, default=50)
    stated.add_argument("--patients", type=int, default=60)
    stated.add_argument("--seed", type=int, default=0)
    asked = stated.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_fhir_dicom(
            simulate_cohort(Dials(patients=asked.patients), seed=0).records, folder / "export", Quarantine()
        )
        began = time.monotonic()
        if start(folder, "alone").wait() != 0:
            return 1
        seconds = time.monotonic() - began
        tally = killed(folder, asked.kills, seconds, np.random.default_rng(asked.seed))
    report = {
        "seconds_left_alone": round(seconds, 1),
        "kills": dict(tally.kills),
        "models": tally.models,
        "differing": tally.differing,
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return int(bool(tally.differing))


def killed(folder: Path, kills: int, seconds: float, random: np.random.Generator) -> Tally:
    """Train and kill until there were enough kills, and compare every model that came of it."""
    tally = Tally()
    reference = contents(folder / "alone")
    while sum(tally.kills.values()) < kills:
        name = f"killed{tally.models}"
        while (struck := sum(tally.kills.values())) < kills:
            process = start(folder, name)
            where = strike(process, folder, name, random.uniform(0.0, seconds), writing=struck % WRITING == 0)
            if not where:
                break
            tally.kills[where] += 1
        else:
            start(folder, name).wait()
        own = contents(folder / name)
        tally.models += 1
        tally.differing += sorted(
            file for file in reference.keys() | own.keys() if reference.get(file) != own.get(file)
        )
        sys.stderr.write(f"{dict(tally.kills)}, {tally.models} models, {len(tally.differing)} files differ\n")
    return tally


def start(folder: Path, name: str) -> subprocess.Popen[bytes]:
    """`prognosis train` as a process of a session of its own."""
    own = ["-c", "from prognosis.cli.main import run; run()", "train", str(TASK)]
    own += ["--source", f"fhir-folder:{folder / 'export'}", "--source", f"dicom-folder:{folder / 'export'}"]
    own += ["--out", str(folder / name)]
    for setting in SETTINGS:
        own += ["--set", setting]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603 - this interpreter, and nothing from outside
        [sys.executable, *own],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def strike(process: subprocess.Popen[bytes], folder: Path, name: str, after: float, *, writing: bool) -> str:
    """Kill a training after some seconds, or when it next writes after them.

    Returns:
        What it was doing; "" where it ended before.
    """
    checkpoints = folder / f"{name}.checkpoints"
    began = time.monotonic()
    while process.poll() is None:
        waited = time.monotonic() - began >= after
        half_written = bool(writing and waited and list(checkpoints.glob("**/*.part")))
        if waited and (half_written or not writing):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return doing(checkpoints, folder / name)
        time.sleep(POLL_SECONDS)
    return ""


def doing(checkpoints: Path, out: Path) -> str:
    """What a training that was killed was doing, from what it left."""
    if out.exists() or out.with_name(f"{out.name}.part").exists():
        return "writing the model"
    if any(checkpoints.glob("**/*.part")):
        return "writing a checkpoint"
    if any(checkpoints.glob("steps/step*")):
        return "after a checkpoint"
    return "fitting the start" if checkpoints.exists() else "before"


def contents(model: Path) -> dict[str, str]:
    """sha256 of every file that says what a model is."""
    return {name: digest for name, digest in file_digests(model).items() if name not in NOT_OF_THE_MODEL}


if __name__ == "__main__":
    sys.exit(main())
