"""Figures of a benchmark: net benefit over thresholds, and mean ranks."""

from __future__ import annotations

from prognosis.outputs.benchmark_content import Decision, RankTable
from prognosis.outputs.figures import BLUE, GREY, INK, VERMILLION, WIDTH_INCHES, Picture, as_picture, drawing

_STYLES = ((VERMILLION, "-"), (BLUE, "--"))
_LEAST_SHARE_SHOWN = -0.25


def decision_picture(decision: Decision) -> Picture:
    """Net benefit of each method over thresholds, beside acting on everyone and on no one."""
    from matplotlib.ticker import PercentFormatter

    with drawing(4.4, 3.4) as figure:
        axes = figure.add_subplot()
        axes.plot(decision.thresholds, decision.treat_all, color=GREY, linewidth=1.2, label="act on everyone")
        axes.axhline(0.0, color=INK, linewidth=1.0, linestyle=":", label="act on no one")
        for (name, benefit), (colour, line) in zip(decision.methods, _STYLES, strict=False):
            axes.plot(decision.thresholds, benefit, color=colour, linestyle=line, linewidth=1.8, label=name)
        top = max(0.01, *(float(benefit.max()) for _, benefit in decision.methods), decision.treat_all.max())
        axes.set_ylim(_LEAST_SHARE_SHOWN * top, 1.08 * top)
        axes.set_xlim(0.0, float(decision.thresholds[-1]))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        axes.set_xlabel("risk from which one would act")
        axes.set_ylabel("net benefit per patient")
        axes.grid(color="#e5e7eb")
        axes.set_axisbelow(True)
        axes.legend(frameon=False, fontsize=8.5)
        middle = len(decision.thresholds) // 2
        said = "; ".join(f"{name} {benefit[middle]:.3f}" for name, benefit in decision.methods)
        return as_picture(
            figure,
            f"Net benefit for {decision.title}; at a threshold of {decision.thresholds[middle]:.0%}: {said}; "
            f"acting on everyone {decision.treat_all[middle]:.3f}.",
        )


def rank_picture(table: RankTable, ours: str) -> Picture:
    """Mean ranks, best on top; upright bars join neighbours not shown to differ."""
    names = [name for name, _ in table.ranks]
    with drawing(1.15 * WIDTH_INCHES, 0.75 + 0.27 * len(names)) as figure:
        axes = figure.add_subplot()
        for place, (name, rank) in enumerate(table.ranks):
            colour = VERMILLION if name == ours else GREY
            axes.plot([1, rank], [place, place], color=colour, linewidth=1.2)
            axes.plot(rank, place, "D" if name == ours else "s", color=colour, markersize=7)
            axes.annotate(
                f"{rank:.2f}",
                (rank, place),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        for number, group in enumerate(table.alike):
            across = len(names) + 0.9 + 0.3 * number
            ends = names.index(group[0]) - 0.2, names.index(group[-1]) + 0.2
            axes.plot([across, across], ends, color=INK, linewidth=2.5, clip_on=False)
        axes.set_xlim(1, len(names) + 1.1 + 0.3 * len(table.alike))
        axes.set_xticks(range(1, len(names) + 1))
        axes.set_yticks(range(len(names)), names)
        for label, name in zip(axes.get_yticklabels(), names, strict=True):
            label.set_fontweight("bold" if name == ours else "normal")
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("mean rank (1 is best)", loc="left")
        axes.grid(axis="x", color="#e5e7eb")
        axes.set_axisbelow(True)
        said = "; ".join(f"{name} {rank:.2f}" for name, rank in table.ranks)
        groups = "; ".join(" to ".join((group[0], group[-1])) for group in table.alike)
        alike = f" No two were shown to differ within: {groups}." if groups else ""
        return as_picture(
            figure, f"Mean ranks by {table.measure} over {table.data_sets} data sets: {said}.{alike}"
        )
