"""The training of one segmentation network on images and what somebody marked on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.errors import CohortError, StudyError
from prognosis.evidence.imaging.encoder import network_threads
from prognosis.evidence.segmentation.augmentation import augmented, mirrored_order
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.segmentation.grid import WorkingGrid, padding, read_image, read_target
from prognosis.evidence.segmentation.networks import build_network
from prognosis.record import Segmentation, Volume

if TYPE_CHECKING:
    from torch import Tensor, nn

Progress = Callable[[str, int, int], None]

_ON_A_STRUCTURE = 0.5  # share of a volume's patches that are drawn round a voxel of a structure


@dataclass(frozen=True, slots=True)
class Example:
    """An image on its working grid and what is marked there.

    Attributes:
        image: (*grid) 0 to 1.
        target: (1 + structures, *grid) see `read_target`.
    """

    image: NDArray[np.float32]
    target: NDArray[np.float16]


def read_example(
    volume: Volume, marked: Segmentation, structures: tuple[str, ...], config: SegmentationConfig
) -> Example:
    """A volume and its segmentation as the network reads them.

    Raises:
        StudyError: The two differ in shape.
    """
    if marked.labels.shape != volume.voxels.shape:
        raise StudyError(volume.source, "has a segmentation of another shape", "mark the volume's own voxels")
    grid = WorkingGrid.of(volume, config)
    return Example(read_image(volume, grid, config), read_target(marked, structures, grid))


def train_network(
    examples: Sequence[Example],
    structures: tuple[str, ...],
    config: SegmentationConfig,
    seed: int,
    on_progress: Progress | None = None,
) -> nn.Module:
    """A network that outlines the structures, trained on the sum of cross-entropy and soft Dice loss.

    Args:
        examples: All films, or all volumes.
        structures: Their names, in the order of the examples' channels.
        config: Settings.
        seed: Of the first weights, the order of examples, patches and random changes.
        on_progress: Told the number of epochs done.

    Raises:
        CohortError: There is no example, or films and volumes are mixed.
    """
    import torch

    dimensions = sorted({example.image.ndim for example in examples})
    if len(dimensions) != 1:
        problem = "mix films and volumes" if dimensions else "hold no marked image"
        raise CohortError("the training images", problem, "train on marked films, or on marked volumes")
    with network_threads(config.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(config, dimensions[0], len(structures))
        steps = _Steps(network, examples, structures, config, np.random.default_rng(seed))
        for epoch in range(config.epochs):
            steps.one_epoch()
            if on_progress is not None:
                on_progress("training the segmentation", epoch + 1, config.epochs)
        network.load_state_dict(steps.mean)
    return network.eval()


class _Steps:
    """The state of a training run: the optimiser, and the running mean of the weights."""

    def __init__(
        self,
        network: nn.Module,
        examples: Sequence[Example],
        structures: tuple[str, ...],
        config: SegmentationConfig,
        rng: np.random.Generator,
    ) -> None:
        import torch

        self.network, self.config, self.examples, self.rng = network, config, examples, rng
        self.order = mirrored_order(structures) if config.mirror else None
        self.drawn = np.repeat(np.arange(len(examples)), config.patches if examples[0].image.ndim == 3 else 1)
        self.batches = -(-len(self.drawn) // config.batch)
        self.optimiser = torch.optim.AdamW(
            network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, config.learning_rate, total_steps=config.epochs * self.batches, pct_start=0.1
        )
        self.mean = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.steps = 0

    def one_epoch(self) -> None:
        """One pass over the examples in a new order."""
        import torch

        self.network.train()
        for rows in np.array_split(self.rng.permutation(self.drawn), self.batches):
            patches = [self._patch(self.examples[row]) for row in rows]
            images = torch.from_numpy(np.stack([image for image, _ in patches]))[:, None]
            targets = torch.from_numpy(np.stack([target for _, target in patches]))
            images, targets = augmented(images, targets, self.config.augment, self.order)
            loss = segmentation_loss(self.network(images), targets)
            self.optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimiser.step()
            self.schedule.step()
            self._average()

    def _average(self) -> None:
        """Take the weights into their running mean; early steps count less than the mean would keep."""
        self.steps += 1
        kept = min(self.config.averaging, self.steps / (self.steps + 9.0))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():  # and not batch normalisation's count of batches
                self.mean[name].lerp_(value.detach(), 1.0 - kept)

    def _patch(self, example: Example) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the network sees of an example: all of a film, a random part of a larger volume."""
        window = self.config.window_shape(example.image.ndim)
        gaps = padding(example.image.shape, window)
        image, target = np.pad(example.image, gaps), np.pad(example.target, ((0, 0), *gaps))
        room = np.array(image.shape) - np.array(window)
        corner = self.rng.integers(0, room + 1)
        if room.any() and self.rng.random() < _ON_A_STRUCTURE:
            inside = np.argwhere(target[1:].any(axis=0))
            if len(inside):
                centre = inside[self.rng.integers(len(inside))]
                corner = np.clip(centre - np.array(window) // 2, 0, room)
        cut = tuple(slice(first, first + side) for first, side in zip(corner, window, strict=True))
        return image[cut], target[(slice(None), *cut)].astype(np.float32)


def segmentation_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy plus one minus soft Dice (Milletari et al., 3DV 2016), where the image is marked.

    Args:
        logits: (n, 1 + structures, *grid).
        targets: (n, 1 + structures, *grid) shares that sum to 1 where the image is marked and to 0 elsewhere.
    """
    import torch

    marked = targets.sum(dim=1, keepdim=True)
    surprise = -(targets * torch.log_softmax(logits, dim=1)).sum() / marked.sum().clamp(min=1.0)
    axes = tuple(range(2, logits.ndim))
    probability = torch.softmax(logits, dim=1) * marked
    shared = (probability * targets).sum(dim=axes)
    total = probability.sum(dim=axes) + targets.sum(dim=axes)
    dice = (2.0 * shared + 1.0) / (total + 1.0)
    return surprise + 1.0 - dice[:, 1:].mean()
