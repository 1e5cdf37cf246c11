"""Figures of a cohort's explanations: every value of each concept, and what each modality tells when."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.explanation.cohort import AGES_DAYS, CohortExplanation
from prognosis.outputs.figures import BLUE, GREY, INK, VERMILLION, WIDTH_INCHES, Picture, as_picture, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CONCEPTS = 16
MODALITY_COLOURS = {"clinical": BLUE, "text": "#A66A00", "imaging": "#8E4585"}
_SLICES = 60
_REACH = 0.38


def beeswarm_picture(explained: CohortExplanation, most: int = MOST_CONCEPTS) -> Picture:
    """Every case's contribution of each concept, a point coloured by the value where it is a number."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("value", [BLUE, "#d9d4e7", VERMILLION])
    count = min(most, len(explained.concepts))
    with drawing(1.3 * WIDTH_INCHES, 1.1 + 0.34 * count) as figure:
        axes = figure.add_subplot()
        axes.axvline(0.0, color=GREY, linewidth=1)
        shown = None
        for place in range(count):
            values, ranks = explained.values[:, place], _ranks(explained.measured[:, place])
            heights = place + _spread(values)
            known = ~np.isnan(ranks)
            axes.scatter(values[~known], heights[~known], s=9, color=GREY, alpha=0.7, linewidths=0)
            if known.any():
                shown = axes.scatter(
                    values[known],
                    heights[known],
                    s=9,
                    c=ranks[known],
                    cmap=colours,
                    vmin=0,
                    vmax=1,
                    linewidths=0,
                )
        _concept_axis(axes, explained, count)
        axes.set_xlabel(f"adds to the {_scale(explained)} of {explained.cause}", loc="right")
        if shown is not None:
            bar = figure.colorbar(shown, ax=axes, ticks=[0, 1], aspect=40, pad=0.01)
            bar.ax.set_yticklabels(["lowest", "highest"])
            bar.set_label("last value (grey: not a number)", color=INK)
            bar.outline.set_visible(False)
        said = "; ".join(
            f"{name} from {values.min():.2f} to {values.max():.2f}"
            for (_, name), values in zip(explained.concepts[:count], explained.values.T[:count], strict=True)
        )
        return as_picture(figure, f"Contributions of each concept in {len(explained)} cases: {said}.", "png")


