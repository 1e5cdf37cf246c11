"""Films read once for several fits of one simulated cohort, whose arms and outcomes alone differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar
from unittest.mock import patch

from prognosis.cohort import Case
from prognosis.evidence.imaging import reading
from prognosis.evidence.imaging.arrays import FilmArrays
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.film_table import FilmTable, Progress
from prognosis.evidence.imaging.films import Film
from prognosis.evidence.imaging.pretrained import PretrainedEncoder

_MadeT = TypeVar("_MadeT")


@contextmanager
def shared_films() -> Iterator[None]:
    """Within it a film is opened and described once, by whichever fit of the process asks first.

    A study is known by its uid and the settings it is read by: simulate one seed at a time within it, with
    dials that leave films as they are.
    """
    gathered: dict[Hashable, FilmTable[Film]] = {}
    described: dict[Hashable, FilmArrays] = {}
    gather, describe = reading.gather_films, reading.film_arrays

    def gather_once(
        cases: Sequence[Case], config: ImagingConfig, told: Progress | None = None
    ) -> FilmTable[Film]:
        uids = tuple(
            (case.patient, tuple(study.study_uid for study in case.record.studies)) for case in cases
        )
        return _once(gathered, (uids, config), lambda: gather(cases, config, told))

    def describe_once(
        films: Sequence[Film],
        config: ImagingConfig,
        told: Progress | None = None,
        encoder: PretrainedEncoder | None = None,
    ) -> FilmArrays:
        key = tuple(id(film) for film in films), config  # `gathered` keeps them, so an id is one film's
        return _once(described, key, lambda: describe(films, config, told, encoder))

    with (
        patch.object(reading, "gather_films", gather_once),
        patch.object(reading, "film_arrays", describe_once),
    ):
        yield


def _once(kept: dict[Hashable, _MadeT], key: Hashable, make: Callable[[], _MadeT]) -> _MadeT:
    if key not in kept:
        kept[key] = make()
    return kept[key]
