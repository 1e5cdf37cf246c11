"""Films and volumes in joint training: the network and the weights of fixed descriptors move together."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from prognosis.cohort import Case
from prognosis.evidence import EvidenceModel, ModalityEvidence
from prognosis.evidence.imaging.arrays import FilmArrays, film_arrays
from prognosis.evidence.imaging.combine import SHORTEST_GAP_DAYS, Combination, film_change
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.encoder import read_out_gain
from prognosis.evidence.imaging.film_table import FilmTable, Progress
from prognosis.evidence.imaging.films import Film, gather_films
from prognosis.evidence.imaging.members import FoldMembers
from prognosis.evidence.imaging.model import Centres, ImagingEvidence, case_evidence, modality_evidence
from prognosis.evidence.imaging.outline import outline_films
from prognosis.evidence.imaging.training import augmented
from prognosis.fusion.end_to_end.parts import Array, Flags, Read, Reader

_CENTRE_STEP = 0.05  # share of a batch's mean that enters the running centre of the evidence


class ImagingPart:
    """The films of all cases as arrays.

    Args:
        cases: The cases.
        start: Any fold's model: they share their gate and how films are read.
        on_progress: Told how many films were read.
    """

    def __init__(
        self, cases: Sequence[Case], start: EvidenceModel, on_progress: Progress | None = None
    ) -> None:
        model = cast("ImagingEvidence", start)
        gathered = gather_films(cases, model.config, on_progress, model.gate)
        self.table: FilmTable[Film] = outline_films(gathered, model.segmenter)
        self.films: FilmArrays = film_arrays(self.table.films, model.config, on_progress, model.encoder)

    @property
    def present(self) -> Flags:
        """(n,) True where a case has a film that can be read."""
        return self.table.present

    def reader(self, start: EvidenceModel, learn: Flags) -> ImagingReader:
        """The fold's model, all of whose members move as one sum."""
        return ImagingReader(self, cast("ImagingEvidence", start), learn & self.present)

    def model(self, start: EvidenceModel, reader: Reader, learn: Flags) -> ImagingEvidence:
        """The fold's model with its members where training took them, each counting in full."""
        model, own = cast("ImagingEvidence", start), cast("ImagingReader", reader)
        members = own.members()
        regions = members.regions(self.films, model.config)
        unseen = ~learn & self.present
        judged = unseen if unseen.any() else self.present
        centre = regions[:, self.table.latest[judged]].mean(axis=1)
        moved = film_change((regions - centre[:, None]).sum(axis=0), self.table)
        pairs = judged & (self.table.previous >= 0)
        change_centre = moved[pairs].mean(axis=0) if pairs.any() else np.zeros(moved.shape[1:])
        return replace(
            model,
            folds=(members,),
            combination=Combination(np.ones((len(regions), regions.shape[2])), model.combination.change),
            centres=Centres(centre[None], change_centre),
        )

    def evidence(self, model: EvidenceModel) -> ModalityEvidence:
        """What a model says of every case."""
        own = cast("ImagingEvidence", model)
        each = [
            fold.regions(self.films, own.config) - centre[:, None]
            for fold, centre in zip(own.folds, own.centres.members, strict=True)
        ]
        members = np.asarray(np.mean(each, axis=0))
        level, change = case_evidence(members, self.table, own.combination, own.centres.change)
        distance = np.zeros(len(self.present))
        distance[self.present] = self._distances(own)[self.table.latest[self.present]]
        return modality_evidence(self.table, level, change, distance)

    def average(self, models: Sequence[EvidenceModel], gain: Array) -> ImagingEvidence:
        """The folds' members side by side, which are averaged, and the mean of what change counts for."""
        owned = [cast("ImagingEvidence", model) for model in models]
        change = np.mean([model.combination.change for model in owned], axis=0)
        return replace(
            owned[0],
            folds=tuple(fold for model in owned for fold in model.folds),
            combination=Combination(owned[0].combination.slopes * gain, change),
            centres=Centres(
                np.concatenate([model.centres.members for model in owned]),
                gain[:, None] * np.mean([model.centres.change for model in owned], axis=0),
            ),
        )

    def _distances(self, model: ImagingEvidence) -> Array:
        """(films,) of each from the training films."""
        if model.config.dimensions == 3:
            return model.typical.distance(self.films.statistics)
        verdicts = [film.quality.verdict for film in self.table.films if film.quality is not None]
        return np.array([0.0 if verdict is None else verdict.distance for verdict in verdicts])


@dataclass(frozen=True, slots=True)
class _Member:
    """A linear member: where its weights start, and the scale in which they move.

    Attributes:
        weights: (features, causes) at the start, its slope multiplied in.
        scales: (features,).
    """

    weights: Array
    scales: Array


