"""What is told about one patient: the risk, its interval, what drives it, and what is missing.

The page of the report and the text on a terminal are both drawn from these.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognosis.comparison.answer import TreatmentAnswer
from prognosis.outputs.estimate import Estimate
from prognosis.outputs.patient_explanation import PatientChange, PatientExplanation


@dataclass(frozen=True, slots=True)
class HorizonRisk:
    """The probability that a cause has happened by a horizon, before any competing cause.

    Attributes:
        cause: As the task names it.
        days: Days from the index; 0 for a class at the index.
        risk: Probability in [0, 1], higher is worse, with its interval.
    """

    cause: str
    days: float
    risk: Estimate


@dataclass(frozen=True, slots=True)
class IncidenceCurve:
    """Predicted cumulative incidence of one cause over time.

    Attributes:
        cause: As the task names it.
        days: (t,) increasing, from 0.
        incidence: (t,) probability in [0, 1], never decreasing.
        low: (t,) lower end of the interval.
        high: (t,) upper end of the interval.
    """

    cause: str
    days: NDArray[np.float64]
    incidence: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Zone:
    """A named region of a film and its evidence; edges are fractions of height and width from the top left.

    Attributes:
        name: "left lower zone" (the patient's left, which a film shows on the right).
        top: Upper edge, in [0, 1].
        left: Left edge as seen, in [0, 1].
        bottom: Lower edge, in [0, 1].
        right: Right edge as seen, in [0, 1].
        contribution: What the region adds, on the explanation's scale; positive is worse.
    """

    name: str
    top: float
    left: float
    bottom: float
    right: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Film:
    """One image and where on it the evidence lies.

    Attributes:
        title: "Chest film, AP, 2020-03-02".
        source: "ImagingStudy/<uid>".
        pixels: (rows, columns) brightness in [0, 1], as it is read: bone is bright.
        evidence: (r, c) signed evidence, coarser than the film or equal to it; positive is worse. It
            covers the whole film. None when no map was made.
        zones: Named regions drawn as a grid beside the map.
    """

    title: str
    source: str
    pixels: NDArray[np.float64]
    evidence: NDArray[np.float64] | None
    zones: tuple[Zone, ...] = ()


@dataclass(frozen=True, slots=True)
class DatedFilm:
    """One film of a series.

    Attributes:
        day: When it was taken, ISO 8601.
        source: "ImagingStudy/<uid>".
        pixels: (rows, columns) brightness in [0, 1].
        regions: (rows, columns) the place in the series' zones of each pixel's zone.
        by_zone: Evidence of each zone; positive is worse.
    """

    day: str
    source: str
    pixels: NDArray[np.float64]
    regions: NDArray[np.uint8]
    by_zone: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FilmChange:
    """What changed between two films of a series.

    Attributes:
        first: Day of the earlier film.
        last: Day of the later one.
        by_zone: Change in each zone's evidence; positive is worse.
        caution: Why the comparison is to be read with care; "" otherwise.
    """

    first: str
    last: str
    by_zone: tuple[float, ...]
    caution: str = ""


@dataclass(frozen=True, slots=True)
class FilmSeries:
    """A patient's films, oldest first.

    Attributes:
        title: What the evidence is for.
        zones: Names of the zones.
        films: At least two.
        changes: Between each film and the next.
        overall: From the first film to the last.
        meaning: What the numbers are, in a sentence.
    """

    title: str
    zones: tuple[str, ...]
    films: tuple[DatedFilm, ...]
    changes: tuple[FilmChange, ...]
    overall: FilmChange
    meaning: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; `contribution` is None when the model gave it no evidence of its own."""

    text: str
    contribution: float | None = None


@dataclass(frozen=True, slots=True)
class NoteText:
    """One note with the sentences that the explanation cites marked inside it.

    Attributes:
        title: "Radiology report, 2020-03-02".
        source: "DocumentReference/n1".
        sentences: The whole note, in order.
    """

    title: str
    source: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """What the model would have read but did not have.

    Attributes:
        what: A modality or a measurement.
        why: "none before the index", "film is blank".
        effect: What having it would be expected to change: "having it would narrow the interval most".
    """

    what: str
    why: str
    effect: str = ""


@dataclass(frozen=True, slots=True)
class PatientPage:
    """Everything told about one patient at one index time.

    Attributes:
        patient: The identifier to show (site and id).
        index_time: When the question is asked, ISO 8601.
        question: The task's question.
        summary: One line about the patient: "71 years, female, site A".
        model_id: Which model answers.
        risks: Per cause and horizon.
        curves: Per cause; empty for a class.
        explanations: One a cause explained, the most important first.
        changes: How each cause's answer moved since an earlier date; empty where none was asked about.
        films: Images with their maps.
        series: The films of several dates with the change between them; None with fewer than two.
        notes: Notes with cited sentences marked.
        missing: What was not there.
        modalities_used: Modalities that the prediction rests on.
        interval_meaning: What the interval covers: "95% of 200 bootstrap refits over patients".
        free_for: Lower bounds on the time free of events, or the classes that cannot be ruled out, in
            sentences; empty where the model gives none.
        cautions: Reasons to read the numbers with care that fall short of abstaining.
        abstained_because: Why no answer is given; "" when one is. A page with a reason shows no answer.
        outcome: What happened, where it is known and the page is for judging the model; "" otherwise.
        answer: What is told: a "risk", or of a measurement its "value".
        treatment: What each arm would do; None where the model compares no arms.
    """

    patient: str
    index_time: str
    question: str
    summary: str
    model_id: str
    risks: tuple[HorizonRisk, ...]
    curves: tuple[IncidenceCurve, ...] = ()
    explanations: tuple[PatientExplanation, ...] = ()
    changes: tuple[PatientChange, ...] = ()
    films: tuple[Film, ...] = ()
    series: FilmSeries | None = None
    notes: tuple[NoteText, ...] = ()
    missing: tuple[Missing, ...] = ()
    modalities_used: tuple[str, ...] = field(default=())
    interval_meaning: str = ""
    free_for: tuple[str, ...] = ()
    cautions: tuple[str, ...] = field(default=())
    abstained_because: str = ""
    outcome: str = ""
    answer: str = "risk"
    treatment: TreatmentAnswer | None = None
