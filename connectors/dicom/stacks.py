"""Which frames of a series make a volume, in what order, and where it lies; pixels are not needed for it.

- A frame without a place in the patient (a radiograph, a frame of a loop in time) is a film of its own, and
  so is a localizer: it lies across the slices that it was made to plan.
- Slices of one direction make one stack, ordered along their normal. Slices of another direction are another.
- Where two slices share a position, the series holds several stacks (echoes, diffusion weightings, phases,
  kernels): they are told apart by what the file states of them. All must then have the same slices.
- What is repeated, lacking or uneven is refused with its numbers. A gap is never filled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.frame import DIRECTION_TOLERANCE, MARKS, Frame, Place
from prognosis.errors import StudyError

SAME_PLACE_MM = 0.01
GAP_TOLERANCE = 0.05
ROUNDED_MM = 0.1
"""Positions written with one decimal: gaps differ by so much and mean nothing by it."""
MOST_DIRECTIONS = 8


@dataclass(frozen=True, slots=True)
class Stack:
    """The frames of one volume, from its first slice to its last.

    Attributes:
        frames: At least one.
        affine: 4x4, voxel index (x, y, z) to patient millimetres.
        name: What it is called among the volumes of its series, "" where it is the only one.
    """

    frames: tuple[Frame, ...]
    affine: NDArray[np.float64]
    name: str


def stacks(frames: Sequence[Frame], reference: str) -> list[Stack]:
    """The volumes that the frames of one series make: films first, then stacks of slices.

    Raises:
        StudyError: Slices are repeated, lacking, uneven, of different sizes, or lie in too many directions.
    """
    films = [frame for frame in frames if frame.place is None or frame.localizer]
    made = [_film(frame) for frame in films]
    slices = [frame for frame in frames if frame.place is not None and not frame.localizer]
    groups = _by_direction(slices)
    if len(groups) > MOST_DIRECTIONS:
        raise StudyError(
            reference, f"holds slices in {len(groups)} directions", "export one acquisition a series"
        )
    for place, group in enumerate(groups, 1):
        _check_alike(group, reference)
        direction = f"direction {place}" if len(groups) > 1 else ""
        for name, members in _by_marks(group, reference).items():
            made.append(_stack(members, " ".join(filter(None, [direction, name])), reference))
    return made


def _film(frame: Frame) -> Stack:
    names = ["localizer"] if frame.localizer else []
    names += [f"frame {frame.number}"] if frame.count > 1 else []
    return Stack((frame,), _affine(frame, None), " ".join(names))


def _places(frames: Sequence[Frame]) -> list[Place]:
    return [frame.place for frame in frames if frame.place is not None]


def _by_direction(frames: Sequence[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    firsts: list[NDArray[np.float64]] = []
    for frame, place in zip(frames, _places(frames), strict=True):
        for group, first in zip(groups, firsts, strict=True):
            if np.abs(place.directions - first).max() <= DIRECTION_TOLERANCE:
                group.append(frame)
                break
        else:
            groups.append([frame])
            firsts.append(place.directions)
    return groups


def _check_alike(group: Sequence[Frame], reference: str) -> None:
    if len({frame.shape for frame in group}) > 1:
        raise StudyError(reference, "holds slices of different sizes", "export one acquisition a series")
    if len({frame.spacing for frame in group}) > 1:
        raise StudyError(
            reference, "holds slices of different pixel spacing", "export one acquisition a series"
        )


def _depths(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """How far along their normal each frame lies, in mm."""
    places = _places(frames)
    return np.array([place.position for place in places]) @ places[0].normal


def _repeated(frames: Sequence[Frame]) -> int:
    """How many frames lie where another lies."""
    return int((np.diff(np.sort(_depths(frames))) < SAME_PLACE_MM).sum())


def _by_marks(group: Sequence[Frame], reference: str) -> dict[str, list[Frame]]:
    """The group's stacks by name: one, or as many as are needed so that none holds a position twice."""
    left = _repeated(group)
    used: list[int] = []
    parts: dict[tuple[str, ...], list[Frame]] = {(): list(group)}
    for place in range(len(MARKS)):
        if left == 0:
            break
        if len({frame.marks[place] for frame in group}) == 1:
            continue
        trial: dict[tuple[str, ...], list[Frame]] = defaultdict(list)
        for frame in group:
            trial[tuple(frame.marks[each] for each in [*used, place])].append(frame)
        repeated = sum(_repeated(members) for members in trial.values())
        if repeated < left:
            left, parts = repeated, trial
            used.append(place)
    if left:
        raise StudyError(
            reference, f"holds {left} slices at the position of another slice", "export each slice once"
        )
    names = [MARKS[place] for place in used]
    _check_complete(list(parts.values()), ", ".join(names), reference)
    return {
        " ".join(f"{name} {value}" for name, value in zip(names, values, strict=True) if value): members
        for values, members in parts.items()
    }


