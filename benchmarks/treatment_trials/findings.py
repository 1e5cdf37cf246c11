"""What one analysis gives: rows that hold an estimate against an independent one, and tables to print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from prognosis.treatment import Estimate


@dataclass(frozen=True, slots=True)
class Contrast:
    """One quantity of two arms, by our estimate and by an independent one of the trial as it is.

    Attributes:
        quantity: In words, with its unit.
        arm: The arm asked about.
        reference: The other one.
        ours: Doubly robust, with covariates.
        independent: Without covariates, by another package.
        published: What was published of it; "" where nothing was found that could be read again.
        digits: To print.
    """

    quantity: str
    arm: str
    reference: str
    ours: Estimate
    independent: Estimate
    published: str = ""
    digits: int = 2

    @property
    def recovered(self) -> bool:
        """True when our estimate lies within the independent interval."""
        return self.independent.low <= self.ours.value <= self.independent.high

    @property
    def relative_error(self) -> float:
        """Our standard error over the independent one: below 1 where covariates made it sharper."""
        return self.ours.standard_error / self.independent.standard_error

    def row(self) -> tuple[str, ...]:
        """As cells of a table."""
        return (
            self.quantity,
            f"{self.arm} against {self.reference}",
            interval(self.ours, self.digits),
            interval(self.independent, self.digits),
            "yes" if self.recovered else "NO",
            f"{self.relative_error:.2f}",
            self.published,
        )


CONTRAST_HEADER = (
    *("quantity", "arms", "ours, doubly robust", "the trial as it is, independent package"),
    *("ours within that interval", "standard error, ours over theirs", "published"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its title."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found on one data set.

    Attributes:
        name: Of the data set and task.
        contrasts: Held against an independent package.
        tables: All else.
        said: Sentences that the data bear out, as they are printed.
        numbers: For the JSON, beside the contrasts.
    """

    name: str
    contrasts: tuple[Contrast, ...] = ()
    tables: tuple[Table, ...] = ()
    said: tuple[str, ...] = ()
    numbers: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and words."""
        contrasts = [asdict(each) | {"recovered": each.recovered} for each in self.contrasts]
        return {"name": self.name, "contrasts": contrasts, "said": list(self.said), **self.numbers}

    def lines(self) -> Iterator[str]:
        """As Markdown."""
        yield f"\n## {self.name}\n"
        if self.contrasts:
            yield from markdown(CONTRAST_HEADER, [each.row() for each in self.contrasts])
        for table in self.tables:
            yield f"\n**{table.title}**\n"
            yield from markdown(table.header, table.rows)
        if self.said:
            yield ""
            yield from (f"- {sentence}" for sentence in self.said)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + "--|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def interval(found: Estimate, digits: int = 2) -> str:
    """A value with its interval."""
    return f"{found.value:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"
