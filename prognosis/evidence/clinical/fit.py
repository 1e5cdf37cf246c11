"""Training of the clinical evidence, fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.cohort.splits import patient_folds
from prognosis.cohort.target import Target
from prognosis.errors import CohortError
from prognosis.evidence.adaptive import LEAST_GAIN
from prognosis.evidence.averaging import averaging_gain, spread_of_average
from prognosis.evidence.clinical.concepts import CodeRoles, Vocabulary, learn_vocabulary
from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.clinical.fold_model import FoldModel, bins_needed
from prognosis.evidence.clinical.model import ClinicalEvidence, assemble
from prognosis.evidence.clinical.patient_space import PatientSpace, patient_space
from prognosis.evidence.clinical.person_steps import step_of_bin
from prognosis.evidence.clinical.preparation import Preparation, learn_preparation
from prognosis.evidence.clinical.trees import TrainingRows, TreeMember, fit_tree_members
from prognosis.evidence.clinical.weights import cause_outcome, member_weights
from prognosis.evidence.clinical.windows import Column, WindowTable, table_columns, window_table
from prognosis.evidence.readout import case_weights, fit_readout, held_out_likelihood
from prognosis.evidence.stack import convex_weight, trust
from prognosis.evidence.token import FittedEvidence, Fitting

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The training table and what goes with each of its rows.

    `continued` are the concepts that are the measurement asked for, and whether as a logarithm; `offset` is
    evidence known elsewhere.
    """

    table: WindowTable
    columns: tuple[Column, ...]
    target: Target
    patients: NDArray[np.str_]
    weights: Floats
    vocabulary: Vocabulary
    space: PatientSpace
    continued: Mapping[int, bool] = field(default_factory=dict)
    offset: Floats | None = None


