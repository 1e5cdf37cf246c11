"""Records whose films are drawn and marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from prognosis.record import ImagingStudy, PatientRecord, Segmentation, Series, Volume
from prognosis.record.imaging import UNMARKED
from tests.evidence.segmentation.lungs import marked_film

DAY = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class DrawnFilms:
    """Opens the drawing that a study's UID names."""

    unmarked_columns: int = 0

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        return (marked_film(int(study.study_uid))[0],)

    def segmentations(self, study: ImagingStudy) -> tuple[Segmentation, ...]:
        marked = marked_film(int(study.study_uid))[1]
        labels = marked.labels.copy()
        labels[..., : self.unmarked_columns] = UNMARKED
        return (replace(marked, labels=labels),)


def marked_records(
    patients: int,
    copied: Sequence[tuple[int, int]] = (),
    sites: Sequence[str] = ("north",),
    unmarked_columns: int = 0,
) -> list[PatientRecord]:
    """One film a patient; of each pair of `copied` the second patient has the first one's film as well."""
    store = DrawnFilms(unmarked_columns)
    films = {number: [number] for number in range(patients)}
    for one, other in copied:
        films[other].append(films[one][0])
    return [
        PatientRecord(
            patient_id=f"p{number}",
            studies=tuple(
                ImagingStudy(DAY, str(film), (Series("1", "DX", "PA"),), store=store)
                for film in films[number]
            ),
            site=sites[number % len(sites)],
        )
        for number in range(patients)
    ]
