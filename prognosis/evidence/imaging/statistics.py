"""What a film's quality is judged by: its layout, its tones, and its detail at each scale, as one row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.imaging.reduced import block_mean

Array = NDArray[np.float64]
Squares = NDArray[np.float32]

_WINDOW = (0.005, 0.995)  # quantiles that become black and white
_NEAR_END = 0.005  # of the film's range: so near its least or greatest value is at it
_LAYOUT = 8  # squares along a side of the coarse layout
_TONES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_DETAIL_SIDE = 128  # the finest of the four scales of detail
_DETAIL_SCALES = 4
_DETAIL_QUANTILES = (0.25, 0.5, 0.9, 0.99, 0.998, 1.0)
_STEEP = 0.25  # of the window between neighbours: an edge that anatomy seldom has
_FLAT = 0.02  # of the window: a row or column of less spread is border
_MARKS = (-8, -4, -2, -1)  # of the 16 x 16 blocks in order: few blocks hold a line of text
_EDGE, _BRIGHT = 0.4, 0.9  # of the window: the second difference, and the grey, of a printed character


def film_statistics(squares: Squares) -> Array:
    """(n, statistics) of reduced films, each within its own window of grey values.

    Args:
        squares: (n, side, side) films of one side, from `reduced_film`, in any unit.
    """
    small = block_mean(squares, min(_DETAIL_SIDE, squares.shape[-1]))
    low, high = _quantiles(small, _WINDOW).T[:, :, None, None]
    detail, fine = (_windowed(each, low, high) for each in (small, squares))
    parts: list[NDArray[np.floating[Any]]] = [_tones(small, detail), _borders(detail), _marks(fine)]
    parts.append(block_mean(detail, _LAYOUT).reshape(len(squares), -1))
    for _ in range(_DETAIL_SCALES):
        if detail.shape[-1] < 2 * _LAYOUT:
            break
        parts.append(_detail(detail))
        detail = block_mean(detail, detail.shape[-1] // 2)
    return np.concatenate(parts, axis=1).astype(np.float64)


def _windowed(squares: Squares, low: Squares, high: Squares) -> Squares:
    """The films with `low` and `high`, (n, 1, 1), as 0 and 1, clipped."""
    return np.clip((squares - low) / np.maximum(high - low, 1e-12), 0.0, 1.0).astype(np.float32)


def _quantiles(values: Squares, shares: tuple[float, ...]) -> Squares:
    """(n, shares) order statistics of each film's values; no interpolation."""
    flat = values.reshape(len(values), -1)
    places = [min(int(share * flat.shape[1]), flat.shape[1] - 1) for share in shares]
    return np.partition(flat, sorted(set(places)), axis=1)[:, places]


def _tones(squares: Squares, window: Squares) -> Squares:
    """Quantiles of the grey values, and log shares at the film's least and greatest value."""
    low, high = squares.min(axis=(1, 2), keepdims=True), squares.max(axis=(1, 2), keepdims=True)
    margin = _NEAR_END * (high - low)
    ends = np.stack(
        [(squares >= high - margin).mean(axis=(1, 2)), (squares <= low + margin).mean(axis=(1, 2))], axis=1
    )
    return np.concatenate([_quantiles(window, _TONES), np.log(ends + 1e-3)], axis=1)


def _borders(window: Squares) -> Array:
    """(n, 4) root of the share of the film that is flat border at its left, right, top and bottom."""
    depths = []
    for axis in (1, 2):
        spread = window.std(axis=axis)
        for line in (spread, spread[:, ::-1]):
            content = line > _FLAT
            depths.append(np.where(content.any(axis=1), content.argmax(axis=1), content.shape[1]))
    return np.sqrt(np.stack(depths, axis=1) / window.shape[-1])


def _marks(window: Squares) -> Array:
    """The blocks with most fine edges: of the eighth, fourth, second and first of 256, three logs each."""
    edges = _second_difference(window)
    side = edges.shape[-1] // 16 * 16
    edges, grey = edges[:, :side, :side], window[:, 1:-1, 1:-1][:, :side, :side]
    printed = edges > _EDGE
    ranked = []
    for values, floor in (
        (edges, 1e-3),
        (printed.astype(np.float32), 1e-2),
        ((printed & (grey > _BRIGHT)).astype(np.float32), 1e-2),
    ):
        blocks = np.sort(block_mean(values, 16).reshape(len(window), -1), axis=1)
        ranked.append(np.log(blocks[:, list(_MARKS)] + floor))
    return np.concatenate(ranked, axis=1)


def _detail(window: Squares) -> Array:
    """Log second differences at one scale by place (4 x 4) and by quantile, their direction, steep edges."""
    bend = _second_difference(window)
    side = bend.shape[-1] // 4 * 4
    across, down = np.abs(np.diff(window, axis=2))[:, :-1], np.abs(np.diff(window, axis=1))[:, :, :-1]
    direction = np.log(across.mean(axis=(1, 2)) + 1e-3) - np.log(down.mean(axis=(1, 2)) + 1e-3)
    steep = np.log((np.maximum(across, down) > _STEEP).mean(axis=(1, 2)) + 1e-3)
    places = np.log(block_mean(bend[:, :side, :side], 4).reshape(len(window), -1) + 1e-3)
    spread = np.log(_quantiles(bend, _DETAIL_QUANTILES) + 1e-3)
    return np.concatenate([places, spread, direction[:, None], steep[:, None]], axis=1)


def _second_difference(window: Squares) -> Squares:
    """(n, side - 2, side - 2) absolute value of the five-point Laplacian."""
    middle = window[:, 1:-1, 1:-1]
    around = window[:, :-2, 1:-1] + window[:, 2:, 1:-1] + window[:, 1:-1, :-2] + window[:, 1:-1, 2:]
    return np.asarray(np.abs(4.0 * middle - around))
