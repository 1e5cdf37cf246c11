"""Figures of a cohort: the leaderboard, calibration, and incidence in groups of risk.

Each function returns a `Picture`: an image as a data URI with the sentence that says what it shows to someone
who cannot see it. Colours are Okabe and Ito's, which colour-blind readers tell apart, and never the only cue.
matplotlib is used without pyplot, so that nothing global is touched and nothing stays open.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from prognosis.outputs.estimate import in_days, with_interval
from prognosis.outputs.report_content import Calibration, Leaderboard, RiskGroups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILLION, GREEN, INK, GREY = "#0072B2", "#D55E00", "#007A5A", "#1b1f24", "#6b7280"
PURPLE, AMBER = "#8E4585", "#A66A00"
CAUSES = (VERMILLION, BLUE, PURPLE, GREEN, AMBER)
MARKS = {
    "ours": ("D", VERMILLION),
    "single modality": ("o", BLUE),
    "some modalities": ("o", PURPLE),
    "baseline": ("s", GREY),
    "oracle": ("*", GREEN),
}
WIDTH_INCHES = 5.2


@dataclass(frozen=True, slots=True)
class Picture:
    """An image to be placed in a page.

    Attributes:
        uri: data:image/...;base64,...
        alternative: What it shows, in words.
        width: Natural width in CSS pixels.
        height: Natural height in CSS pixels.
    """

    uri: str
    alternative: str
    width: int
    height: int

    @property
    def content(self) -> bytes:
        """The image file itself."""
        return base64.b64decode(self.uri.partition(",")[2])


@contextmanager
def drawing(width: float, height: float) -> Iterator[Figure]:
    """A figure of a size in inches, in this project's style, emptied afterwards."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": 9.5,
            "axes.edgecolor": GREY,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "svg.fonttype": "path",  # looks the same where the font is absent
            "svg.hashsalt": "prognosis",  # the same report gives the same bytes
            "text.parse_math": False,  # a "$" in a note is a dollar
        }
    ):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        try:
            yield figure
        finally:
            figure.clear()


def as_picture(figure: Figure, alternative: str, kind: Literal["svg", "png"] = "svg") -> Picture:
    """Encode a drawn figure; lines as SVG, films as PNG."""
    stream = io.BytesIO()
    if kind == "svg":
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
        mime = "image/svg+xml"
    else:
        figure.savefig(stream, format="png", dpi=144, metadata={"Software": None})
        mime = "image/png"
    encoded = base64.b64encode(stream.getvalue()).decode("ascii")
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Picture(f"data:{mime};base64,{encoded}", alternative, width, height)


def leaderboard_picture(board: Leaderboard) -> Picture:
    """A forest plot: each contender's estimate and interval, ours first among equals."""
    rows = board.contenders
    with drawing(1.15 * WIDTH_INCHES, 0.75 + 0.32 * len(rows)) as figure:
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            marker, colour = MARKS[row.kind]
            estimate = row.estimate
            axes.plot([estimate.low, estimate.high], [place, place], color=colour, linewidth=2)
            size = 11 if marker == "*" else 7
            axes.plot(estimate.value, place, marker=marker, color=colour, markersize=size)
        if board.chance is not None:
            axes.axvline(board.chance, color=GREY, linestyle=":", linewidth=1)
            axes.annotate(
                "chance",
                (board.chance, -0.75),
                xytext=(3, 0),
                textcoords="offset points",
                color=GREY,
                fontsize=8,
            )
        axes.set_yticks(range(len(rows)), [_plain(row.name) for row in rows])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_fontweight("bold" if row.kind == "ours" else "normal")
        axes.set_ylim(len(rows) - 0.4, -1.0)
        axes.grid(axis="x", color="#e5e7eb")
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        direction = "higher is better" if board.higher_is_better else "lower is better"
        axes.set_xlabel(f"{board.measure} ({direction})", loc="right")
        said = "; ".join(f"{row.name} {with_interval(row.estimate)}" for row in rows)
        return as_picture(figure, f"Forest plot of {board.measure}: {said}.")


def calibration_picture(calibration: Calibration) -> Picture:
    """Observed against predicted risk in groups, with the diagonal of perfect calibration."""
    with drawing(4.4, 4.2) as figure:
        axes = figure.add_subplot()
        ceiling = float(max(calibration.high.max(), calibration.predicted.max()))
        limit = min(1.0, 1.08 * ceiling) if ceiling > 0 else 1.0
        axes.plot([0, limit], [0, limit], color=GREY, linestyle="--", linewidth=1)
        axes.annotate("perfect", (0.93 * limit, 0.95 * limit), color=GREY, ha="right", fontsize=8)
        axes.vlines(calibration.predicted, calibration.low, calibration.high, color=BLUE, linewidth=1.6)
        axes.plot(calibration.predicted, calibration.observed, "o-", color=BLUE, linewidth=1, markersize=5)
        axes.set(xlim=(0, limit), ylim=(0, limit), aspect="equal")
        axes.set_xlabel("predicted risk")
        axes.set_ylabel("observed risk")
        _percent_axes(axes, both=True)
        pairs = zip(calibration.predicted, calibration.observed, strict=True)
        said = "; ".join(f"predicted {x:.1%}, observed {y:.1%}" for x, y in pairs)
        return as_picture(
            figure, f"Calibration plot of {calibration.title}, from lowest to highest risk: {said}."
        )


def risk_group_picture(groups: RiskGroups) -> Picture:
    """Cumulative incidence in groups of predicted risk: observed as steps with a band, predicted dashed."""
    colours = (
        (BLUE, AMBER, VERMILLION) if len(groups.groups) <= 3 else (BLUE, GREEN, AMBER, VERMILLION, PURPLE)
    )
    with drawing(WIDTH_INCHES, 3.6) as figure:
        axes = figure.add_subplot()
        for place, group in enumerate(groups.groups):
            colour = colours[place % len(colours)]
            axes.fill_between(
                group.days, group.low, group.high, step="post", color=colour, alpha=0.15, linewidth=0
            )
            axes.step(group.days, group.observed, where="post", color=colour, linewidth=1.8)
            axes.plot(group.days, group.predicted, color=colour, linestyle="--", linewidth=1.4)
            axes.annotate(
                _plain(group.name),
                (float(group.days[-1]), float(group.observed[-1])),
                xytext=(4, 0),
                textcoords="offset points",
                color=colour,
                va="center",
                fontsize=8.5,
            )
        axes.plot([], [], color=INK, linewidth=1.8, label="observed (95% band)")
        axes.plot([], [], color=INK, linestyle="--", linewidth=1.4, label="predicted")
        axes.legend(frameon=False, loc="upper left", fontsize=8.5)
        _time_axis(axes, float(max(group.days[-1] for group in groups.groups)))
        axes.set_ylim(bottom=0)
        axes.set_ylabel("cumulative incidence")
        _percent_axes(axes)
        said = "; ".join(
            f"{group.name} ({group.cases} cases): observed {group.observed[-1]:.1%}, predicted "
            f"{group.predicted[-1]:.1%} by {in_days(float(group.days[-1]))}"
            for group in groups.groups
        )
        return as_picture(figure, f"Cumulative incidence of {groups.title} by predicted risk. {said}.")


def _time_axis(axes: Axes, last: float) -> None:
    axes.set_xlim(0, last)
    axes.set_xlabel("days since the index")


def _percent_axes(axes: Axes, *, both: bool = False) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    if both:
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.grid(color="#e5e7eb")
    axes.set_axisbelow(True)


def _plain(name: str, longest: int = 34) -> str:
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
