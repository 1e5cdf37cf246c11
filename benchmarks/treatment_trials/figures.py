"""Curves by arm, balance and overlap of one task as one figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.treatment_trials import independent
from benchmarks.treatment_trials.balance import Balance
from prognosis.treatment import SurvivalEffects
from prognosis.treatment.overlap import LARGEST_IMBALANCE, LEAST_OVERLAP

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#555555", "#D55E00", "#0072B2", "#009E73")
"""Of arms, the reference first; told apart by people of every colour vision (Okabe and Ito)."""
STYLES = ("-", "--", "-.", (0, (1, 1)))
_SHOWN = 16


def draw(effects: SurvivalEffects, own: Balance, title: str, path: Path) -> None:
    """Draw the three panels.

    Args:
        effects: Whose curves are drawn, with their pointwise bands, beside lifelines' Kaplan-Meier curves
            where no cause competes.
        own: Balance and overlap.
        title: Above the figure.
        path: Where to; the ending says in which form.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        1, 3, figsize=(12.6, 4.0), width_ratios=(1.25, 1.0, 1.0), layout="constrained"
    )
    _curves(axes[0], effects)
    _differences(axes[1], own)
    _overlap(axes[2], own, randomised=effects.cases.randomised)
    figure.suptitle(title, fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    plt.close(figure)
    if path.suffix == ".png":
        _shrink(path)


def _shrink(path: Path) -> None:
    """Write the picture again in 96 colours: lines and pale bands need no more."""
    from PIL import Image

    with Image.open(path) as drawn:
        few = drawn.convert("RGB").quantize(96)
    few.save(path, optimize=True)


def _curves(axes: Axes, effects: SurvivalEffects) -> None:
    curves, followed = effects.curves(), effects.followed
    days = np.append(0.0, curves.days)
    for place, arm in enumerate(curves.arms):
        colour = COLOURS[place]
        each = [np.append(0.0, own[place]) for own in (curves.incidence, curves.low, curves.high)]
        axes.plot(days, each[0], color=colour, linestyle=STYLES[place], linewidth=1.6, label=arm)
        axes.fill_between(days, each[1], each[2], color=colour, alpha=0.15, linewidth=0)
        if not followed.competing.any():
            rows = effects.cases.arm == place
            plain = independent.curve(followed.days[rows], followed.own[rows], days)
            axes.plot(days, plain, color=colour, linewidth=0.6, alpha=0.9)
    axes.set_xlabel("days")
    axes.set_ylabel("cumulative incidence")
    axes.set_xlim(0.0, float(days[-1]))
    axes.set_ylim(bottom=0.0)
    axes.legend(fontsize=7.5, loc="upper left", frameon=False)
    axes.set_title("if everybody were given the arm" + _thin(effects), fontsize=9)


def _thin(effects: SurvivalEffects) -> str:
    return "" if effects.followed.competing.any() else "\n(thin: Kaplan-Meier of the arm as it is)"


def _differences(axes: Axes, own: Balance) -> None:
    shown = np.argsort(-own.found.before)[:_SHOWN][::-1]
    rows = np.arange(len(shown))
    axes.scatter(
        own.found.before[shown], rows, s=20, facecolors="none", edgecolors="#555555", label="as they came"
    )
    axes.scatter(own.found.after[shown], rows, s=16, color="#0072B2", label="weighted")
    axes.axvline(LARGEST_IMBALANCE, color="k", linewidth=0.7, linestyle=":")
    axes.set_yticks(rows, [_short(own.names[k]) for k in shown], fontsize=7)
    axes.set_xlim(left=-0.03 * axes.get_xlim()[1])
    axes.set_xlabel("largest standardised difference of two arms", fontsize=8.5)
    axes.legend(fontsize=7.5, loc="lower right", frameon=False)
    left = len(own.names) - len(shown)
    axes.set_title(
        "balance" + (f", the {len(shown)} largest of {len(own.names)}" if left else ""), fontsize=9
    )


def _overlap(axes: Axes, own: Balance, *, randomised: bool) -> None:
    """Each arm's chance, among those given it and among all others; of two arms one chance says it all."""
    two = len(own.arms) == 2
    edges = np.linspace(0.0, 1.0, 51)
    for place, arm in enumerate(own.arms):
        of = own.chance[own.given == place, 1 if two else place]
        label = f"given {arm}" if two else arm
        axes.hist(
            of,
            edges,
            density=True,
            histtype="step",
            color=COLOURS[place],
            linestyle=STYLES[place],
            linewidth=1.4,
            label=label,
        )
    if not randomised:
        for limit in (LEAST_OVERLAP, 1.0 - LEAST_OVERLAP):
            axes.axvline(limit, color="k", linewidth=0.7, linestyle=":")
    axes.set_yticks([])
    axes.set_xlabel(f"chance of {own.arms[1]}" if two else "chance of the arm that was given", fontsize=8.5)
    axes.set_ylim(top=axes.get_ylim()[1] * (1.0 + 0.11 * len(own.arms)))
    axes.legend(fontsize=7.5, loc="upper left", frameon=False)
    axes.set_title("overlap" + (", learned as if nobody had drawn" if randomised else ""), fontsize=9)


def _short(name: str) -> str:
    plain = name.removeprefix("num_").removeprefix("fac_")
    return plain if len(plain) <= 24 else plain[:23] + "\N{HORIZONTAL ELLIPSIS}"
