"""Checkpoints of a joint training: one file each, whole or not there, and checked before it is believed."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from prognosis.errors import CheckpointError
from prognosis.fusion.end_to_end.network import Networks

_KEPT = 2
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Standing:
    """How far a training is.

    Attributes:
        best: The weights that were best for the patients left out.
        step: Optimiser steps taken.
        history: Loss of the patients left out at the start and after each epoch.
    """

    best: dict[str, Tensor]
    step: int = 0
    history: list[float] = field(default_factory=list)

    @classmethod
    def start(cls, networks: Networks) -> Standing:
        """Of networks not yet trained."""
        return cls(_copied(networks))

    @property
    def best_epoch(self) -> int:
        """The epoch after which the loss was lowest; 0 is the start."""
        return self.history.index(min(self.history))

    @property
    def stale(self) -> int:
        """Epochs since then."""
        return len(self.history) - 1 - self.best_epoch

    def judged(self, loss: float, networks: Networks) -> None:
        """Note the loss after an epoch, and the weights if none was lower."""
        self.history.append(loss)
        if self.stale == 0:
            self.best = _copied(networks)


class Checkpoints:
    """The checkpoints of one training in a folder, the two newest kept.

    Args:
        folder: Made where it is not there.
        run: Digest of what is trained, on what and how. A checkpoint of another run is refused.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self.folder, self.run = folder, run
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, standing: Standing, networks: Networks, optimiser: torch.optim.Optimizer) -> None:
        """Write a checkpoint; whoever reads finds all of it or the one before."""
        tensors = {f"networks.{name}": value for name, value in networks.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in standing.best.items()}
        for place, values in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{place}.{name}": value for name, value in values.items()}
        whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        stated = {"run": self.run, "step": standing.step, "history": standing.history}
        text = json.dumps(stated)
        content = save(whole, {"standing": text, "sha256": _digest(whole, text)})
        write_whole(self.folder / f"step{standing.step:08d}.safetensors", content)
        for old in self._newest_first()[_KEPT:]:
            old.unlink()

    def restore(self, networks: Networks, optimiser: torch.optim.Optimizer) -> Standing | None:
        """Bring networks and optimiser to the newest checkpoint that is whole; None where there is none.

        Raises:
            CheckpointError: It is of another run.
        """
        for path in self._newest_first():
            try:
                tensors, text = _read_whole(path)
            except (OSError, ValueError, KeyError, SafetensorError) as error:
                _LOG.warning(
                    "%s is damaged (%s) and passed over for the one before", path.name, type(error).__name__
                )
                continue
            stated = json.loads(text)
            if stated["run"] != self.run:
                raise another_run(self.folder)
            networks.load_state_dict(_under("networks.", tensors))
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in _under("optimiser.", tensors).items():
                place, _, own = name.partition(".")
                state.setdefault(int(place), {})[own] = value
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": state, "param_groups": groups})
            return Standing(_under("best.", tensors), int(stated["step"]), list(stated["history"]))
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("step*.safetensors"), reverse=True)


def another_run(folder: Path) -> CheckpointError:
    """What to say of checkpoints that other settings or another cohort left."""
    problem = "holds the checkpoints of a training with other settings or of another cohort"
    return CheckpointError(
        str(folder), problem, "remove it to start anew, or name another with --checkpoints"
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, see it on the disk, and move it there."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_whole(path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors and what is stated beside them.

    Raises:
        ValueError: The content is not what was written.
    """
    with safe_open(path, framework="pt") as file:
        stated = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    if _digest(tensors, stated["standing"]) != stated["sha256"]:
        message = "digest differs"
        raise ValueError(message)
    return tensors, stated["standing"]


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(
            value.reshape(-1).view(torch.uint8).numpy().tobytes() if value.ndim else value.numpy().tobytes()
        )
    return digest.hexdigest()


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _copied(networks: Networks) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in networks.state_dict().items()}