def fit_clinical(
    cases: Sequence[Case],
    target: Target,
    folds: NDArray[np.int64],
    config: ClinicalConfig,
    seed: int,
    codes: CodeRoles,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> FittedEvidence:
    """Read the facts and fit them; see `clinical_fitting`."""
    return clinical_fitting(cases, target, folds, config, seed, codes, on_progress)(None)


def clinical_fitting(
    cases: Sequence[Case],
    target: Target,
    folds: NDArray[np.int64],
    config: ClinicalConfig,
    seed: int,
    codes: CodeRoles,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Fitting:
    """What trains one model a fold from the cases' facts; the model kept is their average.

    Columns, scales, read-outs and trees of a fold's model are learned without the fold; so are the members'
    factors. The list of concepts and the background's rows come from all cases, without their labels.

    Args:
        cases: (n) training cases.
        target: What happened to each.
        folds: (n,) fold of each case, 0 to F - 1, equal for all cases of a patient.
        config: Settings.
        seed: Of the inner folds and of the trees.
        codes: Those that the task takes out of the ordinary.
        on_progress: Told (what, folds done, folds in all).

    Raises:
        CohortError: No case has any usable clinical fact.
    """
    fewest = max(1, config.fewest(len(cases)) // 2)
    vocabulary = learn_vocabulary(
        cases, codes.excluded, fewest, config.most_categories, codes.entry, codes.gathered
    )
    columns = table_columns(vocabulary, config.windows_days)
    table = window_table(cases, vocabulary, columns)
    if not table.present.any():
        raise CohortError("clinical evidence", "no case has a usable fact", "check codes and exclusions")
    continued = {
        place: codes.as_logarithm
        for place, concept in enumerate(vocabulary.concepts)
        if codes.asks_for(concept)
    }
    space = patient_space(table, columns, config)
    if not space.directions.size:
        raise CohortError("clinical evidence", "no fact differs between cases", "check codes and exclusions")
    patients = np.array([case.patient for case in cases])
    weights = case_weights(target, patients)
    rows = _Rows(table, columns, target, patients, weights, vocabulary, space, continued)
    return partial(_fit, rows, folds, config, seed, on_progress)


def _fit(
    rows: _Rows,
    folds: NDArray[np.int64],
    config: ClinicalConfig,
    seed: int,
    on_progress: Callable[[str, int, int], None] | None,
    offset: Floats | None,
) -> FittedEvidence:
    """The models of all folds, beside evidence known from elsewhere."""
    rows = replace(rows, offset=offset)
    table, columns, target = rows.table, rows.columns, rows.target
    drafts = []
    for fold in range(int(folds.max()) + 1):
        drafts.append(_fit_fold(rows, folds != fold, config, seed))
        if on_progress is not None:
            on_progress("clinical evidence", fold + 1, int(folds.max()) + 1)
    left_out = _left_out(drafts, rows, folds)
    factors = _factors(left_out, drafts, rows, folds, len(rows.vocabulary.concepts))
    background = _background(table, left_out[0].sum(axis=2), config.background_rows)
    bins = max(
        bins_needed(draft.members, own, target.bins) for draft, own in zip(drafts, factors, strict=True)
    )
    models = [replace(draft, factors=own, bins=bins) for draft, own in zip(drafts, factors, strict=True)]
    each = np.stack([model.evidence(table.values, columns, background) for model in models])
    evidence = each[folds, np.arange(len(folds))]
    gain = averaging_gain(each.mean(axis=3), folds, table.present)

    def of(folds_models: Sequence[FoldModel]) -> ClinicalEvidence:
        return ClinicalEvidence(config, target.causes, rows.vocabulary, rows.space, folds_models, background)

    by_fold = tuple(of([model]) for model in models)
    kept = of([replace(model, factors=model.factors * gain) for model in models])
    left_out_evidence = assemble(table, evidence, rows.space, columns)
    widened = spread_of_average(left_out_evidence, gain, len(target.causes))
    return FittedEvidence(kept, left_out_evidence, by_fold, widened)


def _fit_fold(rows: _Rows, kept: NDArray[np.bool_], config: ClinicalConfig, seed: int) -> FoldModel:
    kept = kept & rows.table.present
    values, target = rows.table.values[kept], rows.target.take(kept)
    fewest = config.fewest(int(kept.sum()))
    preparation = learn_preparation(values, rows.columns, fewest, config.closest, rows.continued)
    inner = patient_folds(rows.patients[kept], target.cause, config.inner_folds, seed + 1)
    weights = rows.weights[kept]
    offset = None if rows.offset is None else rows.offset[kept]
    preparation = faded(
        preparation,
        config.half_lives_days,
        lambda own: held_out_likelihood(
            own.standardised(values, rows.columns), target, inner, weights, offset=offset
        ),
    )
    standard = preparation.standardised(values, rows.columns)
    readout = fit_readout(standard, target, inner, weights, offset=offset)
    members: tuple[TreeMember, ...] = ()
    if config.trees is not None:
        raw = preparation.raw(values, rows.columns)
        members = fit_tree_members(TrainingRows(raw, target, inner, weights, offset), config.trees, seed)
    alone = np.zeros((1 + len(members), len(target.causes)))
    alone[0] = 1.0
    return FoldModel(preparation, readout, members, alone, 1)


def faded(
    preparation: Preparation, half_lives: Sequence[float], likelihood: Callable[[Preparation], float]
) -> Preparation:
    """The half-life of changes and slopes that cases left out favour; none unless they gain by it."""
    if not half_lives or not (preparation.since >= 0).any():
        return preparation
    tried = [preparation, *(preparation.fading(days) for days in half_lives)]
    gains = np.array([likelihood(own) for own in tried])
    best = int(gains.argmax())
    return tried[best] if gains[best] - gains[0] >= LEAST_GAIN else preparation


def _left_out(drafts: Sequence[FoldModel], rows: _Rows, folds: NDArray[np.int64]) -> list[Floats]:
    """Each member's evidence, (n, causes, bins or 1), by models that did not see the case.

    It is centred on its model's training rows: models of different folds may differ in level, which is no
    difference between their cases.
    """
    bins = rows.target.bins
    found: list[Floats] = []
    for fold, draft in enumerate(drafts):
        out = folds == fold
        learned = draft.parts(rows.table.values[~out & rows.table.present], rows.columns)
        usual = [part.mean(axis=0) for part in learned]
        for number, raw in enumerate(draft.parts(rows.table.values[out], rows.columns)):
            part = raw - usual[number]
            if fold == 0:
                found.append(np.zeros((len(folds), len(rows.target.causes), 1)))
            if part.shape[2] > found[number].shape[2]:
                found[number] = np.repeat(found[number], bins, axis=2)
            steps = part.shape[2]
            found[number][out] = part if steps == 1 else part[:, :, step_of_bin(bins, steps)]
    return found


def _factors(
    left_out: Sequence[Floats],
    drafts: Sequence[FoldModel],
    rows: _Rows,
    folds: NDArray[np.int64],
    features: int,
) -> list[Floats]:
    """For each fold the (members, causes) factors, chosen without the fold's cases."""
    if len(left_out) == 1:
        return [draft.factors for draft in drafts]
    return [
        np.column_stack(
            [
                _cause_factors(left_out, draft, place, rows, (folds != fold) & rows.table.present, features)
                for place in range(len(rows.target.causes))
            ]
        )
        for fold, draft in enumerate(drafts)
    ]


def _cause_factors(
    left_out: Sequence[Floats],
    draft: FoldModel,
    place: int,
    rows: _Rows,
    kept: NDArray[np.bool_],
    features: int,
) -> Floats:
    own = [part[kept, place] for part in left_out]
    target, weights = rows.target.take(kept), rows.weights[kept]
    known = np.zeros(len(target)) if rows.offset is None else rows.offset[kept, place]
    learned = np.array([True, *(member.tables[place] is not None for member in draft.members)])
    if not target.survival:
        first, second = (part[:, 0] + known for part in own)
        share = convex_weight(first, second, target, place, features, weights) if learned[1] else 0.0
        return np.array([1.0 - share, share])
    kept_share = trust(int(target.happened[:, place].sum()), features)
    return member_weights(own, cause_outcome(target, place, weights, known), learned, kept_share)


def _background(table: WindowTable, risk: Floats, most: int) -> Floats:
    """Training rows spread evenly over the left-out risk, so that few rows stand for the population."""
    here = np.flatnonzero(table.present)
    order = here[np.argsort(risk[here].sum(axis=1), kind="stable")]
    count = min(most, len(order))
    places = np.floor((np.arange(count) + 0.5) * len(order) / count).astype(np.int64)
    return table.values[order[places]]
