"""The figure of what each arm would do for one patient: curves with their bands, or probabilities."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from prognosis.comparison.answer import ArmAnswer, TreatmentAnswer
from prognosis.outputs.estimate import in_days
from prognosis.outputs.figures import (
    AMBER,
    BLUE,
    GREEN,
    PURPLE,
    VERMILLION,
    WIDTH_INCHES,
    Picture,
    as_picture,
    drawing,
)
from prognosis.outputs.treatment_words import amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = (BLUE, AMBER, PURPLE, GREEN, VERMILLION)
"""None of them is kept for what is worse or better: an arm's colour must not say which to give."""
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v")
LONGEST_LINE = 58
"""Characters of an arm's name in the width of the figure."""


def arms_picture(answer: TreatmentAnswer) -> Picture | None:
    """Every arm of which something is said, on one figure; None where nothing is.

    Args:
        answer: Of one patient.
    """
    shown = [(place, arm) for place, arm in enumerate(answer.arms) if arm.worth is not None]
    if not shown:
        return None
    names = [_wrapped(arm.name) for _, arm in shown]
    lines = sum(name.count("\n") + 1 for name in names)
    curves = all(arm.curve is not None for _, arm in shown)
    height = 3.1 + 0.19 * lines if curves else 0.9 + 0.25 * lines + 0.15 * len(shown)
    with drawing(1.2 * WIDTH_INCHES, height) as figure:
        axes = figure.add_subplot()
        if curves:
            for (place, arm), name in zip(shown, names, strict=True):
                _curve(axes, place, arm, name)
            _dress_curves(axes, answer)
            figure.legend(loc="outside lower left", frameon=False, fontsize=8.5)
        else:
            _probabilities(axes, answer, shown, names)
        return as_picture(figure, _said(answer))


def _curve(axes: Axes, place: int, arm: ArmAnswer, name: str) -> None:
    """One arm; its line steps, as the curve is known on its days alone, and starts at 0 on day 0."""
    curve = arm.curve
    assert curve is not None  # noqa: S101 - the caller has looked
    colour, style = COLOURS[place % len(COLOURS)], STYLES[place % len(STYLES)]
    days, incidence, low, high = (
        [0.0, *values.tolist()] for values in (curve.days, curve.incidence, curve.low, curve.high)
    )
    axes.fill_between(days, low, high, step="post", color=colour, alpha=0.14, linewidth=0)
    axes.step(days, incidence, where="post", color=colour, linewidth=2, linestyle=style, label=name)


def _dress_curves(axes: Axes, answer: TreatmentAnswer) -> None:
    from matplotlib.ticker import PercentFormatter

    curves = [arm.curve for arm in answer.arms if arm.curve is not None]
    axes.set_xlim(0, max(float(curve.days[-1]) for curve in curves))
    axes.set_ylim(0, min(1.0, 1.1 * max(float(curve.high.max()) for curve in curves) + 0.01))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    since = f"{answer.starts_after_days:g} days after the index" if answer.starts_after_days else "the index"
    axes.set_xlabel(f"days since {since}")
    axes.set_ylabel(f"probability that {answer.outcome}\nhas come")
    axes.grid(color="#e5e7eb")


def _probabilities(
    axes: Axes, answer: TreatmentAnswer, shown: list[tuple[int, ArmAnswer]], names: list[str]
) -> None:
    """A mark and its interval for each arm."""
    from matplotlib.ticker import PercentFormatter

    for row, (place, arm) in enumerate(shown):
        if arm.worth is not None:
            colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
            axes.plot([arm.worth.low, arm.worth.high], [row, row], color=colour, linewidth=2)
            axes.plot(arm.worth.value, row, marker=marker, color=colour, markersize=8)
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.set_xlabel(answer.worth_is)
    axes.grid(color="#e5e7eb", axis="x")


def _said(answer: TreatmentAnswer) -> str:
    """What the figure shows, in words."""
    told = []
    for arm in answer.arms:
        if arm.worth is not None:
            last = arm.risks[-1:]
            risk = "".join(f", {answer.outcome} by {in_days(each.days)} {amount(each.risk)}" for each in last)
            told.append(f"{arm.name}: {amount(arm.worth)}{risk}")
    return f"Under each treatment, {answer.worth_is}. {'; '.join(told)}."


def _wrapped(name: str) -> str:
    return "\n".join(textwrap.wrap(name, LONGEST_LINE)) or name
