"""The training of one network on films or volumes and what happened after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.target import Target
from prognosis.evidence.imaging.arrays import FilmArrays
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.encoder import build_encoder, network_threads, read_out_gain
from prognosis.evidence.imaging.film_table import Progress
from prognosis.evidence.imaging.loss import breslow_exposure, class_loss, poisson_cox_loss, squared_loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from prognosis.evidence.imaging.pretrained import PretrainedEncoder


def train_encoder(
    films: FilmArrays,
    film_of: NDArray[np.intp],
    target: Target,
    config: ImagingConfig,
    seed: int,
    on_progress: Progress | None = None,
    encoder: PretrainedEncoder | None = None,
    offset: NDArray[np.float64] | None = None,
) -> nn.Module:
    """An encoder whose evidence, summed over a film, is the log-hazard (or log-odds) of each cause.

    Args:
        films: The films of the cohort.
        film_of: (examples,) the film of each example.
        target: What happened to each example.
        config: Settings.
        seed: Of the first weights, the order of films and the shifts.
        on_progress: Told the number of epochs done.
        encoder: Whose trunk is fine-tuned, where the settings say so.
        offset: (examples, causes) evidence known from elsewhere, beside which the films are read.
    """
    import torch

    with network_threads(config.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_encoder(config, len(target.causes), encoder)
        steps = _Steps(network, films, film_of, target, config, offset)
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
        offset: NDArray[np.float64] | None,
    ) -> None:
        import torch

        self.network, self.config = network, config
        self.films, self.film_of, self.target = films, film_of, target
        self.event = torch.from_numpy(target.happened.astype(np.float32))
        self.answered = torch.from_numpy(target.answered.astype(np.float32))
        self.values = None
        average = _average_log_odds(self.event, self.answered)
        if target.values is not None:
            self.values = torch.from_numpy(target.values.astype(np.float32))[:, None]
            average = torch.zeros_like(average)
        self.intercept = torch.nn.Parameter(average)
        self.evidence = np.zeros(self.event.shape)
        known = np.zeros(self.event.shape) if offset is None else offset - offset.mean(axis=0)
        self.known = torch.from_numpy(known.astype(np.float32))
        self.exposure = self._exposure()
        self.batches = max(1, round(len(film_of) / config.batch))
        groups = self._parameter_groups()
        self.optimiser = torch.optim.AdamW(groups, lr=config.learning_rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            [float(group["lr"]) for group in groups],
            total_steps=config.epochs * self.batches,
            pct_start=0.15,
        )

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Matrices with decay and vectors without; a pretrained trunk by itself, at its own learning rate."""
        rate, decay = self.config.learning_rate, self.config.weight_decay
        fresh, trunk = list(self.network.parameters()), []
        if self.config.trunk == "encoder":
            trunk = list(next(self.network.children()).parameters())
            fresh = fresh[len(trunk) :]
        groups = []
        for values, own, more in (
            (fresh, rate, [self.intercept]),
            (trunk, rate * self.config.trunk_rate, []),
        ):
            matrices = [value for value in values if value.ndim > 1]
            vectors = [value for value in values if value.ndim <= 1] + more
            groups.append({"params": matrices, "weight_decay": decay, "lr": own})
            groups.append({"params": vectors, "weight_decay": 0.0, "lr": own})
        return [group for group in groups if group["params"]]

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
        channels, weights = augmented(channels, weights, self.config)
        cells = self.network(channels)
        spread = torch.einsum("nkp,np->nk", cells.flatten(2), weights.flatten(1))
        return read_out_gain(cells.shape[2:]) * spread

    def _loss(self, evidence: Tensor, rows: Tensor) -> Tensor:
        whole = evidence + self.known[rows]
        if self.target.survival:
            return poisson_cox_loss(whole, self.exposure[rows], self.event[rows])
        if self.values is not None:
            return squared_loss(whole + self.intercept, self.values[rows])
        return class_loss(whole, self.intercept, self.event[rows], self.answered[rows])

    def _exposure(self) -> Tensor:
        """(examples, causes) each cause's baseline cumulative hazard at the end of follow-up."""
        import torch

        whole = self.evidence + self.known.numpy()
        columns = [
            breslow_exposure(
                self.target.days, self.target.happened[:, cause], np.clip(whole[:, cause], -6, 6)
            )
            for cause in range(len(self.target.causes))
        ]
        return torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))


def _average_log_odds(event: Tensor, answered: Tensor) -> Tensor:
    """(causes,) log-odds of each cause against nothing in the cases that answer: where training starts."""
    import torch

    counts = answered.sum(dim=0).clamp(min=1.0)
    share = event.sum(dim=0) / counts
    nothing = 1.0 - event.sum(dim=0).reshape(len(counts), -1).sum(dim=1) / counts
    return torch.log(share.clamp(1e-3, 1.0 - 1e-3) / nothing.clamp(min=1e-3))


def augmented(channels: Tensor, weights: Tensor, config: ImagingConfig) -> tuple[Tensor, Tensor]:
    """The batch with a random shift (edges repeated) and, where set, left and right exchanged at random."""
    import torch

    if config.augment == "none":
        return channels, weights
    most = round(config.shift * min(config.shape))
    if most > 0:
        offsets = torch.randint(-most, most + 1, (config.dimensions,)).tolist()
        padded = torch.nn.functional.pad(channels, (most,) * (2 * config.dimensions), mode="replicate")
        window: list[slice] = [
            slice(most + by, most + by + side) for by, side in zip(offsets, config.shape, strict=True)
        ]
        channels = padded[(slice(None), slice(None), *window)]
    if config.augment == "shift-flip":
        mirrored = torch.rand(len(channels)) < 0.5
        each = (-1, *(1,) * config.dimensions)
        channels = torch.where(mirrored.view(-1, 1, *each[1:]), channels.flip(-1), channels)
        weights = torch.where(mirrored.view(each), weights.flip(-1), weights)
    return channels, weights
