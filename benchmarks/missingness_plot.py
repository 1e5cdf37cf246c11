"""The curves of `benchmarks.missingness` as one figure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73")
"""Of the sweeps; told apart by people of every colour vision (Okabe and Ito)."""


def plot(numbers: Mapping[str, Any], path: Path) -> None:
    """Draw C above and the calibration slope below, a column for each modality.

    Args:
        numbers: Sweep to modality to share to numbers, as `benchmarks.missingness` writes them.
        path: Where to; the ending says in which form.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = list(next(iter(numbers.values())))
    figure, axes = plt.subplots(
        2, len(names), figsize=(3.6 * len(names), 6.0), sharex=True, sharey="row", layout="constrained"
    )
    for column, name in enumerate(names):
        above, below = axes[0][column], axes[1][column]
        for (sweep, by_name), colour in zip(numbers.items(), COLOURS, strict=False):
            _curve(above, by_name[name], "c", colour, sweep)
            _curve(below, by_name[name], "calibration_slope", colour, sweep)
        first = next(iter(numbers.values()))[name]
        shares = [100 * float(share) for share in first]
        above.plot(
            shares, [each["single_c"]["value"] for each in first.values()], "k--", label="best other, alone"
        )
        above.plot(
            shares, [each["oracle_c"]["value"] for each in first.values()], "k:", label="oracle, at random"
        )
        below.axhline(1.0, color="k", linewidth=0.8)
        for level in (0.85, 1.15):
            below.axhline(level, color="k", linewidth=0.6, linestyle=":")
        above.set_title(f"{name} taken away")
        below.set_xlabel("% of those who have it")
    axes[0][0].set_ylabel("Harrell's C")
    axes[1][0].set_ylabel("calibration slope, 365 days")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncol=len(labels), fontsize=8)
    figure.suptitle("Simulation: a test of correctness, not clinical evidence", fontsize=9)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _curve(axes: Axes, by_share: Mapping[str, Any], key: str, colour: str, label: str) -> None:
    shares = [100 * float(share) for share in by_share]
    found = [each[key] for each in by_share.values()]
    axes.plot(shares, [each["value"] for each in found], color=colour, marker="o", markersize=3, label=label)
    axes.fill_between(
        shares,
        [each["low"] for each in found],
        [each["high"] for each in found],
        color=colour,
        alpha=0.15,
        lw=0,
    )
