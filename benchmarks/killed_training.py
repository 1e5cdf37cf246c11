"""Training end to end, killed again and again, against the same training left alone.

`OMP_NUM_THREADS=1 python -m benchmarks.killed_training [--kills 50] [--patients 60] [--seed 0]`

`train_model` and `save_model` run as a process of their own on a simulated cohort with all three modalities.
It is killed (SIGKILL) at a random moment of the time that it takes when left alone, every third time in the
middle of writing a file, and started again until it ends; then the next training begins, until there were
enough kills. Every file of every model must be that of the training left alone, bit for bit. Exit status 1
where one is not.

The process is forked from one that holds the cohort and the libraries: it is killed while it trains and
not while Python starts.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from prognosis.cohort import Cohort, Task, build_cohort
from prognosis.evidence.manifest import file_digests
from prognosis.fusion import ModelConfig, save_model, train_model
from prognosis.simulate import Dials, simulate_cohort

TASK = Path(__file__).resolve().parents[1] / "configs" / "tasks" / "simulated_progression.yaml"
SETTINGS: dict[str, Any] = {
    "folds": 2,
    "clinical": {"trees": None},
    "text": {"encoder": "none"},
    "imaging": {"size": 32, "contrast_scales": [1.0], "channels": [4, 4], "strides": [2, 2], "epochs": 1},
    "fusion": {"bins": 5, "bootstrap": 5, "beside_others": False},
    "training": {"way": "end_to_end", "device": "cpu", "epochs": 12, "patience": 12, "batch": 8},
}
SETTINGS["training"]["checkpoint_steps"] = 1
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
    for library in ("torch", "monai.networks.blocks.convolutions", "prognosis.fusion.end_to_end"):
        import_module(library)
    records = simulate_cohort(Dials(patients=asked.patients), seed=0).records
    cohort = build_cohort(Task.load(TASK), records)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        finished(start(cohort, folder / "alone"))
        seconds = time.monotonic() - began
        tally = killed(cohort, folder, asked.kills, seconds, np.random.default_rng(asked.seed))
    report = {
        "seconds_left_alone": round(seconds, 1),
        "kills": dict(tally.kills),
        "models": tally.models,
        "differing": tally.differing,
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return int(bool(tally.differing))


def killed(cohort: Cohort, folder: Path, kills: int, seconds: float, random: np.random.Generator) -> Tally:
    """Train and kill until there were enough kills, and compare every model that came of it."""
    tally = Tally()
    reference = file_digests(folder / "alone")
    while sum(tally.kills.values()) < kills:
        out = folder / f"killed{tally.models}"
        while (struck := sum(tally.kills.values())) < kills:
            process = start(cohort, out)
            where = strike(process, out, random.uniform(0.0, seconds), writing=struck % WRITING == 0)
            if not where:
                break
            tally.kills[where] += 1
            sys.stderr.write(f"kill {struck + 1}: {where}\n")
        else:
            finished(start(cohort, out))
        own = file_digests(out)
        tally.models += 1
        tally.differing += sorted(
            f"{out.name}/{file}"
            for file in reference.keys() | own.keys()
            if reference.get(file) != own.get(file)
        )
        sys.stderr.write(f"{tally.models} models, {len(tally.differing)} files differ\n")
    return tally


def start(cohort: Cohort, out: Path) -> int:
    """A process that trains and writes a model; its number."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        checkpoints = out.with_name(f"{out.name}.checkpoints")
        config = ModelConfig.from_statement(SETTINGS, "benchmarks.killed_training")
        save_model(train_model(cohort, config, checkpoints=checkpoints), out, "", {})
        status = 0
    finally:
        os._exit(status)


def finished(process: int) -> None:
    """Wait until a training ends.

    Raises:
        RuntimeError: It failed.
    """
    if os.waitpid(process, 0)[1]:
        message = "a training failed"
        raise RuntimeError(message)


def strike(process: int, out: Path, after: float, *, writing: bool) -> str:
    """Kill a training after some seconds, or when it next writes after them.

    Returns:
        What it was doing; "" where it ended before.
    """
    checkpoints = out.with_name(f"{out.name}.checkpoints")
    left, began = half_written(checkpoints), time.monotonic()
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            if status:
                message = "a training that was killed did not go on"
                raise RuntimeError(message)
            return ""
        waited = time.monotonic() - began >= after
        if waited and (not writing or half_written(checkpoints) - left):
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return doing(checkpoints, out, left)
        time.sleep(POLL_SECONDS)


def doing(checkpoints: Path, out: Path, left: set[tuple[str, int]]) -> str:
    """What a training that was killed was doing, from what it left beside what was `left` before."""
    if out.exists() or out.with_name(f"{out.name}.part").exists():
        return "writing the model"
    if half_written(checkpoints) - left:
        return "writing a checkpoint or the start"
    if any(checkpoints.glob("steps/step*.safetensors")):
        return "after a checkpoint"
    return "before the first checkpoint"


def half_written(checkpoints: Path) -> set[tuple[str, int]]:
    """Files and folders not yet in their place, each with the time at which it changed."""
    found = set()
    for folder, folders, files in os.walk(checkpoints):  # one that is gone meanwhile is passed over
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.suffix == ".part":
                with suppress(FileNotFoundError):  # it is in its place now
                    found.add((str(path), path.stat().st_mtime_ns))
    return found


if __name__ == "__main__":
    sys.exit(main())
