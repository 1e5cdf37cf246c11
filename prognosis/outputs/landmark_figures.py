"""The figure of landmark curves: one measure of performance at each landmark, a line for each horizon."""

from __future__ import annotations

from prognosis.outputs.estimate import with_interval
from prognosis.outputs.figures import CAUSES, WIDTH_INCHES, Picture, as_picture, drawing
from prognosis.outputs.landmark_curves import LandmarkCurves


def landmark_picture(curves: LandmarkCurves) -> Picture:
    """The measure at each landmark with its interval; lines are moved a little aside to stay apart."""
    spots = sorted({point.landmark for line in curves.lines for point in line.points})
    aside = 0.012 * max(spots[-1] - spots[0], 1.0)
    with drawing(WIDTH_INCHES, 3.4) as figure:
        axes = figure.add_subplot()
        for place, line in enumerate(curves.lines):
            shown = [(point, point.estimate) for point in line.points if point.estimate is not None]
            at = [point.landmark + aside * (place - (len(curves.lines) - 1) / 2) for point, _ in shown]
            colour, marker = CAUSES[place % len(CAUSES)], "os^Dv"[place % 5]
            lows, highs = [own.low for _, own in shown], [own.high for _, own in shown]
            axes.vlines(at, lows, highs, color=colour, linewidth=1.4)
            values = [own.value for _, own in shown]
            axes.plot(
                at,
                values,
                marker=marker,
                color=colour,
                linewidth=1.4,
                markersize=5,
                label=f"within {line.horizon}",
            )
        axes.set_xticks(spots, [f"{spot:g}" for spot in spots])
        axes.set_xlabel(f"landmark ({curves.axis})")
        direction = "higher is better" if curves.higher_is_better else "lower is better"
        axes.set_ylabel(f"{curves.title}\n({direction})")
        axes.grid(color="#e5e7eb")
        axes.set_axisbelow(True)
        axes.legend(frameon=False, fontsize=8.5, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        said = "; ".join(
            f"{line.horizon} from {point.name}: {with_interval(point.estimate)}"
            for line in curves.lines
            for point in line.points
            if point.estimate is not None
        )
        return as_picture(figure, f"{curves.title} by landmark, {direction}: {said}.")