def _check_complete(parts: Sequence[Sequence[Frame]], marks: str, reference: str) -> None:
    """Stacks told apart must have the same slices, or one lacks some."""
    counts = [len(members) for members in parts]
    if len(set(counts)) > 1:
        raise StudyError(
            reference,
            f"holds {len(parts)} stacks by {marks}, of {min(counts)} to {max(counts)} slices: "
            f"{max(counts) * len(counts) - sum(counts)} are lacking",
            "export the whole series",
        )
    depths = np.sort([_depths(members) for members in parts], axis=1)
    if np.ptp(depths, axis=0).max() > SAME_PLACE_MM:
        raise StudyError(
            reference, f"holds {len(parts)} stacks by {marks} that lie apart", "export one stack a series"
        )


def _stack(frames: Sequence[Frame], name: str, reference: str) -> Stack:
    if len(frames) == 1:
        return Stack((frames[0],), _affine(frames[0], None), name)
    depths = _depths(frames)
    ordered = [frames[int(place)] for place in np.argsort(depths, kind="stable")]
    gaps = np.diff(np.sort(depths))
    _check_gaps(gaps, reference)
    positions = np.array([place.position for place in _places(ordered)])
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    straight = positions[0] + np.arange(len(ordered))[:, None] * step
    off = float(np.linalg.norm(positions - straight, axis=1).max())
    if off > _tolerance(float(np.median(gaps))):
        raise StudyError(
            reference, f"holds slices up to {off:.4g} mm off one straight line", "export one stack a series"
        )
    return Stack(tuple(ordered), _affine(ordered[0], step), name)


def _tolerance(usual: float) -> float:
    """What a gap may differ by, in mm."""
    return max(GAP_TOLERANCE * usual, min(ROUNDED_MM, usual / 4.0))


def _check_gaps(gaps: NDArray[np.float64], reference: str) -> None:
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    odd = np.flatnonzero(np.abs(gaps - usual) > _tolerance(usual))
    if not len(odd):
        return
    first = int(odd[0])
    where = f"{gaps[first]:.4g} mm after slice {first + 1} of {len(gaps) + 1}, where {usual:.4g} mm is usual"
    lacking = np.rint(gaps[odd] / usual) - 1
    if (np.abs(gaps[odd] - (lacking + 1) * usual) <= _tolerance(usual)).all() and (lacking > 0).all():
        raise StudyError(reference, f"lacks {int(lacking.sum())} slices: {where}", "export the whole series")
    raise StudyError(reference, f"has {len(odd)} uneven gaps: {where}", "export one stack a series")


def _affine(frame: Frame, step: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """A frame's grid; the step between slices is what the file states of one slice where none is given."""
    columns, rows = frame.spacing or (1.0, 1.0)
    affine = np.diag([columns, rows, 1.0, 1.0])
    if frame.place is not None:
        if step is None:
            step = frame.place.normal * (frame.slice_spacing or 1.0)
        affine[:3, 0] = frame.place.directions[0] * columns
        affine[:3, 1] = frame.place.directions[1] * rows
        affine[:3, 2] = step
        affine[:3, 3] = frame.place.position
    return affine
