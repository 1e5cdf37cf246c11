"""What can be wrong with a film, as alterations of good films from which the quality gate learns.

A hospital has thousands of good films and hardly a labelled bad one, but it is known how a film goes bad:
altered copies of the training films are what the gate learns to tell from the films themselves. They are
altered after they were reduced, so that a fault is one of what a reader at that size sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.reduced import block_mean
from prognosis.evidence.imaging.regions import overlap

Squares = NDArray[np.float32]
Alter = Callable[[Squares, np.random.Generator], Squares]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a film is bad.

    Attributes:
        name: Names it in the model folder.
        reason: What is said of a film that has it.
        alter: From (n, side, side) good films to films with the fault.
        refuses: False when a film with it is read all the same, with a caution.
    """

    name: str
    reason: str
    alter: Alter
    refuses: bool = True


def _turned(quarters: int) -> Alter:
    return lambda films, _: np.rot90(films, quarters, axes=(1, 2))


def _inverted(films: Squares, _: np.random.Generator) -> Squares:
    return films.max(axis=(1, 2), keepdims=True) + films.min(axis=(1, 2), keepdims=True) - films


def _mirrored(films: Squares, _: np.random.Generator) -> Squares:
    return films[:, :, ::-1]


def _halved(axis: int, first: int) -> Alter:
    """Half of the film along an axis, drawn out to the whole square."""

    def alter(films: Squares, _: np.random.Generator) -> Squares:
        side = films.shape[1]
        stretch = (overlap(side, side // 2) * 2.0).astype(np.float32)
        half = films[:, first * side // 2 :][:, : side // 2] if axis == 1 else films
        if axis == 1:
            return np.asarray(stretch @ half)
        half = films[:, :, first * side // 2 :][:, :, : side // 2]
        return np.asarray(half @ stretch.T)

    return alter


def _masked(films: Squares, shown: Squares) -> Squares:
    """The films where `shown` is 1, their darkest value where it is 0."""
    low = films.min(axis=(1, 2), keepdims=True)
    return np.asarray(low + (films - low) * shown)


def _half_black(films: Squares, random: np.random.Generator) -> Squares:
    """About half of the width, at the left or the right, is shown."""
    shown = np.zeros_like(films)
    for mask in shown:
        width = int(random.uniform(0.4, 0.55) * films.shape[1])
        mask[:, slice(0, width) if random.integers(2) else slice(-width, None)] = 1.0
    return _masked(films, shown)


def _corner(films: Squares, random: np.random.Generator) -> Squares:
    """About a quarter of the film, in a corner, is shown."""
    shown = np.zeros_like(films)
    for mask in shown:
        lengths = (int(random.uniform(0.4, 0.55) * side) for side in mask.shape)
        mask[tuple(slice(0, own) if random.integers(2) else slice(-own, None) for own in lengths)] = 1.0
    return _masked(films, shown)


def _framed(films: Squares, random: np.random.Generator) -> Squares:
    """The whole film on about half of the width, a black frame around it."""
    side = films.shape[1]
    framed = np.zeros_like(films) + films.min(axis=(1, 2), keepdims=True)
    for number, film in enumerate(films):
        edge = int(random.uniform(0.2, 0.28) * side)
        inner = side - 2 * edge
        shrink = (overlap(inner, side) * (inner / side)).astype(np.float32)
        framed[number, edge : edge + inner, edge : edge + inner] = shrink @ film @ shrink.T
    return framed


def _clipped(films: Squares, shares: tuple[float, float], random: np.random.Generator) -> Squares:
    """A share of each film, between two, at one value: its brightest where they are from one half on."""
    share = random.uniform(*shares, len(films))
    limits = np.array([np.quantile(film, own) for film, own in zip(films, share, strict=True)])
    limit = limits.astype(np.float32)[:, None, None]
    return np.minimum(films, limit) if shares[0] >= 0.5 else np.maximum(films, limit)


def _overexposed(films: Squares, random: np.random.Generator) -> Squares:
    return _clipped(films, (0.5, 0.75), random)


def _underexposed(films: Squares, random: np.random.Generator) -> Squares:
    return _clipped(films, (0.3, 0.6), random)


def _blurred(films: Squares, random: np.random.Generator) -> Squares:
    """A Gaussian of 0.7 to 1.6% of the side or, every other film, motion over 4 to 6% along one axis."""
    side = films.shape[1]
    place = np.arange(side)
    blurred = np.empty_like(films)
    for number, film in enumerate(films):
        if number % 2:
            reach = max(1.0, random.uniform(0.02, 0.03) * side)
            kernel = np.clip(reach + 0.5 - np.abs(place[:, None] - place), 0.0, 1.0)
        else:
            spread = random.uniform(0.007, 0.016) * side
            kernel = np.exp(-0.5 * ((place[:, None] - place) / spread) ** 2)
        kernel = (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)
        down, across = (kernel, kernel) if number % 2 == 0 else (kernel, None)
        if across is not None:
            blurred[number] = down @ film @ across.T
        else:
            blurred[number] = down @ film if random.integers(2) else film @ down.T
    return blurred


def _coarse(films: Squares, random: np.random.Generator) -> Squares:
    """An eighth to a quarter of the detail along a side, interpolated or in squares."""
    side = films.shape[1]
    coarse = np.empty_like(films)
    for number, film in enumerate(films):
        few = side // (4 if number % 2 else 8)
        small = block_mean(film, few)
        if random.integers(2):
            place = np.clip((np.arange(side) + 0.5) * few / side - 0.5, 0, few - 1)
            grow = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(few))).astype(np.float32)
        else:
            grow = (overlap(side, few) * (side / few)).astype(np.float32)
        coarse[number] = grow @ small @ grow.T
    return coarse


def _noisy(films: Squares, random: np.random.Generator) -> Squares:
    """White noise of 3 to 10% of the film's range."""
    low, high = np.quantile(films, (0.01, 0.99), axis=(1, 2))[:, :, None, None]
    spread = random.uniform(0.03, 0.1, (len(films), 1, 1))
    noise = spread * (high - low) * random.standard_normal(films.shape)
    ends = films.min(axis=(1, 2), keepdims=True), films.max(axis=(1, 2), keepdims=True)
    return np.asarray(np.clip(films + noise, *ends), dtype=np.float32)


def _lettered(films: Squares, random: np.random.Generator) -> Squares:
    """One to four lines of characters, each a random pattern of 5 x 7 dots, at the brightest value."""
    side = films.shape[1]
    lettered = np.array(films)
    for film in lettered:
        height = max(4, round(random.uniform(0.03, 0.055) * side))
        top, left = (int(random.uniform(0.01, most) * side) for most in (0.7, 0.45))
        for line in range(int(random.integers(1, 5))):
            row = top + round(1.3 * height * line)
            characters = int(random.integers(8, 20))
            width = min(int(0.65 * height * characters), side - left)
            dots = random.random((7, characters, 6)) < 0.5
            dots[:, :, 5] = False
            ink = overlap(height, 7) * (height / 7) @ dots.reshape(7, -1)
            ink = ink @ (overlap(width, 6 * characters) * (width / (6 * characters))).T
            under = film[row : row + height, left : left + width]
            under += (film.max() - under) * ink[: len(under)].astype(np.float32)
    return lettered


FAULTS = (
    Fault("inverted", "film appears inverted (black and white exchanged)", _inverted),
    Fault("turned-left", "film appears turned by 90 degrees to the left", _turned(1)),
    Fault("upside-down", "film appears turned by 180 degrees", _turned(2)),
    Fault("turned-right", "film appears turned by 90 degrees to the right", _turned(3)),
    Fault("mirrored", "film may be mirrored (left and right exchanged)", _mirrored, refuses=False),
    Fault("left-half", "film appears cropped (only the left half of the image is shown)", _halved(2, 0)),
    Fault("right-half", "film appears cropped (only the right half of the image is shown)", _halved(2, 1)),
    Fault("upper-half", "film appears cropped (only the upper half of the image is shown)", _halved(1, 0)),
    Fault("lower-half", "film appears cropped (only the lower half of the image is shown)", _halved(1, 1)),
    Fault("half-black", "film appears cropped (the left or right half is black)", _half_black),
    Fault("corner", "film appears cropped (all but a corner is black)", _corner),
    Fault("framed", "film appears cropped (much of it is black border)", _framed),
    Fault("overexposed", "film appears clipped (much of it is at its brightest value)", _overexposed),
    Fault("underexposed", "film appears clipped (much of it is at its darkest value)", _underexposed),
    Fault("blurred", "film appears blurred (by motion or focus)", _blurred),
    Fault("coarse", "film appears to be of too low resolution (enlarged from a small image)", _coarse),
    Fault("noisy", "film appears too noisy", _noisy),
    Fault("lettered", "film appears to have text burned into it", _lettered),
)
