"""Training of the clinical evidence, fold by fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.case import Case
from prognosis.cohort.splits import patient_folds
from prognosis.cohort.target import Target
from prognosis.errors import CohortError
from prognosis.evidence.clinical.concepts import learn_vocabulary
from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.clinical.fold_model import FoldModel, background_margin_means
from prognosis.evidence.clinical.model import ClinicalEvidence, PatientSpace, assemble
from prognosis.evidence.clinical.preparation import learn_preparation
from prognosis.evidence.clinical.trees import Forest, fit_forests
from prognosis.evidence.clinical.windows import Column, WindowTable, table_columns, window_table
from prognosis.evidence.readout import fit_readout, patient_weights
from prognosis.evidence.stack import convex_weights_by_fold
from prognosis.evidence.token import FittedEvidence

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The training table and what goes with each of its rows."""

    table: WindowTable
    columns: tuple[Column, ...]
    target: Target
    patients: NDArray[np.str_]
    weights: Floats


def fit_clinical(
    cases: Sequence[Case],
    target: Target,
    folds: NDArray[np.int64],
    config: ClinicalConfig,
    seed: int,
    excluded_codes: frozenset[str],
    on_progress: Callable[[str, int, int], None] | None = None,
) -> FittedEvidence:
    """Train one model a fold; the model kept is their average.

    Columns, scales, read-outs and trees of a fold's model are learned without the fold; so is its share of
    trees. The list of concepts and the background's rows come from all cases, without their labels.

    Args:
        cases: (n) training cases.
        target: What happened to each.
        folds: (n,) fold of each case, 0 to F - 1, equal for all cases of a patient.
        config: Settings.
        seed: Of the inner folds and of the trees.
        excluded_codes: "system|value" that no evidence may read.
        on_progress: Told (what, folds done, folds in all).

    Raises:
        CohortError: No case has any usable clinical fact.
    """
    vocabulary = learn_vocabulary(
        cases, excluded_codes, max(1, config.fewest(len(cases)) // 2), config.most_categories
    )
    columns = table_columns(vocabulary, config.windows_days)
    table = window_table(cases, vocabulary, columns)
    if not table.present.any():
        raise CohortError("clinical evidence", "no case has a usable fact", "check codes and exclusions")
    patients = np.array([case.patient for case in cases])
    rows = _Rows(table, columns, target, patients, patient_weights(patients))
    drafts = []
    for fold in range(int(folds.max()) + 1):
        drafts.append(_fit_fold(rows, folds != fold, config, seed))
        if on_progress is not None:
            on_progress("clinical evidence", fold + 1, int(folds.max()) + 1)
    linear, margins = _left_out(drafts, rows, folds)
    present = table.present
    shares = np.zeros((len(drafts), len(target.causes)))
    if config.trees is not None:
        shares = convex_weights_by_fold(
            linear[present],
            margins[present],
            target.take(present),
            folds[present],
            features=len(vocabulary.concepts),
            weights=rows.weights[present],
        )
    background = _background(table, linear + margins, config.background_rows)
    models = [
        _with_share(draft, share, background, columns) for draft, share in zip(drafts, shares, strict=True)
    ]
    space = _patient_space(table, columns, config)
    evidence = np.zeros((len(cases), len(target.causes)))
    for fold, model in enumerate(models):
        out = folds == fold
        evidence[out] = model.evidence(table.values[out], columns)
    kept = ClinicalEvidence(config, target.causes, vocabulary, space, models, background)
    return FittedEvidence(kept, assemble(table, evidence, space, columns))


def _fit_fold(rows: _Rows, kept: NDArray[np.bool_], config: ClinicalConfig, seed: int) -> FoldModel:
    kept = kept & rows.table.present
    values, target = rows.table.values[kept], rows.target.take(kept)
    fewest = config.fewest(int(kept.sum()))
    preparation = learn_preparation(values, rows.columns, fewest, config.closest)
    inner = patient_folds(rows.patients[kept], target.cause, config.inner_folds, seed + 1)
    weights = rows.weights[kept]
    readout = fit_readout(preparation.standardised(values, rows.columns), target, inner, weights)
    causes = len(target.causes)
    forests: tuple[Forest | None, ...] = (None,) * causes
    if config.trees is not None:
        raw = preparation.raw(values, rows.columns)
        forests = fit_forests(raw, target, inner, weights, config.trees, seed)
    return FoldModel(preparation, readout, forests, np.zeros(causes), np.zeros(causes))


def _left_out(drafts: Sequence[FoldModel], rows: _Rows, folds: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """(n, causes) evidence of the linear member, and margins of the trees, by models that saw neither."""
    linear = np.zeros((len(folds), len(rows.target.causes)))
    margins = np.zeros_like(linear)
    for fold, draft in enumerate(drafts):
        out = folds == fold
        linear[out] = draft.linear(rows.table.values[out], rows.columns)
        margins[out] = draft.margins(rows.table.values[out], rows.columns)
    return linear, margins


def _with_share(draft: FoldModel, share: Floats, background: Floats, columns: Sequence[Column]) -> FoldModel:
    share = np.where([own is not None for own in draft.forests], share, 0.0)
    means = background_margin_means(draft, background, columns)
    return replace(draft, share=share, tree_means=means)


def _background(table: WindowTable, risk: Floats, most: int) -> Floats:
    """Training rows spread evenly over the left-out risk, so that few rows stand for the population."""
    here = np.flatnonzero(table.present)
    order = here[np.argsort(risk[here].sum(axis=1), kind="stable")]
    count = min(most, len(order))
    places = np.floor((np.arange(count) + 0.5) * len(order) / count).astype(np.int64)
    return table.values[order[places]]


def _patient_space(table: WindowTable, columns: Sequence[Column], config: ClinicalConfig) -> PatientSpace:
    values = table.values[table.present]
    preparation = learn_preparation(values, columns, config.fewest(len(values)), config.closest)
    standard = preparation.standardised(values, columns)
    spread, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
    spread, vectors = spread[::-1], vectors[:, ::-1]
    count = min(config.directions, int((spread > 1e-6).sum()))
    vectors = vectors[:, :count] * np.sign(
        vectors[np.abs(vectors[:, :count]).argmax(axis=0), np.arange(count)]
    )
    directions = vectors / np.sqrt(spread[:count])
    length = ((standard @ directions) ** 2).sum(axis=1)
    usual = max(float(np.quantile(length, 0.99)), 1e-12) if count else 1.0
    return PatientSpace(preparation, directions, usual)