class ImagingReader(Reader):
    """The fixed descriptors' and a frozen encoder's weights, and the network, in one sum over regions.

    Args:
        part: The films.
        start: The model of one fold.
        learn: (n,) cases with a film that it is trained on.
    """

    def __init__(self, part: ImagingPart, start: ImagingEvidence, learn: Flags) -> None:
        super().__init__()
        (fold,), slopes = start.folds, start.combination.slopes
        causes = slopes.shape[1]
        self.config: ImagingConfig = start.config
        self.films, self.width = part.films, 2 * causes
        inputs = [part.films.descriptors.sum(axis=1)]
        weights = [fold.coefficients * slopes[0]]
        if fold.frozen is not None and part.films.features is not None:
            inputs.append(part.films.features.sum(axis=1))
            weights.append(fold.frozen * slopes[1])
        latest = part.table.latest[learn]
        self.linear = [_Member(own, _spread(each[latest])) for own, each in zip(weights, inputs, strict=True)]
        base = np.sum([each @ own for each, own in zip(inputs, weights, strict=True)], axis=0)
        features = np.concatenate(
            [each / member.scales for each, member in zip(inputs, self.linear, strict=True)], axis=1
        )
        features = features - features[latest].mean(axis=0)
        self.moved = nn.Parameter(torch.zeros(features.shape[1], causes))
        self.network = None if fold.network is None else _scaled(fold.network, slopes[-1])
        centre = np.einsum("mk,mkr->k", slopes, start.centres.members[0])
        self.register_buffer("centre", _tensor(centre))
        fixed = {"base": base, "features": features, "change": start.combination.change}
        fixed |= {"gap": np.maximum(part.table.gap_days, SHORTEST_GAP_DAYS)}
        fixed |= {"change_centre": start.centres.change.sum(axis=1)}
        for name, values in fixed.items():
            self.register_buffer(name, _tensor(values), persistent=False)
        for name, places in (("latest", part.table.latest), ("previous", part.table.previous)):
            self.register_buffer(name, torch.from_numpy(places.copy()), persistent=False)
        self.changes = bool(start.combination.change.any())

    def forward(self, rows: Tensor) -> Read:
        """Read the cases at `rows`."""
        level = self._level(self.get_buffer("latest")[rows])
        if self.training:
            centre = self.get_buffer("centre")
            centre.lerp_(level.detach().mean(dim=0) + centre, _CENTRE_STEP)
        change = torch.zeros_like(level)
        before = self.get_buffer("previous")[rows]
        paired = torch.nonzero(before >= 0).squeeze(1)
        if self.changes and len(paired):
            gained = level[paired] - self._level(before[paired])
            a_day = gained / self.get_buffer("gap")[rows[paired]][:, None] - self.get_buffer("change_centre")
            change = change.index_copy(0, paired, self.get_buffer("change") * a_day)
        return Read((level + change)[:, :, None], torch.cat([level, change], dim=1))

    def _level(self, films: Tensor) -> Tensor:
        """(films, causes) evidence of films, about the running centre."""
        moved = self.get_buffer("features")[films] @ self.moved
        linear = self.get_buffer("base")[films] + moved - self.get_buffer("centre")
        if self.network is None:
            return linear
        number = films.cpu().numpy()
        channels = torch.from_numpy(self.films.channels[number].astype(np.float32)).to(films.device)
        weights = torch.from_numpy(self.films.weights[number].sum(axis=1)).to(films.device)
        if self.training:
            channels, weights = augmented(channels, weights, self.config)
        cells = self.network(channels)
        spread = torch.einsum("nkp,np->nk", cells.flatten(2).float(), weights.flatten(1))
        return linear + read_out_gain(cells.shape[2:]) * spread

    def members(self) -> FoldMembers:
        """The trained members."""
        moved, at, weights = self.moved.detach().cpu().numpy().astype(np.float64), 0, []
        for member in self.linear:
            own = moved[at : at + len(member.scales)]
            weights.append(member.weights + own / member.scales[:, None])
            at += len(own)
        return FoldMembers(weights[0], self.network, weights[1] if len(weights) > 1 else None)


def _scaled(network: nn.Module, slopes: Array) -> nn.Module:
    """A copy of a network whose evidence is multiplied by each cause's slope."""
    own = copy.deepcopy(network)
    read_out = list(own.children())[-1]
    with torch.no_grad():
        for values in read_out.parameters():
            values.mul_(_tensor(slopes).view(-1, *(1,) * (values.ndim - 1)))
    return own


def _spread(values: NDArray[np.float64]) -> Array:
    spread = values.std(axis=0) if len(values) else np.ones(values.shape[1])
    return np.where(spread > 1e-9, spread, np.inf)


def _tensor(values: Array) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
