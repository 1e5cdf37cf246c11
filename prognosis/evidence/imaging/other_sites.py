"""Copies of good films as other sites might have made them: what the quality gate is to take for ordinary.

Another hospital's films differ in what its detectors, its software and its habits do to any film: the tone
curve, sharpening, the contrast of large structures, how much lies beyond black and white, how near the chest
fills the film, a little noise. Films of one hospital do not show it, so a gate that learned from them alone
takes every other hospital's films for faulty. Each copy has a little of all of it, less than of a fault.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Squares = NDArray[np.float32]

_FINE, _BROAD = 0.004, 0.06  # of the side: standard deviations of what is sharpened and what is evened out
_ENDS = (0.002, 0.998)  # quantiles between which the tone curve is bent
_ZOOM, _ASPECT, _SHIFT = 0.12, 0.06, 0.05  # logarithms; of the side
_GAMMA = 0.5  # logarithm
_SHARPER, _EVENER = (-0.5, 1.0), (-0.4, 0.6)  # times what the Gaussian takes away
_BLACK, _WHITE = 0.08, 0.06  # most of the film beyond each end
_CLIPPED = 0.7  # of the copies have some of it, at either end
_NOISE = 0.01  # of the range


def other_site(films: Squares, random: np.random.Generator) -> Squares:
    """(n, side, side) a copy of each film, in units of its own range.

    Args:
        films: (n, side, side) good films, from `reduced_film`.
        random: Decides how each copy differs.
    """
    side = films.shape[1]
    fine, broad = _gaussian(side, _FINE * side), _gaussian(side, _BROAD * side)
    copies = np.empty_like(films)
    for copy, film in zip(copies, films, strict=True):
        low, high = np.quantile(film, _ENDS)
        toned = np.clip((film - low) / max(float(high - low), 1e-9), 0.0, 1.0)
        toned = _placed(toned, random) ** np.exp(random.uniform(-_GAMMA, _GAMMA))
        toned += random.uniform(*_SHARPER) * (toned - fine @ toned @ fine.T)
        toned += random.uniform(*_EVENER) * (toned - broad @ toned @ broad.T)
        black, white = random.uniform(0.0, (_BLACK, _WHITE)) * (random.random(2) < _CLIPPED)
        low, high = np.quantile(toned, (black, 1.0 - white))
        noise = random.uniform(0.0, _NOISE) * (high - low) * random.standard_normal(toned.shape)
        copy[...] = np.clip(toned, low, high) + noise
    return copies


def _placed(film: Squares, random: np.random.Generator) -> Squares:
    """The film nearer or farther, a little wider or higher, and shifted; black where nothing was taken."""
    zoom, aspect = random.uniform(-_ZOOM, _ZOOM), random.uniform(-_ASPECT, _ASPECT)
    down, across = (
        _interpolation(len(film), np.exp(each), random.uniform(-_SHIFT, _SHIFT))
        for each in (zoom + aspect, zoom - aspect)
    )
    return np.asarray(down @ film @ across.T)


def _interpolation(side: int, zoom: float, shift: float) -> Squares:
    """(side, side) linear weights that enlarge a line about its middle and shift it by a share of it."""
    place = (np.arange(side) + 0.5 - 0.5 * side) / zoom + 0.5 * side - 0.5 + shift * side
    weights = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(side)))
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    taken = (place >= -0.5) & (place <= side - 0.5)
    return np.asarray(weights * taken[:, None], dtype=np.float32)


def _gaussian(side: int, spread: float) -> Squares:
    """(side, side) weights of a Gaussian about each place, which sum to one over the line."""
    place = np.arange(side)
    weights = np.exp(-0.5 * ((place[:, None] - place) / max(spread, 1e-3)) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
