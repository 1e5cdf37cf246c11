"""Evidence tokens: the additive pieces that every modality is turned into, and their sums as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case

MODALITIES = ("clinical", "text", "imaging")


@dataclass(frozen=True, slots=True)
class Token:
    """One clinical feature, one sentence or one image region at one time.

    Attributes:
        modality: "clinical", "text" or "imaging".
        name: What it is, for people: "C reactive protein", "left lower zone", the sentence's section.
        detail: Its value, for people: "185 mg/L, rising", the sentence itself, "film of 2020-03-02".
        source: The resource it comes from: "Observation/cr-1", "DocumentReference/n1#3",
            "ImagingStudy/<uid>#left lower".
        time: ISO 8601 time at which it was known, "" where it has none (sex).
        age_days: Days from then to the index; >= 0.
        evidence: (causes, 1) or (causes, bins): log-hazard (log-odds for a class), positive is worse,
            CENTRED so that zero is the training population's mean.
        vector: (width,) centred likewise; what interacts with other modalities.
        subject: What it is about, the same whenever the patient is asked about: a concept's code, where a
            sentence stands, a region; "" where `name` says it.
        family: What it is told with where tokens are many: the note's section, the region; "" for `name`.
        topic: What a reader takes it for one thing with: a concept's code, whatever its unit and whether it
            is a level, a change or an absence; the words of a sentence, in whichever note; a region at
            every date; "" for `subject`.
        span: The sentence's first and one past its last character in the note's text; None elsewhere.
    """

    modality: str
    name: str
    detail: str
    source: str
    time: str
    age_days: float
    evidence: NDArray[np.float64]
    vector: NDArray[np.float64]
    subject: str = ""
    family: str = ""
    topic: str = ""
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ModalityEvidence:
    """One modality's evidence for n cases, summed over tokens; rows of absent cases are exactly zero.

    Attributes:
        present: (n,) True where the case has the modality.
        evidence: (n, causes, 1) or (n, causes, bins): the sum of the tokens' evidence.
        vector: (n, width): the sum of the tokens' vectors.
        typical_distance: (n,) squared Mahalanobis-like distance from the training population divided by its
            99th percentile there; > 1 is unusual, 0 where absent.
        withheld: per case, the reason why data that exists was not used ("film is blank"), else "".
        cautions: per case, what is doubtful about data that was used ("film may be mirrored"), else ""; empty
            where the modality doubts nothing.
    """

    present: NDArray[np.bool_]
    evidence: NDArray[np.float64]
    vector: NDArray[np.float64]
    typical_distance: NDArray[np.float64]
    withheld: tuple[str, ...]
    cautions: tuple[str, ...] = ()


class EvidenceModel(Protocol):
    """A fitted modality: turns a case into tokens, and many cases into their sums.

    For every case, the sum of `tokens(case)`'s evidence equals the row that `summarise` gives, to 1e-6;
    an absent modality gives no token and a row of zeros.
    """

    @property
    def modality(self) -> str:
        """One of MODALITIES."""
        ...

    @property
    def width(self) -> int:
        """Numbers in a token's vector."""
        ...

    def summarise(self, cases: Sequence[Case]) -> ModalityEvidence:
        """The modality's evidence for each case."""
        ...

    def tokens(self, case: Case) -> tuple[Token, ...]:
        """The pieces of evidence of one case, each with its source."""
        ...

    def tokens_of(self, cases: Sequence[Case]) -> list[tuple[Token, ...]]:
        """The same of each of many cases, which may cost less than asking one by one."""
        ...

    def save(self, folder: Path) -> None:
        """Write the fitted state into an existing, empty folder: JSON, safetensors, UBJ; no pickle."""
        ...


@dataclass(frozen=True, slots=True)
class FittedEvidence:
    """A fitted modality and its out-of-fold evidence on the training cases.

    The fusion learns from `out_of_fold`, in which no case was seen by the model that read it; otherwise the
    modality that overfits most would be trusted most. The model that is kept is the average of the
    fold models (an average of additive models is additive).

    Attributes:
        model: What is kept.
        out_of_fold: Of each training case, by the model that did not see its fold.
        by_fold: The model of each fold, learned without it: the tokens that it makes of the fold's cases sum
            to their rows of `out_of_fold`.
        usual: `out_of_fold`, spread as widely as what the kept model says of other cases: what an unknown
            modality might have said.
    """

    model: EvidenceModel
    out_of_fold: ModalityEvidence
    by_fold: tuple[EvidenceModel, ...]
    usual: ModalityEvidence


Fitting = Callable[[NDArray[np.float64] | None], FittedEvidence]
"""Fits a modality whose data have been read, beside evidence (n, causes) known from elsewhere or none."""
