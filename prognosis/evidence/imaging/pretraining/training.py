"""The training of an encoder on images alone; no outcome, event or note is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError
from prognosis.evidence.imaging.arrays import image_channels
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.encoder import network_threads
from prognosis.evidence.imaging.film_table import Progress
from prognosis.evidence.imaging.films import Film, read_image
from prognosis.evidence.imaging.pretrained import PretrainedEncoder
from prognosis.evidence.imaging.pretrained.networks import build_network
from prognosis.evidence.imaging.pretrained.statement import EncoderStatement
from prognosis.evidence.imaging.pretraining.config import PretrainingConfig
from prognosis.evidence.imaging.pretraining.vicreg import vicreg_loss
from prognosis.evidence.imaging.pretraining.views import random_view
from prognosis.record import PatientRecord

if TYPE_CHECKING:
    from torch import nn

FEWEST_IMAGES = 16


@dataclass(frozen=True, slots=True)
class Images:
    """Images without outcomes.

    Attributes:
        channels: (n, width, *shape).
        patients: Whose they are.
        withheld: How many studies were not read, by reason.
    """

    channels: NDArray[np.float16]
    patients: frozenset[str]
    withheld: Counter[str]


@dataclass(frozen=True, slots=True)
class Pretrained:
    """An encoder and how its training went.

    Attributes:
        encoder: To be saved.
        losses: Mean VICReg loss of each epoch.
    """

    encoder: PretrainedEncoder
    losses: tuple[float, ...]


def unlabelled_images(
    records: Sequence[PatientRecord],
    config: ImagingConfig,
    left_out: Callable[[PatientRecord], bool],
    on_progress: Progress | None = None,
) -> Images:
    """Every readable study of every patient who is not left out.

    Args:
        records: The patients; only their studies are read.
        config: How images are read.
        left_out: True for a patient whose images must not be seen, such as one of a test set.
        on_progress: Told how many patients were read.

    Raises:
        CohortError: Fewer than 16 images can be read.
    """
    channels, patients, withheld = [], set(), Counter[str]()
    for number, record in enumerate(records):
        if not left_out(record):
            for study in record.studies:
                film = read_image(study, record.person, config)
                if isinstance(film, Film):
                    channels.append(image_channels(film, config).astype(np.float16))
                    patients.add(record.person)
                else:
                    withheld[film.partition(": ")[2]] += 1
        if on_progress is not None:
            on_progress("reading studies", number + 1, len(records))
    if len(channels) < FEWEST_IMAGES:
        why = f"; most often: {withheld.most_common(1)[0][0]}" if withheld else ""
        raise CohortError(
            f"{len(records)} patients",
            f"have {len(channels)} readable images{why}",
            f"give sources with at least {FEWEST_IMAGES}",
        )
    return Images(np.stack(channels), frozenset(patients), withheld)


def pretrain_encoder(
    images: Images, config: PretrainingConfig, on_progress: Progress | None = None
) -> Pretrained:
    """Train the trunk so that two views of an image agree (VICReg).

    Args:
        images: At least 16.
        config: Settings.
        on_progress: Told the number of epochs done.
    """
    import torch

    with network_threads(config.imaging.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        statement = _statement(config.imaging)
        network = build_network(statement)
        encoder = PretrainedEncoder(statement, network.eval(), Path("new"))
        trunk = encoder.trunk(config.imaging).train()
        projector = _projector(encoder.map_shape(config.imaging)[0], config.projector)
        parameters = [*network.train().parameters(), *projector.parameters()]
        optimiser = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
        steps = max(1, len(images.channels) // config.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, config.learning_rate, total_steps=config.epochs * steps, pct_start=0.1
        )
        losses = []
        for epoch in range(config.epochs):
            total = 0.0
            for rows in torch.tensor_split(torch.randperm(len(images.channels)), steps):
                seen = torch.from_numpy(images.channels[rows.numpy()].astype(np.float32))
                first, second = (
                    projector(trunk(random_view(seen, config)).flatten(2).mean(dim=2)) for _ in range(2)
                )
                loss = vicreg_loss(first, second)
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
                schedule.step()
                total += float(loss.detach())
            losses.append(total / steps)
            if on_progress is not None:
                on_progress("pretraining", epoch + 1, config.epochs)
    return Pretrained(PretrainedEncoder(statement, network.eval(), Path("new")), tuple(losses))


def _statement(config: ImagingConfig) -> EncoderStatement:
    """The encoder that the settings' trunk is."""
    if config.trunk == "tiny":
        network: dict[str, Any] = {
            "channels": config.channels,
            "strides": config.strides,
            "norm": config.norm,
            "contrast_scales": config.contrast_scales,
        }
        return EncoderStatement(
            kind="tiny", dimensions=config.dimensions, channels=config.width, network=network
        )
    from prognosis.evidence.imaging.resnet import ResNetShape

    shape = asdict(ResNetShape.named(config.trunk, config.dimensions, config.images))
    network = {name: value for name, value in shape.items() if name not in ("dimensions", "channels")}
    return EncoderStatement(
        kind="resnet",
        dimensions=config.dimensions,
        channels=config.images,
        network=network,
        mean=(0.5,),
        std=(0.25,),
    )


def _projector(width: int, inside: int) -> nn.Module:
    """The layers in which views are compared, thrown away afterwards."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(width, inside), nn.BatchNorm1d(inside), nn.ReLU(), nn.Linear(inside, inside)
    )
