"""Every study of a cohort encoded into the cache, once, with an account of what could not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from prognosis.errors import StudyError
from prognosis.evidence.imaging.cache import StudyCache
from prognosis.evidence.imaging.film_table import Progress, may_be_read
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.record import ImagingStudy, Quarantine


@dataclass(frozen=True, slots=True)
class EncodingAccount:
    """What became of a cohort's studies; one that was refused was encoded or found, and its reason kept.

    Attributes:
        studies: How many there are.
        encoded: Read and kept now.
        found: In the cache already.
        other_views: Not opened: their record says that they hold no frontal film.
        refused: How many of those encoded or found the model does not read, by reason.
        quarantine: Those that could not be opened.
    """

    studies: int
    encoded: int
    found: int
    other_views: int
    refused: Counter[str]
    quarantine: Quarantine


def encode_studies(
    evidence: ImagingEvidence,
    cache: StudyCache,
    studies: Sequence[ImagingStudy],
    on_progress: Progress | None = None,
) -> EncodingAccount:
    """Encode what is not in the cache. A run that was stopped is gone on with by running it again.

    Args:
        evidence: A model's.
        cache: Its cache.
        studies: Of any patients.
        on_progress: Told how many studies were gone through.
    """
    refused, quarantine, other_views = Counter[str](), Quarantine(), 0
    found, made = cache.found, cache.made
    for number, study in enumerate(studies, start=1):
        if may_be_read(study, evidence.config):
            try:
                encoding = evidence.encoding(study)
            except StudyError as error:
                quarantine.reject(error)
            else:
                refused.update([encoding.refusal] if encoding.refusal else [])
        else:
            other_views += 1
        if on_progress is not None:
            on_progress("encoding studies", number, len(studies))
    return EncodingAccount(
        len(studies), cache.made - made, cache.found - found, other_views, refused, quarantine
    )
