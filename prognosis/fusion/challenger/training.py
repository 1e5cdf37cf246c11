"""Training of the challenger on out-of-fold tokens, stopped by patients left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.fusion.challenger.config import ChallengerConfig
from prognosis.fusion.challenger.model import Challenger, log_hazard
from prognosis.fusion.challenger.tokens import PADDING, TokenTable
from prognosis.fusion.cross_fitting import Progress
from prognosis.fusion.likelihood import (
    Exposure,
    average_log_odds,
    negative_log_likelihood,
    torch_negative_log_likelihood,
)

if TYPE_CHECKING:
    import torch

    from prognosis.fusion.challenger.network import FusionTransformer

ADDITIVE_RATE = 10.0


def train_challenger(
    tokens: TokenTable,
    exposure: Exposure,
    folds: NDArray[np.int64],
    config: ChallengerConfig,
    on_progress: Progress | None = None,
) -> Challenger:
    """Train one transformer a fold, on the other folds, until the fold's own patients gain no more.

    Args:
        tokens: Out-of-fold tokens of the training cases.
        exposure: What happened to them.
        folds: (n,) fold of each case, whole patients.
        config: Settings.
        on_progress: Told (what, folds done, folds in all).
    """
    import torch

    members: list[_Stopped] = []
    numbers = np.unique(folds)
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    for done, left_out in enumerate(numbers):
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(config.seed + done)
            members.append(_train_member(tokens, exposure, folds == left_out, config, config.seed + done))
        if on_progress is not None:
            on_progress("challenger", done + 1, len(numbers))
    return Challenger(
        tokens.modalities,
        tuple(member.network for member in members),
        tuple(member.loss for member in members),
        tuple(member.epochs for member in members),
    )


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A transformer as it was when the patients left out were told best, and after how many passes."""

    network: FusionTransformer
    loss: float
    epochs: int


def _train_member(
    tokens: TokenTable,
    exposure: Exposure,
    left_out: NDArray[np.bool_],
    config: ChallengerConfig,
    seed: int,
) -> _Stopped:
    import torch

    from prognosis.fusion.challenger.network import FusionTransformer, Scales

    rng = np.random.default_rng(seed)
    learned, learned_from = tokens.take(~left_out), exposure.take(~left_out)
    judged, judged_by = tokens.take(left_out), exposure.take(left_out)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = FusionTransformer(Scales.of(learned), average_log_odds(learned_from), config).to(device)
    optimiser = _optimiser(network, config)

    def held_out_loss() -> float:
        return float(negative_log_likelihood(log_hazard(network, judged), judged_by).mean())

    best, best_epoch, kept = held_out_loss(), 0, _copied(network)
    for epoch in range(1, config.epochs + 1):
        _one_pass(network, optimiser, learned, learned_from, config, rng)
        loss = held_out_loss()
        if loss < best:
            best, best_epoch, kept = loss, epoch, _copied(network)
        elif epoch - best_epoch >= config.patience:
            break
    network.load_state_dict(kept)
    return _Stopped(network, best, best_epoch)


def _one_pass(
    network: FusionTransformer,
    optimiser: torch.optim.Optimizer,
    tokens: TokenTable,
    exposure: Exposure,
    config: ChallengerConfig,
    rng: np.random.Generator,
) -> None:
    import torch

    from prognosis.fusion.challenger.network import Batch

    device = network.alpha.device
    network.train()
    order = rng.permutation(len(tokens))[: config.steps * config.batch]
    for rows in np.array_split(order, max(1, round(len(order) / config.batch))):
        shown = hide_modalities(tokens.take(rows), config.modality_dropout, rng)
        own = exposure.take(rows)
        at_risk, happened = (
            torch.as_tensor(array, dtype=torch.float32).to(device) for array in (own.at_risk, own.happened)
        )
        loss = torch_negative_log_likelihood(network(Batch.of(shown, device)), at_risk, happened).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()


def hide_modalities(tokens: TokenTable, share: float, rng: np.random.Generator) -> TokenTable:
    """The tokens with, in about `share` of the cases, only a random subset of modalities; it may be empty.

    Args:
        tokens: Of the cases of a step.
        share: 0 to 1.
        rng: Draws the cases and their subsets.
    """
    modalities = len(tokens.modalities)
    chosen = rng.random(len(tokens)) < share
    subset = rng.integers(0, 2**modalities - 1, len(tokens))  # every subset but the whole
    keep = (subset[:, None] >> np.arange(modalities) & 1).astype(bool) | ~chosen[:, None]
    place = np.clip(tokens.modality, 0, None)
    kept = np.take_along_axis(keep, place, axis=1) & (tokens.modality != PADDING)
    modality = np.where(kept, tokens.modality, PADDING)
    return TokenTable(tokens.modalities, modality, tokens.evidence, tokens.vector, tokens.age_days)


def _optimiser(network: FusionTransformer, config: ChallengerConfig) -> torch.optim.Optimizer:
    import torch

    additive = {id(parameter) for parameter in network.additive}
    free = [parameter for parameter in network.parameters() if id(parameter) not in additive]
    return torch.optim.AdamW(
        [
            {"params": network.additive, "lr": ADDITIVE_RATE * config.learning_rate, "weight_decay": 0.0},
            {"params": free, "weight_decay": config.weight_decay},
        ],
        lr=config.learning_rate,
    )


def _copied(network: FusionTransformer) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
