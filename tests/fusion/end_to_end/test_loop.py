"""The training loop: what it reaches, and that where it was stopped leaves no trace."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from prognosis.errors import CheckpointError, ConfigError
from prognosis.fusion.cross_fitting import Progress
from prognosis.fusion.end_to_end.checkpoint import Checkpoints
from prognosis.fusion.end_to_end.loop import train
from prognosis.fusion.end_to_end.rates import rate_at
from tests.fusion.end_to_end.linear import Linear, linear, weights_of

ROOT = Path(__file__).resolve().parents[3]


class StoppedError(Exception):
    """The training was stopped."""


def stop_after(epochs: int) -> Progress:
    def told(_what: str, done: int, _total: int) -> None:
        if done == epochs:
            raise StoppedError

    return told


def trained(made: Linear, folder: Path | None = None, run: str = "a run") -> dict[str, bytes]:
    checkpoints = None if folder is None else Checkpoints(folder, run)
    train(made.networks, made.outcomes, made.plan, checkpoints)
    return weights_of(made.networks)


def test_training_lowers_the_loss_of_patients_left_out_and_ends_with_the_best_weights() -> None:
    made = linear(epochs=10, learning_rate=0.02)
    standing = train(made.networks, made.outcomes, made.plan)
    assert min(standing.history) < standing.history[0] - 0.01
    best = {name: value.numpy().tobytes() for name, value in standing.best.items()}
    assert weights_of(made.networks) == best


def test_training_stops_when_patients_left_out_gain_no_more() -> None:
    made = linear(epochs=60, patience=3, learning_rate=0.1)
    standing = train(made.networks, made.outcomes, made.plan)
    assert len(standing.history) < 61
    assert standing.stale == 3


def test_gradients_added_up_over_batches_are_those_of_one_larger_batch() -> None:
    whole = linear(batch=30, accumulate=1, epochs=2)
    parts = linear(batch=10, accumulate=3, epochs=2)
    train(whole.networks, whole.outcomes, whole.plan)
    train(parts.networks, parts.outcomes, parts.plan)
    for one, other in zip(whole.networks.parameters(), parts.networks.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_training_leaves_the_callers_chance_alone() -> None:
    made = linear()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train(made.networks, made.outcomes, made.plan)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, epochs: int) -> None:
    expected = trained(linear(checkpoint_steps=4))
    made = linear(checkpoint_steps=4)
    with pytest.raises(StoppedError):
        train(made.networks, made.outcomes, made.plan, Checkpoints(tmp_path, "a run"), stop_after(epochs))
    again = linear(checkpoint_steps=4)
    with torch.no_grad():
        again.network.alpha.add_(1.0)  # what is restored, and not what was built, must count
    assert trained(again, tmp_path) == expected
    assert trained(linear(checkpoint_steps=4), tmp_path) == expected  # a training that was finished, too


def test_the_two_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    trained(linear(checkpoint_steps=4), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut short", "a bit flipped", "empty"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    expected = trained(linear(checkpoint_steps=4), tmp_path)
    older, newest = sorted(tmp_path.iterdir())
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 4
    damaged = {"cut short": content[: len(content) // 2], "a bit flipped": content, "empty": b""}
    newest.write_bytes(damaged[damage])
    assert trained(linear(checkpoint_steps=4), tmp_path) == expected
    assert f"{newest.name} is damaged" in caplog.text
    assert older.name not in caplog.text


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    trained(linear(checkpoint_steps=4), tmp_path)
    with pytest.raises(CheckpointError, match="other settings or of another cohort"):
        trained(linear(checkpoint_steps=4), tmp_path, "another run")


def test_a_loss_that_is_not_finite_stops_the_training() -> None:
    made = linear()
    with torch.no_grad():
        made.network.alpha.fill_(float("nan"))
    with pytest.raises(ConfigError, match="not finite at step 0"):
        train(made.networks, made.outcomes, made.plan)


def test_the_rate_rises_for_a_tenth_of_training_and_falls_to_nothing() -> None:
    config = linear(epochs=10, learning_rate=1.0).plan.config
    rates = [rate_at(step, config, 20) for step in range(200)]
    assert max(rates) == pytest.approx(1.0, abs=0.03)
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[-1] < 0.001


def newest(folder: Path) -> int:
    """The step of the newest checkpoint; 0 where there is none."""
    return max((int(path.stem.removeprefix("step")) for path in folder.glob("step*.safetensors")), default=0)


KILLS, STEPS = 3, 72  # steps of 12 epochs
FORKS = """
import os, sys, torch
from pathlib import Path
from prognosis.fusion.end_to_end.checkpoint import Checkpoints
from prognosis.fusion.end_to_end.loop import train
from tests.fusion.end_to_end.linear import linear

torch.set_num_threads(1)
for _ in range(int(sys.argv[2])):
    process = os.fork()
    if not process:
        made = linear(epochs=12, patience=12, checkpoint_steps=1)
        train(made.networks, made.outcomes, made.plan, Checkpoints(Path(sys.argv[1]), "a run"))
        os._exit(0)
    print(process, flush=True)
    os.waitpid(process, 0)
"""


def test_a_training_killed_again_and_again_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    settings = {"epochs": 12, "patience": 12, "checkpoint_steps": 1}
    moments = np.random.default_rng(0)
    command = [sys.executable, "-c", FORKS, str(tmp_path), str(KILLS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        for line in parent.stdout:
            reached = min(newest(tmp_path) + moments.integers(1, 6), STEPS)
            while newest(tmp_path) < reached:
                time.sleep(0.001)
            time.sleep(moments.uniform(0.0, 0.01))
            with contextlib.suppress(ProcessLookupError):  # a slow disk, and the training is over
                os.kill(int(line), signal.SIGKILL)
    assert trained(linear(**settings), tmp_path) == trained(linear(**settings))
