"""The pages of a benchmark as HTML: each is one file that loads nothing."""

from __future__ import annotations

from pathlib import Path

from prognosis.outputs.benchmark_content import DatasetPage, SummaryPage
from prognosis.outputs.benchmark_figures import decision_picture, rank_picture
from prognosis.outputs.figures import calibration_picture, leaderboard_picture
from prognosis.outputs.page import environment, style, write_whole


def write_dataset_page(path: Path, page: DatasetPage) -> None:
    """Write one data set's page.

    Raises:
        InputError: The path is a folder, or cannot be written.
    """
    write_whole(path, render_dataset_page(page))


def write_summary_page(path: Path, page: SummaryPage) -> None:
    """Write the page over all data sets; it links to `NAME.html` beside it.

    Raises:
        InputError: The path is a folder, or cannot be written.
    """
    write_whole(path, render_summary_page(page))


def render_dataset_page(page: DatasetPage) -> str:
    """One data set's page; everything that was given is escaped."""
    return (
        environment()
        .get_template("benchmark_dataset.html.j2")
        .render(
            title=page.title,
            style=style(),
            page=page,
            leaderboards=[(board, leaderboard_picture(board)) for board in page.leaderboards],
            calibrations=[
                (name, [(plot, calibration_picture(plot)) for plot in plots])
                for name, plots in page.calibrations
            ],
            decisions=[(decision, decision_picture(decision)) for decision in page.decisions],
        )
    )


def render_summary_page(page: SummaryPage) -> str:
    """The page over all data sets; everything that was given is escaped."""
    return (
        environment()
        .get_template("benchmark_summary.html.j2")
        .render(
            title=page.title,
            style=style(),
            page=page,
            ranks=[(table, rank_picture(table, page.ours)) for table in page.ranks if table.ranks],
        )
    )
