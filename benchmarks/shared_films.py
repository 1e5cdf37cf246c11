"""Films read once for several fits of one simulated cohort, whose arms and outcomes alone differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from prognosis.cohort import Case
from prognosis.evidence.imaging import reading
from prognosis.evidence.imaging.arrays import FilmArrays
from prognosis.evidence.imaging.film_table import FilmTable
from prognosis.evidence.imaging.films import Film


@contextmanager
def shared_films() -> Iterator[None]:
    """Within it a film is opened and described once, by whichever fit of the process asks first.

    A study is known by its uid and the settings it is read by: simulate one seed at a time within it, with
    dials that leave films as they are.
    """
    gathered: dict[Any, FilmTable[Film]] = {}
    described: dict[Any, FilmArrays] = {}
    gather, describe = reading.gather_films, reading.film_arrays

    def gather_once(cases: Sequence[Case], config: Any, *more: Any) -> FilmTable[Film]:
        studies = tuple(
            (case.patient, tuple(study.study_uid for study in case.record.studies)) for case in cases
        )
        return _once(gathered, (studies, config), lambda: gather(cases, config, *more))

    def describe_once(films: Sequence[Film], config: Any, *more: Any) -> FilmArrays:
        key = tuple(id(film) for film in films), config  # `gathered` keeps them, so an id is one film's
        return _once(described, key, lambda: describe(films, config, *more))

    with (
        patch.object(reading, "gather_films", gather_once),
        patch.object(reading, "film_arrays", describe_once),
    ):
        yield


def _once(kept: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    digest = hash(key)
    if digest not in kept:
        kept[digest] = make()
    return kept[digest]
