"""Where input that cannot be used is set aside, with its reason, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from prognosis.errors import InputError


@dataclass(frozen=True, slots=True)
class Rejection:
    """One piece of input set aside: which, what is wrong, what would be right.

    `patient_id` is whose record it was, where it was the whole of it; "" where it was not, or is not known.
    """

    reference: str
    problem: str
    remedy: str
    patient_id: str = ""


class Quarantine:
    """Counts what was received and keeps what was rejected: expected = received + rejected."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.rejections: list[Rejection] = []
        self.notices: Counter[str] = Counter()

    def accept(self, kind: str, count: int = 1) -> None:
        """Count input of `kind` ("Observation", "DICOM instance") that was read."""
        self.accepted[kind] += count

    def reject(self, error: InputError, patient_id: str = "") -> None:
        """Set one piece of input aside for the reason the error gives; `patient_id` where it was a record."""
        self.rejections.append(Rejection(error.reference, error.problem, error.remedy, patient_id))

    def notice(self, message: str, count: int = 1) -> None:
        """Count something a reader of the cohort should know, e.g. "effective time used for issued"."""
        self.notices[message] += count

    def __iter__(self) -> Iterator[Rejection]:
        return iter(self.rejections)

    def __len__(self) -> int:
        return len(self.rejections)
