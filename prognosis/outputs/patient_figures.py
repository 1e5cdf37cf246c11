"""Figures of one patient: predicted incidence, the waterfall of drivers, the film with its evidence map."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prognosis.outputs.estimate import decimal, in_days, signed
from prognosis.outputs.figures import (
    BLUE,
    CAUSES,
    GREY,
    INK,
    VERMILLION,
    WIDTH_INCHES,
    Picture,
    as_picture,
    drawing,
)
from prognosis.outputs.patient_explanation import Driver, PatientExplanation
from prognosis.outputs.patient_page import Film, IncidenceCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BARS = 12
LEAST_SHOWN = 0.005  # a contribution that two decimals show
LEAST_SPREAD = 0.1  # of a waterfall: less is drawn as the little that it is
NUMBER_ROOM = 0.35  # of a waterfall's spread: what a number needs beyond the end that it is printed at
LONGEST_LABEL = 40
_LEAST_OF_A_NAME = 8
_DATE = re.compile(r" (?:on|of) \d{4}-\d\d-\d\d")
PANEL_INCHES = 3.3
STRONGEST_TINT = 0.62


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of a waterfall: from `start` to `end` on the explanation's scale."""

    name: str
    detail: str
    start: float
    end: float

    @property
    def label(self) -> str:
        """What it is and its value."""
        return f"{self.name}  {self.detail}".strip()

    @property
    def short_label(self) -> str:
        """The label in the width of an axis: without the date, then with as much name as fits."""
        if len(self.label) <= LONGEST_LABEL:
            return self.label
        value = _DATE.sub("", self.detail)
        room = LONGEST_LABEL - len(value) - 2
        if value and room >= _LEAST_OF_A_NAME:
            return f"{_short(self.name, room)}  {value}"
        return _short(f"{self.name}  {value}".strip(), LONGEST_LABEL)


def incidence_picture(curves: tuple[IncidenceCurve, ...]) -> Picture:
    """Predicted cumulative incidence of each cause with its interval."""
    with drawing(WIDTH_INCHES, 3.3) as figure:
        axes = figure.add_subplot()
        for place, curve in enumerate(curves):
            colour = CAUSES[place % len(CAUSES)]
            axes.fill_between(curve.days, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0)
            style = ("-", "--", "-.", ":")[place % 4]
            axes.plot(
                curve.days, curve.incidence, color=colour, linewidth=2, linestyle=style, label=curve.cause
            )
        axes.set_xlim(0, float(max(curve.days[-1] for curve in curves)))
        axes.set_ylim(0, min(1.0, 1.1 * float(max(curve.high.max() for curve in curves)) + 0.01))
        from matplotlib.ticker import PercentFormatter

        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        axes.set_xlabel("days since the index")
        axes.set_ylabel("probability that it has happened")
        axes.grid(color="#e5e7eb")
        axes.legend(frameon=False, loc="best")
        said = "; ".join(
            f"{curve.cause} {curve.incidence[-1]:.1%} ({curve.low[-1]:.1%} to {curve.high[-1]:.1%}) by "
            f"{in_days(float(curve.days[-1]))}"
            for curve in curves
        )
        return as_picture(figure, f"Predicted cumulative incidence: {said}.")


def strongest(drivers: tuple[Driver, ...], most: int) -> tuple[tuple[Driver, ...], tuple[Driver, ...]]:
    """The `most` drivers of largest size that two decimals show, largest first, and the rest."""
    ordered = sorted(drivers, key=lambda driver: -abs(driver.contribution))
    count = sum(abs(driver.contribution) >= LEAST_SHOWN for driver in ordered[:most])
    return tuple(ordered[:count]), tuple(ordered[count:])


def waterfall_bars(explanation: PatientExplanation, most: int = BARS) -> tuple[Bar, ...]:
    """The steps from base to total: the strongest drivers, then all others as one step.

    The last bar ends at base + sum of ALL contributions, which is the total to within the receipt's error.
    """
    shown, others = strongest(explanation.drivers, most)
    steps = [(driver.name, driver.detail, driver.contribution) for driver in shown]
    if others:
        steps.append((f"{len(others)} smaller drivers", "", sum(driver.contribution for driver in others)))
    bars = []
    at = explanation.base
    for name, detail, contribution in steps:
        bars.append(Bar(name, detail, at, at + contribution))
        at += contribution
    return tuple(bars)


def waterfall_picture(explanation: PatientExplanation) -> Picture:
    """From the answer for the average patient with these modalities, driver by driver, to this patient's."""
    bars = waterfall_bars(explanation)
    with drawing(WIDTH_INCHES, 1.1 + 0.3 * (len(bars) + 2)) as figure:
        draw_waterfall(figure, explanation, bars)
        said = "; ".join(f"{bar.label} {signed(bar.end - bar.start)}" for bar in bars)
        ends = f"base {decimal(explanation.base)}, total {decimal(explanation.total)}"
        return as_picture(figure, f"Waterfall of what drives {explanation.cause}: {ends}. {said}.")


