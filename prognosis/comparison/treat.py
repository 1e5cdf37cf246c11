"""From a model and a patient to what each arm would do, or why that is not said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.comparison.answer import (
    DAYS,
    PROBABILITY,
    RATIO,
    ArmAnswer,
    ArmBasis,
    ArmCurve,
    ArmRisk,
    Basis,
    Contrast,
    Number,
    TreatmentAnswer,
    Why,
)
from prognosis.comparison.explaining import ArmTokens, arm_tokens, explain_contrast
from prognosis.comparison.refusing import impossible, refusal, unrecorded, withheld
from prognosis.comparison.words import assumptions, cautions, ratio_in_words, worth_in_words
from prognosis.errors import ScopeError
from prognosis.fusion import FusionModel
from prognosis.fusion.arms import ArmModel, ArmsRefused, CohortBasis
from prognosis.fusion.arms.columns import ArmInputs, effect_columns
from prognosis.prediction import Prediction
from prognosis.prediction.predictor import predict_row
from prognosis.treatment import ArmValues, Estimate, NotSupported, Reason, best_supported, judge
from prognosis.treatment.tabled_curves import MovedCurves, TabledCurves

Floats = NDArray[np.float64]


def treat_cases(model: FusionModel, cases: Sequence[Case]) -> tuple[TreatmentAnswer, ...]:
    """What each arm would do for each of many cases.

    Args:
        model: Trained on a task that states a treatment.
        cases: What was known by each index.

    Raises:
        ScopeError: The model compares no arms.
    """
    arms = refuse_without_arms(model)
    sums = model.inputs(cases)
    predictions = [predict_row(model, case, sums, row) for row, case in enumerate(cases)]
    if isinstance(arms, ArmsRefused):
        why = Why(str(Reason.NOT_COMPARED), arms.because)
        return tuple(_nothing(model, prediction, why) for prediction in predictions)
    inputs = arms.inputs(sums, cases)
    chances = arms.chances(inputs)
    tokens = arm_tokens(model, arms, cases, inputs)
    return tuple(
        _answer(model, arms, case, inputs.take(np.array([row])), predictions[row], chances[row], tokens[row])
        for row, case in enumerate(cases)
    )


def refuse_without_arms(model: FusionModel) -> ArmModel | ArmsRefused:
    """The arms of a model.

    Raises:
        ScopeError: It compares none.
    """
    if model.arms is None:
        raise ScopeError(
            f"model {model.model_id or model.task.name}",
            "compares no arms",
            "train it on a task that states treatment, with this version of prognosis",
        )
    return model.arms


def worth_of(model: FusionModel, cases: Sequence[Case]) -> Floats:
    """(n, A) worth of each case under each arm, without intervals, refusals or reasons: to judge a model by.

    Raises:
        ScopeError: The model compares no arms, or could not.
    """
    arms = model.arms
    if not isinstance(arms, ArmModel):
        problem = "compares no arms" if arms is None else f"could not compare its arms: {arms.because}"
        raise ScopeError(f"model {model.model_id or model.task.name}", problem, "train it on another cohort")
    return arms.worths(arms.inputs(model.inputs(cases), cases))


def _answer(
    model: FusionModel,
    arms: ArmModel,
    case: Case,
    inputs: ArmInputs,
    prediction: Prediction,
    chance: Floats,
    tokens: ArmTokens,
) -> TreatmentAnswer:
    columns = effect_columns(inputs, arms.presence)[0]
    values = arms.values(columns)
    why = refusal(arms, case, inputs, prediction) or impossible(values.values, values.highest)
    empty = _empty(model, arms, case, prediction, chance)
    if why is not None:
        own = tuple(replace(each, withheld=why) for each in empty.arms)
        return replace(empty, arms=own, refused=why, undecided=why)
    held = withheld(arms, chance)
    curves = arms.level.moved_to(columns, values) if isinstance(arms.level, TabledCurves) else None
    shown = tuple(
        replace(each, withheld=kept) if kept is not None else _told(model, arms, each, values, curves)
        for each, kept in zip(empty.arms, held, strict=True)
    )
    contrasts = tuple(
        _contrast(arms, values, curves, (arm, other), chance, tokens, inputs, held)
        for other, arm in combinations(arms.arms, 2)
    )
    better, undecided = _best(arms, contrasts, values, chance)
    return replace(empty, arms=shown, contrasts=contrasts, better=better, undecided=undecided)


def _best(
    arms: ArmModel, contrasts: tuple[Contrast, ...], values: ArmValues, chance: Floats
) -> tuple[str, Why | None]:
    """The arm that is better than every other, or why none is said to be."""
    gaps = {pair: values.difference(*pair) for pair in values.pairs()}
    best = best_supported(arms.basis.grounds, gaps, chance)
    if isinstance(best, NotSupported):
        return "", Why(str(best.reason), best.detail)
    against = [each for each in contrasts if best.arm in (each.arm, each.reference)]
    doubted = next((each.undecided for each in against if each.better != best.arm), None)
    return ("", doubted) if doubted is not None else (best.arm, None)


def _contrast(
    arms: ArmModel,
    values: ArmValues,
    curves: MovedCurves | None,
    pair: tuple[str, str],
    chance: Floats,
    tokens: ArmTokens,
    inputs: ArmInputs,
    held: tuple[Why | None, ...],
) -> Contrast:
    unit = _unit(arms)
    basis = next(each for each in arms.basis.pairs if (each.arm, each.reference) == pair)
    stops = next((held[arms.arms.index(name)] for name in pair if held[arms.arms.index(name)]), None)
    empty = Contrast(
        arm=pair[0],
        reference=pair[1],
        difference=None,
        ratio=None,
        average=_number(basis.difference, unit),
        average_ratio=None if basis.ratio is None else _number(basis.ratio, RATIO),
        e_value=basis.e_value,
        better="",
        undecided=stops,
        explanation=None,
    )
    if stops is not None:
        return empty
    difference = values.difference(*pair)
    found = judge(arms.basis.grounds, *pair, difference, chance)
    why = Why(str(found.reason), found.detail) if isinstance(found, NotSupported) else unrecorded(arms, basis)
    return replace(
        empty,
        difference=_number(difference, unit),
        ratio=_ratio(values, curves, pair),
        better="" if why is not None or isinstance(found, NotSupported) else found.arm,
        undecided=why,
        explanation=explain_contrast(arms, tokens, inputs, pair, unit, difference.value),
    )


def _told(
    model: FusionModel, arms: ArmModel, empty: ArmAnswer, values: ArmValues, curves: MovedCurves | None
) -> ArmAnswer:
    """What is expected under one arm."""
    worth = _number(values.of(empty.name), _unit(arms))
    if curves is None or arms.horizon_days is None:
        return replace(empty, worth=worth)
    place = arms.arms.index(empty.name)
    curve = ArmCurve(
        curves.days, curves.incidence[place], curves.low[place], curves.high[place], curves.level
    )
    horizons = [day for day in model.task.horizons_days if day <= arms.horizon_days]
    return replace(empty, worth=worth, curve=curve, risks=tuple(_risk(curve, day) for day in horizons))


def _risk(curve: ArmCurve, days: float) -> ArmRisk:
    """The curve steps on its days: by a day between two it is what it was on the first of them."""
    place = int(np.searchsorted(curve.days, days, side="right")) - 1
    if place < 0:
        return ArmRisk(days, Number(0.0, 0.0, 0.0, curve.level, PROBABILITY))
    value, low, high = (float(each[place]) for each in (curve.incidence, curve.low, curve.high))
    return ArmRisk(days, Number(value, low, high, curve.level, PROBABILITY))


def _empty(
    model: FusionModel, arms: ArmModel, case: Case, prediction: Prediction, chance: Floats
) -> TreatmentAnswer:
    """The answer with everything in it but what is said of this patient."""
    basis, unit = arms.basis, _unit(arms)
    told = zip(arms.arms, basis.counts, basis.grounds.events.tolist(), chance.tolist(), strict=True)
    return replace(
        _nothing(model, prediction, Why("", "")),
        outcome=arms.event,
        worth_is=worth_in_words(model.task, arms.event, arms.horizon_days),
        ratio_is=ratio_in_words(arms.event, arms.horizon_days),
        unit=unit,
        horizon_days=arms.horizon_days,
        arms=tuple(ArmAnswer(name, cases, events, own, None) for name, cases, events, own in told),
        undecided=None,
        refused=None,
        basis=_basis(arms, basis, unit),
        assumptions=assumptions(model.task, arms),
        cautions=cautions(arms, case, prediction, seen=model.was_trained_on(case)),
        unanswered=arms.unanswered,
    )


def _nothing(model: FusionModel, prediction: Prediction, why: Why) -> TreatmentAnswer:
    """The answer of a model that could not learn what arms do."""
    treatment = model.task.treatment
    return TreatmentAnswer(
        patient_id=prediction.patient_id,
        site=prediction.site,
        index_time=prediction.index_time,
        model_id=model.model_id,
        question=model.task.question,
        outcome=model.task.causes[0],
        worth_is="",
        ratio_is="",
        unit=DAYS if model.task.is_survival else PROBABILITY,
        horizon_days=None,
        starts_after_days=0.0 if treatment is None else treatment.grace_days,
        arms=(),
        contrasts=(),
        better="",
        undecided=why,
        refused=why,
        basis=None,
        assumptions=(),
        cautions=prediction.cautions,
        unanswered={},
        modalities_used=prediction.modalities_used,
        modalities_missing=prediction.modalities_missing,
    )


def _basis(arms: ArmModel, basis: CohortBasis, unit: str) -> Basis:
    rests_on = basis.grounds
    return Basis(
        cases=basis.cases,
        patients=basis.patients,
        assignment=arms.treatment.assignment,
        arms=tuple(
            ArmBasis(
                name=name,
                cases=basis.counts[place],
                effective=float(rests_on.effective[place]),
                events=int(rests_on.events[place]),
                least_chance=basis.least_chance[place],
                average=_number(basis.average.of(name), unit),
            )
            for place, name in enumerate(arms.arms)
        ),
        left_out=basis.left_out,
        outside_overlap=basis.outside,
        imbalance_before=basis.imbalance[0],
        imbalance_after=basis.imbalance[1],
        weights_held_down=basis.held_down,
        policy_gain=_number(basis.policy_gain, unit),
        best_constant=basis.best_constant,
    )


def _ratio(values: ArmValues, curves: MovedCurves | None, pair: tuple[str, str]) -> Number | None:
    """Of the risks by the horizon, or of the probabilities of a response; None where one may as well be 0."""
    if curves is not None:
        found = curves.risk_ratio(*(values.arms.index(name) for name in pair))
        return None if found is None else _number(found, RATIO)
    if min(values.of(name).low for name in pair) <= 0.0:
        return None
    return _number(values.ratio(*pair), RATIO)


def _unit(arms: ArmModel) -> str:
    return PROBABILITY if arms.horizon_days is None else DAYS


def _number(found: Estimate, unit: str) -> Number:
    return Number(found.value, found.low, found.high, found.level, unit)
