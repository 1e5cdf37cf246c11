"""What joint training lowers: the likelihood with and without each modality, and an optional ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from prognosis.cohort import Target
from prognosis.fusion.config import TrainingConfig
from prognosis.fusion.end_to_end.network import JointNetwork, LogHazards, Networks
from prognosis.fusion.likelihood import exposure_of, torch_negative_log_likelihood


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What happened to all cases, as tensors.

    Attributes:
        at_risk: (n, questions, bins).
        happened: (n, causes, bins).
        days: (n,) follow-up.
        weights: (n,) of cases, with a mean of one.
        present: (n, modalities) True where a case has the modality.
    """

    at_risk: Tensor
    happened: Tensor
    days: Tensor
    weights: Tensor
    present: Tensor

    @classmethod
    def of(cls, target: Target, weights: NDArray[np.float64], present: NDArray[np.bool_]) -> Outcomes:
        """The tensors of a target."""
        exposure = exposure_of(target)
        at_risk, happened, days, weight = (
            torch.tensor(values, dtype=torch.float32)
            for values in (exposure.at_risk, exposure.happened, target.days, weights)
        )
        return cls(at_risk, happened, days, weight, torch.from_numpy(present))

    def to(self, device: torch.device) -> Outcomes:
        """The same on a device."""
        return Outcomes(
            self.at_risk.to(device),
            self.happened.to(device),
            self.days.to(device),
            self.weights.to(device),
            self.present.to(device),
        )


def kept_modalities(present: Tensor, dropout: float) -> Tensor:
    """(cases, modalities) what is read in a step: all that a case has, or what a random subset leaves of it.

    Of the share `dropout` of the cases every subset is drawn alike, the empty one too.
    """
    loses = torch.rand(len(present), 1) < dropout
    subset = torch.rand(present.shape) < 0.5
    return present & ~(loses & subset).to(present.device)


def training_loss(
    network: JointNetwork, rows: Tensor, keep: Tensor, outcomes: Outcomes, config: TrainingConfig
) -> Tensor:
    """The sum over cases: joint likelihood, each modality's own, and the ranking term where there is one."""
    answer = network(rows, keep)
    loss = _weighed(answer.joint, rows, outcomes).sum()
    if config.own_loss:
        for place, own in enumerate(answer.own):
            loss = loss + config.own_loss * (keep[:, place] * _weighed(own, rows, outcomes)).sum()
    if config.ranking:
        loss = loss + config.ranking * ranking_loss(answer, rows, outcomes)
    return loss


def left_out_loss(networks: Networks, left_out: Sequence[Tensor], outcomes: Outcomes, batch: int) -> float:
    """The mean over cases of the joint likelihood by all that a case has, as its fold's network reads it."""
    networks.eval()
    with torch.inference_mode():
        losses = [
            _weighed(network(own, outcomes.present[own]).joint, own, outcomes)
            for network, rows in zip(networks, left_out, strict=True)
            for own in torch.split(rows, batch)
        ]
        return (torch.cat(losses).sum() / outcomes.weights[torch.cat(list(left_out))].sum()).item()


def ranking_loss(answer: LogHazards, rows: Tensor, outcomes: Outcomes) -> Tensor:
    """Over pairs of a batch, how far whoever had a cause later, or not, stands above whoever had it before.

    The sum over cases of the mean over their pairs of log(1 + exp(eta of the later - eta of the earlier)),
    eta averaged over bins: a smooth form of what Harrell's C counts. A class is compared with its absence.
    """
    risk = answer.joint.mean(dim=2)
    happened = outcomes.happened[rows].sum(dim=2)
    days = outcomes.days[rows]
    answered = outcomes.at_risk[rows].sum(dim=2).expand_as(happened) > 0.0
    total = risk.new_zeros(())
    for cause in range(risk.shape[1]):
        had, lacks = happened[:, cause] > 0.0, happened[:, cause] == 0.0
        later = (days[None] > days[:, None]) | ((days[None] == days[:, None]) & lacks[None])
        pairs = had[:, None] & later & answered[None, :, cause]
        apart = functional.softplus(risk[None, :, cause] - risk[:, None, cause])
        total = total + (pairs * apart).sum() / pairs.sum().clamp(min=1) * had.sum()
    return total


def _weighed(eta: Tensor, rows: Tensor, outcomes: Outcomes) -> Tensor:
    """(cases,) weight times negative log-likelihood."""
    loss = torch_negative_log_likelihood(eta, outcomes.at_risk[rows], outcomes.happened[rows])
    return outcomes.weights[rows] * loss