def draw_waterfall(figure: Figure, explanation: PatientExplanation, bars: tuple[Bar, ...]) -> None:
    """Draw the steps from base to total into a figure of the project's width."""
    axes = figure.add_subplot()
    last = len(bars) + 1
    low, high = _waterfall_limits(explanation, bars)
    for place, bar in enumerate(bars, start=1):
        _step(axes, place, bar, high - low)
    for place, value, marker in ((0, explanation.base, "o"), (last, explanation.total, "D")):
        axes.plot(value, place, marker=marker, color=INK, markersize=6)
        axes.annotate(decimal(value), (value, place), xytext=(7, 0), textcoords="offset points", va="center")
    labels = [
        "average with these modalities (base)",
        *(bar.short_label for bar in bars),
        "this patient (total)",
    ]
    axes.set_yticks(range(len(labels)), labels, fontsize=8.5)
    for place in (0, last):
        axes.get_yticklabels()[place].set_fontweight("bold")
    axes.set_ylim(last + 0.6, -0.6)
    axes.set_xlim(low, high)
    axes.axvline(explanation.base, color=GREY, linestyle=":", linewidth=1)
    axes.tick_params(axis="y", length=0)
    scale = explanation.receipt.short_scale or explanation.receipt.scale
    axes.set_xlabel(f"adds to {_short(explanation.cause, 30)} ({scale}); right raises it", loc="right")


def _waterfall_limits(explanation: PatientExplanation, bars: tuple[Bar, ...]) -> tuple[float, float]:
    """The ends of the axis: beyond every end at which a number is printed there is room for it."""
    ends = (explanation.base, explanation.total)
    reach = [*ends, *(bar.end for bar in bars)]
    spread = max(max(reach) - min(reach), LEAST_SPREAD)
    falling = [bar.end for bar in bars if bar.end < bar.start]
    rising = [*ends, *(bar.end for bar in bars if bar.end >= bar.start)]
    room = NUMBER_ROOM * spread
    low = min(min(reach) - 0.1 * spread, min(falling, default=np.inf) - room)
    return low, max(max(reach) + 0.1 * spread, max(rising) + room)


def _step(axes: Axes, place: int, bar: Bar, width: float) -> None:
    change = bar.end - bar.start
    colour = VERMILLION if change >= 0 else BLUE
    axes.barh(place, change, left=bar.start, color=colour, height=0.62)
    axes.vlines(bar.end, place + 0.31, place + 0.69, color=GREY, linewidth=0.8)
    outwards = 1 if change >= 0 else -1
    axes.annotate(
        signed(change),
        (bar.end, place),
        xytext=(3 * outwards, 0),
        textcoords="offset points",
        ha="left" if outwards > 0 else "right",
        va="center",
        fontsize=8,
        color=colour if abs(change) > 0.01 * width else INK,
    )


def film_picture(film: Film, answer: str = "risk") -> Picture:
    """The film as it is, beside the film with its evidence map and the grid of zones.

    Args:
        film: The film.
        answer: What the evidence raises or lowers.
    """
    rows, columns = film.pixels.shape
    mapped = film.evidence is not None or bool(film.zones)
    panels = 2 if mapped else 1
    height = PANEL_INCHES * rows / columns
    with drawing(panels * PANEL_INCHES, height + 0.7) as figure:
        grid = figure.add_gridspec(2, panels, height_ratios=(height, 0.12))
        _show(figure.add_subplot(grid[0, 0]), film.pixels, "film")
        if mapped:
            overlaid = figure.add_subplot(grid[0, 1])
            _show(overlaid, film.pixels, "where the evidence lies")
            if film.evidence is not None:
                key = figure.add_subplot(grid[1, 1])
                _overlay(overlaid, key, film.evidence, film.pixels.shape, answer)
            for zone in film.zones:
                _outline(
                    overlaid, zone.left, zone.top, zone.right, zone.bottom, zone.contribution, (rows, columns)
                )
        said = "; ".join(f"{zone.name} {signed(zone.contribution)}" for zone in film.zones)
        beside = f", beside its evidence map. Zones: {said}." if said else "."
        return as_picture(figure, f"{film.title}{beside}", kind="png")


def _show(axes: Axes, pixels: NDArray[np.float64], title: str) -> None:
    axes.imshow(pixels, cmap="gray", vmin=0.0, vmax=1.0, interpolation="bilinear")
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def _overlay(
    axes: Axes, key: Axes, evidence: NDArray[np.float64], shape: tuple[int, ...], answer: str
) -> None:
    """Tint by sign, more strongly where there is more evidence, so that the film shows through elsewhere."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    rows, columns = shape
    limit = float(np.abs(evidence).max()) or 1.0
    colours = LinearSegmentedColormap.from_list("evidence", ["#56B4E9", "#f2f2f2", "#FF7F2A"])
    norm = Normalize(-limit, limit)
    strength = STRONGEST_TINT * np.sqrt(np.abs(evidence) / limit)
    axes.imshow(
        evidence,
        cmap=colours,
        norm=norm,
        alpha=strength,
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
        interpolation="nearest",
    )
    bar = axes.figure.colorbar(ScalarMappable(norm, colours), cax=key, orientation="horizontal")
    bar.set_ticks([-limit, 0.0, limit], labels=[f"lowers the {answer}", "0", "raises it"])
    first, _, last = key.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    key.tick_params(labelsize=7.5, length=0)
    bar.outline.set_visible(False)


def _outline(
    axes: Axes,
    left: float,
    top: float,
    right: float,
    bottom: float,
    contribution: float,
    shape: tuple[int, int],
) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    rows, columns = shape
    corner = (left * columns - 0.5, top * rows - 0.5)
    axes.add_patch(
        Rectangle(
            corner,
            (right - left) * columns,
            (bottom - top) * rows,
            fill=False,
            edgecolor="white",
            linewidth=0.9,
        )
    )
    axes.text(
        corner[0] + 0.5 * (right - left) * columns,
        corner[1] + 0.5 * (bottom - top) * rows,
        signed(contribution),
        ha="center",
        va="center",
        fontsize=8,
        color="white",
        path_effects=[withStroke(linewidth=2.2, foreground="black")],
    )


def _short(label: str, longest: int) -> str:
    return label if len(label) <= longest else label[: longest - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