def importance_picture(explained: CohortExplanation, most: int = MOST_CONCEPTS) -> Picture:
    """Mean magnitude of each concept's contribution, by modality."""
    count = min(most, len(explained.concepts))
    sizes = explained.importance()[:count]
    with drawing(1.15 * WIDTH_INCHES, 1.1 + 0.3 * count) as figure:
        axes = figure.add_subplot()
        for modality in explained.modalities:
            own = [place for place in range(count) if explained.concepts[place][0] == modality]
            axes.barh(own, sizes[own], color=MODALITY_COLOURS[modality], height=0.66, label=modality)
        for place, size in enumerate(sizes):
            axes.annotate(
                f"{size:.2f}",
                (size, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        _concept_axis(axes, explained, count)
        axes.set_xlim(0.0, 1.12 * float(sizes.max(initial=1e-9)))
        axes.set_xlabel(f"mean size of what it adds to the {_scale(explained)}", loc="right")
        axes.legend(frameon=False, loc="lower right")
        said = "; ".join(f"{explained.concepts[place][1]} {size:.2f}" for place, size in enumerate(sizes))
        return as_picture(figure, f"Mean size of contributions in {len(explained)} cases: {said}.")


def shares_over_time_picture(explained: CohortExplanation) -> Picture:
    """What part of all contributions comes from each modality, from the index to the end of follow-up."""
    shares = explained.shares_over_time()
    days = np.repeat(explained.edges, 2)[1:-1]
    with drawing(WIDTH_INCHES, 3.0) as figure:
        axes = figure.add_subplot()
        _stacked(axes, days, np.repeat(shares, 2, axis=1), explained.modalities)
        axes.set_xlim(float(explained.edges[0]), float(explained.edges[-1]))
        axes.set_xlabel("days since the index", loc="right")
        said = "; ".join(
            f"{modality} {own[0]:.0%} in the first bin, {own[-1]:.0%} in the last"
            for modality, own in zip(explained.modalities, shares, strict=True)
        )
        return as_picture(figure, f"Shares of the modalities over time: {said}.")


def shares_by_age_picture(explained: CohortExplanation) -> Picture:
    """How much evidence of each age adds, and from which modality."""
    between = [f"{first:g} to {last:g}" for first, last in pairwise(AGES_DAYS[1:])]
    names = [f"under {AGES_DAYS[1]:g}", *between, f"over {AGES_DAYS[-1]:g}", "no date"]
    with drawing(WIDTH_INCHES, 3.0) as figure:
        axes = figure.add_subplot()
        bottom = np.zeros(len(names))
        for modality, own in zip(explained.modalities, explained.by_age, strict=True):
            axes.bar(names, own, bottom=bottom, color=MODALITY_COLOURS[modality], width=0.7, label=modality)
            bottom += own
        axes.set_xlabel("age of the evidence at the index, in days", loc="right")
        axes.set_ylabel(f"sum of sizes, {_scale(explained)}")
        axes.legend(frameon=False)
        said = "; ".join(f"{name} {size:.2f}" for name, size in zip(names, bottom, strict=True))
        return as_picture(figure, f"Mean sum of contributions by the age of the evidence: {said}.")


def _stacked(
    axes: Axes, at: NDArray[np.float64], shares: NDArray[np.float64], names: tuple[str, ...]
) -> None:
    from matplotlib.ticker import PercentFormatter

    low = np.zeros(len(at))
    for name, own in zip(names, shares, strict=True):
        axes.fill_between(at, low, low + own, color=MODALITY_COLOURS[name], alpha=0.85, linewidth=0)
        middle = len(at) // 2
        if own[middle] > 0.06:
            axes.annotate(
                name,
                (float(at[middle]), float(low[middle] + own[middle] / 2)),
                color="white",
                ha="center",
                va="center",
                fontweight="bold",
            )
        low = low + own
    axes.set_ylim(0.0, 1.0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_ylabel("share of all contributions' size")


def _concept_axis(axes: Axes, explained: CohortExplanation, count: int) -> None:
    names = [f"{name}  ({modality})" for modality, name in explained.concepts[:count]]
    axes.set_yticks(range(count), names, fontsize=8.5)
    axes.set_ylim(count - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e5e7eb")
    axes.set_axisbelow(True)


def _scale(explained: CohortExplanation) -> str:
    words = {"log_hazard": "log-hazard", "log_odds": "log-odds", "log_value": "logarithm of the value"}
    return words.get(explained.scale, explained.scale)


def _ranks(measured: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 0 to 1, so that one extreme value does not take all of the colour; NaN stays."""
    known = ~np.isnan(measured)
    ranks = np.full(len(measured), np.nan)
    if known.any():
        own = np.sort(measured[known])
        ranks[known] = np.searchsorted(own, measured[known]) / max(len(own) - 1, 1)
    return np.clip(ranks, 0.0, 1.0)


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights about 0 such that points of nearly the same value stand above one another."""
    low, width = values.min(), max(float(np.ptp(values)), 1e-12)
    slices = ((values - low) / width * (_SLICES - 1)).round().astype(np.int64)
    counts = np.bincount(slices, minlength=_SLICES)
    crowded = float(np.quantile(counts[counts > 0], 0.9))
    step = 2.0 * _REACH / max(crowded, 12.0)
    heights = np.zeros(len(values))
    for slice_ in np.flatnonzero(counts):
        own = np.flatnonzero(slices == slice_)
        place = np.arange(len(own))
        heights[own] = step * np.where(place % 2, (place + 1) // 2, -(place // 2))
    return np.clip(heights, -_REACH, _REACH)
