"""Which film of each case is its latest and which came before, whatever a film is to who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.record import ImagingStudy

Progress = Callable[[str, int, int], None]

_SECONDS_A_DAY = 86_400.0


class Dated(Protocol):
    """A film as it is read, or what is known of one."""

    @property
    def time(self) -> datetime:
        """When it was taken."""
        ...

    @property
    def caution(self) -> str:
        """What is doubtful about it, else ""."""
        ...


FilmT_co = TypeVar("FilmT_co", bound=Dated, covariant=True)
Read = Callable[[ImagingStudy, str], FilmT_co | str]
"""From a study and its patient's key to its film, or to the reason why there is none."""


@dataclass(frozen=True, slots=True)
class FilmTable(Generic[FilmT_co]):
    """The films of many cases, each opened once.

    Attributes:
        films: Every film that is used.
        latest: (n,) place in `films` of each case's latest film; -1 where it has none.
        previous: (n,) of the film before it; -1 where it has none.
        gap_days: (n,) days between the two; 0 where there is no previous film.
        withheld: (n,) why a film that exists was not used, else "".
    """

    films: tuple[FilmT_co, ...]
    latest: NDArray[np.int64]
    previous: NDArray[np.int64]
    gap_days: NDArray[np.float64]
    withheld: tuple[str, ...]

    @property
    def cautions(self) -> tuple[str, ...]:
        """(n,) what the gate or the outline found doubtful about each case's latest film, else ""."""
        return tuple(self.films[place].caution if place >= 0 else "" for place in self.latest)

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n,) True where the case has a film that can be read."""
        return self.latest >= 0

    def take(self, rows: NDArray[np.intp]) -> FilmTable[FilmT_co]:
        """The same films, and the cases at `rows`."""
        withheld = tuple(self.withheld[row] for row in rows)
        return FilmTable(self.films, self.latest[rows], self.previous[rows], self.gap_days[rows], withheld)


def gather(
    cases: Sequence[Case], config: ImagingConfig, read: Read[FilmT_co], on_progress: Progress | None = None
) -> FilmTable[FilmT_co]:
    """The latest and previous readable film of every case, whatever a film is to `read`.

    A study that cannot be opened or whose film fails the quality gate is passed over for the one before it,
    and the reason is kept. A case never reads a study that is not in its record.

    Args:
        cases: Cases whose records are as known at their index.
        config: Settings.
        read: Gives the film of a study; called once a study.
        on_progress: Told how many cases were read.
    """
    opened: dict[tuple[str, str], int | str] = {}
    films: list[FilmT_co] = []

    def place(study: ImagingStudy, patient: str) -> int | str:
        key = (patient, study.study_uid)
        if key not in opened:
            film = read(study, patient)
            opened[key] = film if isinstance(film, str) else len(films)
            if not isinstance(film, str):
                films.append(film)
        return opened[key]

    latest, previous = (np.full(len(cases), -1, dtype=np.int64) for _ in range(2))
    gap_days, withheld = np.zeros(len(cases)), []
    for row, case in enumerate(cases):
        outcomes = list(_latest_two(case, config, place))
        found = [outcome for outcome in outcomes if isinstance(outcome, int)]
        withheld.append(outcomes[0] if outcomes and isinstance(outcomes[0], str) else "")
        if found:
            latest[row] = found[0]
        if len(found) == 2:
            previous[row] = found[1]
            gap_days[row] = (films[found[0]].time - films[found[1]].time).total_seconds() / _SECONDS_A_DAY
        if on_progress is not None:
            on_progress("reading films", row + 1, len(cases))
    return FilmTable(tuple(films), latest, previous, gap_days, tuple(withheld))


def _latest_two(
    case: Case, config: ImagingConfig, place: Callable[[ImagingStudy, str], int | str]
) -> Iterator[int | str]:
    """Back from the latest study: the place of each film, or why there is none, until two films are found."""
    found, lateral = 0, ""
    for study in reversed(case.record.studies):
        if not may_be_read(study, config):
            lateral = lateral or of_study(study, "study holds no frontal film")
            continue
        outcome = place(study, case.patient)
        yield outcome
        found += isinstance(outcome, int)
        if found == 2:
            return
    if lateral and not found:
        yield lateral


def may_be_read(study: ImagingStudy, config: ImagingConfig) -> bool:
    """Whether a study's record does not already say that it holds other views only."""
    return not study.series or any(config.reads_view(series.view) for series in study.series)


def of_study(study: ImagingStudy, reason: str) -> str:
    """Why a study was not read, with the day by which people know it."""
    return f"study of {study.time.date()}: {reason}"
