"""The training loop. All chance in step s comes from (seed, s): a run that was stopped goes on as it was."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from prognosis.errors import ConfigError
from prognosis.fusion.config import TrainingConfig
from prognosis.fusion.cross_fitting import Progress
from prognosis.fusion.end_to_end.checkpoint import Checkpoints, Standing
from prognosis.fusion.end_to_end.network import JointNetwork
from prognosis.fusion.end_to_end.objective import Outcomes, held_out_loss, kept_modalities, training_loss
from prognosis.fusion.end_to_end.rates import optimiser_of, rate_at

_LONGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is learned from, who tells when to stop, and where chance starts."""

    learn: Tensor
    held_out: Tensor
    seed: tuple[int, ...]
    config: TrainingConfig

    @property
    def steps_an_epoch(self) -> int:
        """Optimiser steps of one pass over the training cases."""
        return math.ceil(len(self.learn) / (self.config.batch * self.config.accumulate))


def train(
    network: JointNetwork,
    outcomes: Outcomes,
    plan: Plan,
    checkpoints: Checkpoints | None = None,
    on_progress: Progress | None = None,
) -> Standing:
    """Train a network until patients held out gain no more; it ends with the weights best for them."""
    config, per_epoch = plan.config, plan.steps_an_epoch
    optimiser = optimiser_of(network, config)
    standing = Standing.start(network)
    with _repeatable(network.alpha.device):
        if checkpoints is not None:
            standing = checkpoints.restore(network, optimiser) or standing
        while True:
            if standing.step == len(standing.history) * per_epoch:
                standing.judged(held_out_loss(network, plan.held_out, outcomes, config.batch), network)
                if on_progress is not None:
                    on_progress("joint training", len(standing.history) - 1, config.epochs)
            if standing.stale >= config.patience or len(standing.history) > config.epochs:
                break
            _step(network, optimiser, outcomes, plan, standing.step)
            standing.step += 1
            if checkpoints is not None and standing.step % config.checkpoint_steps == 0:
                checkpoints.write(standing, network, optimiser)
        if checkpoints is not None:
            checkpoints.write(standing, network, optimiser)
        network.load_state_dict(standing.best)
    return standing


def _step(
    network: JointNetwork, optimiser: torch.optim.Optimizer, outcomes: Outcomes, plan: Plan, step: int
) -> None:
    """One step down the gradient, which is added up over batches."""
    network.train()
    _seed(*plan.seed, step)
    config, device = plan.config, network.alpha.device
    rows = _rows_of_step(plan, step, device)
    keep = kept_modalities(outcomes.present[rows], config.modality_dropout)
    batches = math.ceil(len(rows) / config.batch)
    optimiser.zero_grad()
    for own, kept in zip(rows.tensor_split(batches), keep.tensor_split(batches), strict=True):
        with _short_numbers(device, config):
            loss = training_loss(network, own, kept, outcomes, config) / outcomes.weights[rows].sum()
        loss = loss + network.penalty() * len(own) / len(rows) / len(plan.learn)
        if not torch.isfinite(loss):
            problem = f"the loss is not finite at step {step}"
            raise ConfigError("joint training", problem, "lower training.learning_rate")
        torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(network.parameters(), _LONGEST_GRADIENT)
    for group in optimiser.param_groups:
        group["lr"] = group["share"] * rate_at(step, config, plan.steps_an_epoch)
    optimiser.step()


def _rows_of_step(plan: Plan, step: int, device: torch.device) -> Tensor:
    """The training cases of one step: every epoch deals all of them in an order of its own."""
    epoch, place = divmod(step, plan.steps_an_epoch)
    rng = np.random.default_rng([*plan.seed, 1, epoch])
    own = np.array_split(rng.permutation(len(plan.learn)), plan.steps_an_epoch)[place]
    return plan.learn[torch.from_numpy(own)].to(device)


def _seed(*numbers: int) -> None:
    torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1)))


@contextmanager
def _repeatable(device: torch.device) -> Iterator[None]:
    """The caller's chance is left alone; on a CPU only operations that always give the same are allowed."""
    before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.use_deterministic_algorithms(before or device.type == "cpu")
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)


def _short_numbers(device: torch.device, config: TrainingConfig) -> torch.autocast:
    """Bfloat16 where a GPU multiplies in it; its range is that of float32, so that no scaling is needed."""
    short = device.type == "cuda" and config.precision == "auto"
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=short)
