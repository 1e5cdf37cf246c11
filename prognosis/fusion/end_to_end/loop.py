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
from prognosis.fusion.end_to_end.network import JointNetwork, Networks
from prognosis.fusion.end_to_end.objective import Outcomes, kept_modalities, left_out_loss, training_loss
from prognosis.fusion.end_to_end.rates import optimiser_of, rate_at

_LONGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained on whom.

    Attributes:
        learn: For each fold's network, the cases that it learns from.
        left_out: For each, the cases of its fold. All folds' together are all cases, each once.
        seed: Where all chance starts.
        config: Settings.
    """

    learn: tuple[Tensor, ...]
    left_out: tuple[Tensor, ...]
    seed: int
    config: TrainingConfig

    @property
    def steps_an_epoch(self) -> int:
        """Optimiser steps of one pass over the training cases."""
        most = max(len(rows) for rows in self.learn)
        return math.ceil(most / (self.config.batch * self.config.accumulate))


def train(
    networks: Networks,
    outcomes: Outcomes,
    plan: Plan,
    checkpoints: Checkpoints | None = None,
    on_progress: Progress | None = None,
) -> Standing:
    """Train all folds' networks side by side until the patients whom each left out gain no more.

    When to stop is one number, chosen by every patient as read by the network that did not learn from them.
    The networks end with the weights of the epoch that was best for these.
    """
    config, per_epoch = plan.config, plan.steps_an_epoch
    optimiser = optimiser_of(networks, config)
    standing = Standing.start(networks)
    with _repeatable(networks.device):
        if checkpoints is not None:
            standing = checkpoints.restore(networks, optimiser) or standing
        while True:
            if standing.step == len(standing.history) * per_epoch:
                standing.judged(left_out_loss(networks, plan.left_out, outcomes, config.batch), networks)
                if on_progress is not None:
                    on_progress("training end to end", len(standing.history) - 1, config.epochs)
            if standing.stale >= config.patience or len(standing.history) > config.epochs:
                break
            optimiser.zero_grad()
            for fold, network in enumerate(networks):
                _add_gradient(network, outcomes, plan, fold, standing.step)
            for group in optimiser.param_groups:
                group["lr"] = group["share"] * rate_at(standing.step, config, per_epoch)
            optimiser.step()
            standing.step += 1
            if checkpoints is not None and standing.step % config.checkpoint_steps == 0:
                checkpoints.write(standing, networks, optimiser)
        if checkpoints is not None:
            checkpoints.write(standing, networks, optimiser)
        networks.load_state_dict(standing.best)
    return standing


def _add_gradient(network: JointNetwork, outcomes: Outcomes, plan: Plan, fold: int, step: int) -> None:
    """One network's gradient in a step, added up over batches."""
    network.train()
    _seed(plan.seed, fold, step)
    config, device = plan.config, network.alpha.device
    rows = _rows_of_step(plan, fold, step).to(device)
    keep = kept_modalities(outcomes.present[rows], config.modality_dropout)
    batches = math.ceil(len(rows) / config.batch)
    for own, kept in zip(rows.tensor_split(batches), keep.tensor_split(batches), strict=True):
        with _short_numbers(device, config):
            loss = training_loss(network, own, kept, outcomes, config) / outcomes.weights[rows].sum()
        loss = loss + network.penalty() * len(own) / len(rows) / len(plan.learn[fold])
        if not torch.isfinite(loss):
            problem = f"the loss is not finite at step {step}"
            raise ConfigError("training end to end", problem, "lower training.learning_rate")
        torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(network.parameters(), _LONGEST_GRADIENT)


def _rows_of_step(plan: Plan, fold: int, step: int) -> Tensor:
    """The training cases of one step: every epoch deals all of them in an order of its own."""
    epoch, place = divmod(step, plan.steps_an_epoch)
    rng = np.random.default_rng([plan.seed, fold, 1, epoch])
    own = np.array_split(rng.permutation(len(plan.learn[fold])), plan.steps_an_epoch)[place]
    return plan.learn[fold][torch.from_numpy(own)]


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
