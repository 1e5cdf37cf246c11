"""What a model's explanations of a cohort say and whether they hold, as one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prognosis.explanation.cohort import CohortExplanation
from prognosis.outputs.explanation_figures import (
    beeswarm_picture,
    importance_picture,
    shares_by_age_picture,
    shares_over_time_picture,
)
from prognosis.outputs.page import environment, style, write_whole
from prognosis.outputs.report_content import Measure


@dataclass(frozen=True, slots=True)
class ExplanationPage:
    """What the page says.

    Attributes:
        question: The task's question.
        statement: Of whom the explanations are.
        explained: The cohort's explanations.
        measures: Of the checks, with intervals.
        statements: Of the checks, in sentences.
        model_id: Which model.
        created: When, ISO 8601.
        command: What makes this page again.
    """

    question: str
    statement: str
    explained: CohortExplanation
    measures: tuple[Measure, ...]
    statements: tuple[str, ...]
    model_id: str
    created: str
    command: str


def write_explanation_page(path: Path, page: ExplanationPage) -> None:
    """Write the page, whole or not at all.

    Raises:
        InputError: The path is a folder, or cannot be written.
    """
    write_whole(path, render_explanation_page(page))


def render_explanation_page(page: ExplanationPage) -> str:
    """The page as HTML; everything that was given is escaped."""
    explained = page.explained
    return (
        environment()
        .get_template("explanations.html.j2")
        .render(
            title=f"What drives {explained.cause.replace('_', ' ')}",
            style=style(),
            page=page,
            pictures=[
                beeswarm_picture(explained),
                importance_picture(explained),
                shares_over_time_picture(explained),
                shares_by_age_picture(explained),
            ],
        )
    )
