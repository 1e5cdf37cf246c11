"""One patient's page, put together from the prediction, its explanations and the record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from prognosis.cli.film_series import film_series
from prognosis.cli.patient_explanations import told_change, told_explanation
from prognosis.cli.statements import free_statements, set_statements, value_statements
from prognosis.cohort import Case, ClassLabel, FindingsLabel, MeasurementLabel, SurvivalLabel
from prognosis.comparison.treat import treat_cases
from prognosis.evidence.imaging.model import EvidenceMap, ImagingEvidence
from prognosis.evidence.imaging.outline import Outline
from prognosis.evidence.imaging.regions import Layout
from prognosis.evidence.segmentation.zones import ZONES
from prognosis.explanation import (
    AskedScale,
    Attribution,
    Explanation,
    case_tokens,
    change_between,
    explain_tokens,
)
from prognosis.explanation.tokens import CaseTokens
from prognosis.fusion import FusionModel
from prognosis.outputs.estimate import Estimate
from prognosis.outputs.patient_explanation import PatientChange
from prognosis.outputs.patient_figures import LEAST_SHOWN
from prognosis.outputs.patient_page import (
    Film,
    FilmSeries,
    HorizonRisk,
    IncidenceCurve,
    Missing,
    NoteText,
    PatientPage,
    Sentence,
    Zone,
)
from prognosis.prediction import Prediction, predict_cases
from prognosis.prediction.predictor import case_of

NOTES_SHOWN = 3


def patient_page(
    model: FusionModel,
    case: Case,
    outcome: str = "",
    scale: AskedScale = "log_hazard",
    horizon_days: float | None = None,
    since: datetime | None = None,
) -> PatientPage:
    """Everything the model says of one case, ready to be drawn.

    Args:
        model: The model.
        case: As known at its index.
        outcome: What happened, for a page that judges the model.
        scale: Of the drivers; zones and sentences are marked on the log-hazard's, as maps are.
        horizon_days: Of the drivers on the scale of probability.
        since: Also tell how the answers moved since then.

    Raises:
        InputError: `since` is not before the index, or the horizon is beyond the training's follow-up.
    """
    prediction = predict_cases(model, [case])[0]
    known = case_tokens(model, case)
    explanations = tuple(explain_tokens(model, known, cause) for cause in model.task.causes)
    told = explanations
    if scale == "probability":
        told = tuple(explain_tokens(model, known, cause, scale, horizon_days) for cause in model.task.causes)
    return PatientPage(
        patient=case.patient,
        index_time=case.index_time.isoformat(),
        question=model.task.question,
        summary=_summary(case),
        model_id=model.model_id,
        risks=horizon_risks(prediction),
        curves=_curves(prediction) if model.task.is_survival else (),
        explanations=tuple(told_explanation(explanation, model.task) for explanation in told),
        changes=() if since is None else _changes(model, case, known, since),
        films=_films(model, case, explanations[: model.task.questions]),
        series=_series(model, case),
        notes=_notes(case, explanations[0]),
        missing=missing_modalities(prediction),
        modalities_used=prediction.modalities_used,
        free_for=(
            *value_statements(prediction),
            *free_statements(prediction),
            *set_statements(prediction),
        ),
        interval_meaning=_interval_meaning(prediction),
        abstained_because=prediction.abstained_because,
        outcome=outcome,
        cautions=prediction.cautions,
        answer="risk" if prediction.measured is None else "value",
        treatment=None if model.arms is None else treat_cases(model, [case])[0],
    )


def _changes(model: FusionModel, case: Case, known: CaseTokens, since: datetime) -> tuple[PatientChange, ...]:
    """How the answer to each cause moved since an earlier date."""
    earlier = case_tokens(model, case_of(case.record, since))
    return tuple(
        told_change(model, change_between(model, earlier, known, cause)) for cause in model.task.causes
    )


def _interval_meaning(prediction: Prediction) -> str:
    if prediction.measured is not None:
        return ""
    return (
        f"{round(100 * prediction.level)}% of draws: patients resampled, and what each missing modality "
        "might have said taken from training patients who had it"
    )


def outcome_of(case: Case) -> str:
    """What happened to a case, in words; "" where it is not known."""
    if isinstance(case.label, SurvivalLabel):
        what = case.label.cause.replace("_", " ") if case.label.cause else "followed without an event"
        return f"{what} after {case.label.days:.0f} days"
    if isinstance(case.label, MeasurementLabel):
        return f"{case.label.value:.4g} after {case.label.days:.0f} days"
    if isinstance(case.label, FindingsLabel):
        states = {"present": case.label.present, "absent": case.label.absent}
        stated = (f"{state}: {', '.join(names)}" for state, names in states.items() if names)
        return "; ".join(stated).replace("_", " ")
    return case.label.category.replace("_", " ") if isinstance(case.label, ClassLabel) else ""


def horizon_risks(prediction: Prediction) -> tuple[HorizonRisk, ...]:
    """The risk of every cause at every horizon of the task."""
    return tuple(
        HorizonRisk(risk.cause, risk.days, Estimate(risk.probability, risk.low, risk.high, prediction.level))
        for risk in prediction.risks()
    )


def missing_modalities(prediction: Prediction) -> tuple[Missing, ...]:
    """What the model would have read, why it did not, and which of them would help most."""
    return tuple(
        Missing(
            name, why, "having it would narrow the interval most" if name == prediction.helps_most else ""
        )
        for name, why in prediction.modalities_missing.items()
    )


def _summary(case: Case) -> str:
    record = case.record
    parts = []
    if record.birth_date is not None:
        parts.append(f"{int((case.index_time.date() - record.birth_date).days / 365.25)} years")
    parts.append(record.sex or "sex not recorded")
    if record.site:
        parts.append(f"site {record.site}")
    held = (
        f"{len(record.events)} coded facts, {len(record.notes)} notes, {len(record.studies)} imaging studies"
    )
    return ", ".join(parts) + f"; {held} known at the index"


def _curves(prediction: Prediction) -> tuple[IncidenceCurve, ...]:
    return tuple(
        IncidenceCurve(cause, prediction.days, curve, prediction.low[cause], prediction.high[cause])
        for cause, curve in prediction.cumulative_incidence.items()
    )


def _films(model: FusionModel, case: Case, explanations: Sequence[Explanation]) -> tuple[Film, ...]:
    """The latest film with the evidence of the first cause, or of each finding, over it."""
    imaging = model.evidence.get("imaging")
    if not isinstance(imaging, ImagingEvidence):
        return ()
    located = imaging.evidence_map(case)
    if located is None:
        return ()
    return tuple(_film(located, imaging.config.layout, explanation) for explanation in explanations)


def _film(located: EvidenceMap, layout: Layout, explanation: Explanation) -> Film:
    """A film, or the slice of a volume where most evidence lies, with the evidence of one cause."""
    cause, day = explanation.cause.replace("_", " "), located.time[:10]
    evidence = located.evidence[located.causes.index(explanation.cause)]
    pixels = np.asarray(located.film, dtype=np.float64)
    if pixels.ndim == 3:
        level = int(np.abs(evidence).sum(axis=(1, 2)).argmax())
        title = f"Slice {level + 1} of {len(pixels)} of {day}, where most evidence lies: evidence for {cause}"
        return Film(title, located.source, pixels[level], evidence[level])
    share = {a.name: a.contribution for a in explanation.attributions if a.modality == "imaging"}
    boxes = _grid_boxes(layout) if located.outline is None else _zone_boxes(located.outline)
    zones = tuple(Zone(name, *box, contribution=share.get(name, 0.0)) for name, box in boxes.items())
    return Film(f"Film of {day}: evidence for {cause}", located.source, pixels, evidence, zones)


def _grid_boxes(layout: Layout) -> dict[str, tuple[float, float, float, float]]:
    """Top, left, bottom and right of each region of a grid, as shares of the film's sides."""
    rows, columns = layout.rows, layout.columns
    return {
        name: (
            place // columns / rows,
            place % columns / columns,
            (place // columns + 1) / rows,
            (place % columns + 1) / columns,
        )
        for place, name in enumerate(layout.names)
    }


def _zone_boxes(outline: Outline) -> dict[str, tuple[float, float, float, float]]:
    """The smallest box round each lung zone that the film shows, likewise; what is outside has none."""
    height, width = outline.regions.shape
    boxes = {}
    for place, name in enumerate(ZONES):
        rows, columns = np.nonzero(outline.regions == place)
        if len(rows):
            boxes[name] = (
                rows.min() / height,
                columns.min() / width,
                (rows.max() + 1) / height,
                (columns.max() + 1) / width,
            )
    return boxes


def _series(model: FusionModel, case: Case) -> FilmSeries | None:
    imaging = model.evidence.get("imaging")
    return film_series(imaging, case) if isinstance(imaging, ImagingEvidence) else None


def _notes(case: Case, explanation: Explanation) -> tuple[NoteText, ...]:
    """The latest notes of which sentences were read, each marked where it stands."""
    cited: dict[tuple[str, str], list[Attribution]] = {}
    for attribution in explanation.attributions:
        if attribution.span is not None:
            note = (attribution.source.rpartition("#")[0], attribution.time)
            cited.setdefault(note, []).append(attribution)
    notes = [(note, cited.get((note.source, note.time.isoformat()))) for note in reversed(case.record.notes)]
    return tuple(
        NoteText(
            title=f"{note.kind or 'Note'}, {note.time.date().isoformat()}",
            source=note.source,
            sentences=marked_sentences(note.text, own),
        )
        for note, own in [each for each in notes if each[1]][:NOTES_SHOWN]
        if own
    )


def marked_sentences(text: str, cited: Sequence[Attribution]) -> tuple[Sentence, ...]:
    """The whole text in order: sentences with their contribution, and what stands between them.

    A sentence whose contribution two decimals do not show is text as any other.
    """
    found, at = [], 0
    for attribution in sorted(cited, key=lambda each: each.span or (0, 0)):
        first, last = attribution.span or (0, 0)
        if abs(attribution.contribution) < LEAST_SHOWN:
            continue
        found += [Sentence(text[at:first].strip()), Sentence(text[first:last], attribution.contribution)]
        at = last
    return tuple(each for each in (*found, Sentence(text[at:].strip())) if each.text)
