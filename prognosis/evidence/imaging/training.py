"""The training of one encoder on films and what happened after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evidence.imaging.arrays import FilmArrays
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.encoder import build_encoder, network_threads, read_out_gain
from prognosis.evidence.imaging.films import Progress
from prognosis.evidence.imaging.loss import breslow_exposure, poisson_cox_loss, softmax_loss

if TYPE_CHECKING:
    from torch import Tensor, nn


def train_encoder(
    films: FilmArrays,
    film_of: NDArray[np.intp],
    target: Target,
    config: ImagingConfig,
    seed: int,
    on_progress: Progress | None = None,
) -> nn.Module:
    """An encoder whose evidence, summed over a film, is the log-hazard (or log-odds) of each cause.

    Args:
        films: The films of the cohort.
        film_of: (examples,) the film of each example.
        target: What happened to each example.
        config: Settings.
        seed: Of the first weights, the order of films and the shifts.
        on_progress: Told the number of epochs done.
    """
    import torch

    with network_threads(config.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_encoder(config, len(target.causes))
        steps = _Steps(network, films, film_of, target, config)
        for epoch in range(config.epochs):
            steps.one_epoch()
            if on_progress is not None:
                on_progress("training the film encoder", epoch + 1, config.epochs)
    return network.eval()


class _Steps:
    """The state of a training run: weights, optimiser, the baseline hazard as of the last epoch."""

    def __init__(
        self,
        network: nn.Module,
        films: FilmArrays,
        film_of: NDArray[np.intp],
        target: Target,
        config: ImagingConfig,
    ) -> None:
        import torch

        self.network, self.config = network, config
        self.films, self.film_of, self.target = films, film_of, target
        self.event = torch.from_numpy(
            (target.cause[:, None] == np.arange(1, len(target.causes) + 1)).astype(np.float32)
        )
        frequency = self.event.mean(dim=0).clamp(1e-3, 1.0 - 1e-3)
        self.intercept = torch.nn.Parameter(
            torch.log(frequency / (1.0 - self.event.sum(dim=1).mean()).clamp(min=1e-3))
        )
        self.evidence = np.zeros(self.event.shape)
        self.exposure = self._exposure()
        self.batches = max(1, round(len(film_of) / config.batch))
        matrices = [value for value in network.parameters() if value.ndim > 1]
        vectors = [value for value in network.parameters() if value.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": config.weight_decay},
                {"params": [*vectors, self.intercept], "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, config.learning_rate, total_steps=config.epochs * self.batches, pct_start=0.15
        )

    def one_epoch(self) -> None:
        """One pass over the examples in a new order."""
        import torch

        self.network.train()
        order = torch.randperm(len(self.film_of))
        for rows in torch.tensor_split(order, self.batches):
            evidence = self._forward(rows)
            loss = self._loss(evidence, rows)
            self.optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimiser.step()
            self.schedule.step()
            self.evidence[rows.numpy()] = evidence.detach().numpy()
        self.exposure = self._exposure()

    def _forward(self, rows: Tensor) -> Tensor:
        """(batch, causes) evidence of the examples at `rows`, each film a little shifted or mirrored."""
        import torch

        number = self.film_of[rows.numpy()]
        channels = torch.from_numpy(self.films.channels[number].astype(np.float32))
        weights = torch.from_numpy(self.films.weights[number].sum(axis=1))
        channels, weights = _augmented(channels, weights, self.config)
        cells = self.network(channels)
        return read_out_gain(self.config) * torch.einsum("nkhw,nhw->nk", cells, weights)

    def _loss(self, evidence: Tensor, rows: Tensor) -> Tensor:
        if self.target.survival:
            return poisson_cox_loss(evidence, self.exposure[rows], self.event[rows])
        return softmax_loss(evidence, self.intercept, self.event[rows])

    def _exposure(self) -> Tensor:
        """(examples, causes) each cause's baseline cumulative hazard at the end of follow-up."""
        import torch

        columns = [
            breslow_exposure(
                self.target.days, self.target.cause == cause + 1, np.clip(self.evidence[:, cause], -6, 6)
            )
            for cause in range(len(self.target.causes))
        ]
        return torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))


def _augmented(channels: Tensor, weights: Tensor, config: ImagingConfig) -> tuple[Tensor, Tensor]:
    """The batch with a random shift (edges repeated) and, where set, left and right exchanged at random."""
    import torch

    if config.augment == "none":
        return channels, weights
    most = round(config.shift * config.size)
    if most > 0:
        down, across = torch.randint(-most, most + 1, (2,)).tolist()
        size = config.size
        padded = torch.nn.functional.pad(channels, (most,) * 4, mode="replicate")
        channels = padded[:, :, most + down : most + down + size, most + across : most + across + size]
    if config.augment == "shift-flip":
        mirrored = torch.rand(len(channels)) < 0.5
        channels = torch.where(mirrored[:, None, None, None], channels.flip(-1), channels)
        weights = torch.where(mirrored[:, None, None], weights.flip(-1), weights)
    return channels, weights
