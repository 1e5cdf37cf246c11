"""Whether explanations hold in every modality, token by token, on patients that did not train the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Case
from prognosis.errors import CohortError
from prognosis.evaluation.faithfulness import SHARES, Advantage, Curves, Randomised, advantage
from prognosis.evaluation.localisation import mean_interval
from prognosis.evaluation.random_readouts import randomised_readouts
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.evidence.imaging.region_masks import region_masks
from prognosis.explanation import Explanation, cohort_tokens, explain_tokens
from prognosis.explanation.citations import Citation, citation
from prognosis.explanation.tokens import CaseTokens
from prognosis.fusion import FusionModel
from prognosis.survival.bootstrap import Interval

Key = tuple[str, str]

FEWEST_CASES = 2
FEWEST_TOKENS = 3
"""Of a modality of a case, below which its values have no order to be compared."""

DRAWS = 3
PROBABILITIES = 20
"""Cases whose probability is explained as well."""


@dataclass(frozen=True, slots=True)
class TokenChecks:
    """What was found of the explanations of one cause.

    Attributes:
        cause: The task's first.
        cases: How many were explained, one a patient.
        tokens: Mean number of tokens of a case.
        additivity_error: Largest |base + sum of attributions - log-hazard|.
        probability_additivity_error: The same on the probability by the last horizon.
        probability_standard_error: Largest standard error of a value there, as a part of |total - base|.
        by_random: Deletion and insertion of tokens, the order of the attributions against a random one.
        randomised: By modality, how alike the values are to those of random read-outs.
        stability: By model asked beside this one, the rank correlation of a case's drivers.
        citations: By modality, how many attributions cite what can be found again as cited.
    """

    cause: str
    cases: int
    tokens: float
    additivity_error: float
    probability_additivity_error: float
    probability_standard_error: float
    by_random: Advantage
    randomised: tuple[Randomised, ...]
    stability: dict[str, Interval]
    citations: dict[str, dict[Citation, int]]


def judge_tokens(
    model: FusionModel,
    cases: Sequence[Case],
    beside: Sequence[FusionModel] = (),
    most: int = 200,
    replicates: int = 1000,
    seed: int = 0,
) -> TokenChecks:
    """Check the attributions of the first cause.

    Args:
        model: Any model.
        cases: Of patients that did not train it.
        beside: Models of the same task, e.g. trained with other seeds, whose values should be alike.
        most: The most cases that are explained, drawn at random, one a patient.
        replicates: Bootstrap samples of patients.
        seed: Of the draw, of random orders and read-outs, and of the bootstrap.

    Raises:
        CohortError: Fewer than two of the cases have anything to explain.
    """
    random = np.random.default_rng(seed)
    shown = _explicable(model, cases, most, random)
    asked = [case for case, _ in shown]
    whose = np.array([case.patient for case in asked])
    explained = [explain_tokens(model, known) for _, known in shown]
    likely = [
        explain_tokens(model, known, scale="probability", seed=seed) for _, known in shown[:PROBABILITIES]
    ]
    curves = [perturbed(known, random) for _, known in shown]
    return TokenChecks(
        cause=model.task.causes[0],
        cases=len(shown),
        tokens=float(np.mean([len(known.tokens) for _, known in shown])),
        additivity_error=max(why.max_additivity_error for why in explained),
        probability_additivity_error=max(why.max_additivity_error for why in likely),
        probability_standard_error=max(
            why.standard_error / max(abs(why.total - why.base), 1e-12) for why in likely
        ),
        by_random=advantage(
            [ours for ours, _ in curves],
            [theirs for _, theirs in curves],
            "random",
            whose,
            replicates,
            seed,
        ),
        randomised=_randomised(model, asked, explained, replicates, seed),
        stability=_stability(beside, asked, explained, replicates, seed),
        citations=_citations(model, asked, explained),
    )


def _explicable(
    model: FusionModel, cases: Sequence[Case], most: int, random: np.random.Generator
) -> list[tuple[Case, CaseTokens]]:
    """One case a patient, drawn at random, with its tokens; those with too few to explain are left out.

    Raises:
        CohortError: Fewer than two have anything to explain.
    """
    drawn = {cases[row].patient: cases[row] for row in random.permutation(len(cases))}
    chosen = list(drawn.values())[:most]
    shown = [
        (case, known)
        for case, known in zip(chosen, cohort_tokens(model, chosen), strict=True)
        if len(known.tokens) >= FEWEST_TOKENS
    ]
    if len(shown) < FEWEST_CASES:
        raise CohortError(
            f"explanations of {model.model_id}",
            f"{len(shown)} of the cases have something to explain",
            f"give a source with at least {FEWEST_CASES} other patients",
        )
    return shown


def perturbed(known: CaseTokens, random: np.random.Generator) -> tuple[Curves, Curves]:
    """Areas under a case's deletion and insertion curves, by its attributions and in a random order.

    A token that is deleted stands at the training mean; the answer is the log-hazard of the first cause.

    Args:
        known: The case's tokens.
        random: Of the random order.
    """
    values = np.sum(known.game.shares(), axis=0)[:, 0]
    count = len(values)
    steps = np.array([round(share * count) for share in SHARES])

    def curves(order: NDArray[np.intp]) -> Curves:
        rank = np.empty(count, dtype=np.intp)
        rank[order] = np.arange(count)
        first = (rank[:, None] < steps).astype(np.float64)
        both = known.game.log_hazard(*known.game.sums(np.concatenate([1.0 - first, first], axis=1)))
        halves = np.split(both[0].mean(axis=0), 2)
        return Curves(*(float(np.trapezoid(half, SHARES)) for half in halves))

    return curves(np.argsort(-values, kind="stable")), curves(random.permutation(count))


def _explained(model: FusionModel, cases: Sequence[Case]) -> list[Explanation]:
    return [explain_tokens(model, known) for known in cohort_tokens(model, cases)]


def _values(
    explained: Sequence[Explanation], modality: str | None = None, *, centred: bool = False
) -> list[dict[Key, float]]:
    """Each case's values by modality and subject; centred, zero is a subject's mean over the cases."""
    found = []
    for explanation in explained:
        own: dict[Key, float] = {}
        for each in explanation.attributions:
            if modality in {None, each.modality}:
                own[each.key] = own.get(each.key, 0.0) + each.contribution
        found.append(own)
    if not centred:
        return found
    of_key: dict[Key, list[float]] = {}
    for own in found:
        for key, value in own.items():
            of_key.setdefault(key, []).append(value)
    return [{key: value - float(np.mean(of_key[key])) for key, value in own.items()} for own in found]


def _drivers(explained: Sequence[Explanation]) -> list[dict[Key, float]]:
    """Each case's drivers by modality and topic."""
    return [{driver.key: driver.contribution for driver in why.drivers} for why in explained]


def _alike(first: Sequence[dict[Key, float]], second: Sequence[dict[Key, float]]) -> NDArray[np.float64]:
    """(n,) rank correlation of two models' values of each case; NaN where there are too few to compare."""
    from scipy.stats import spearmanr

    found = np.full(len(first), np.nan)
    for row, sums in enumerate(zip(first, second, strict=True)):
        keys = sorted(sums[0].keys() | sums[1].keys())
        values = np.array([[own.get(key, 0.0) for key in keys] for own in sums])
        if len(keys) >= FEWEST_TOKENS and (np.ptp(values, axis=1) > 0.0).all():
            found[row] = float(spearmanr(*values).statistic)
    return found


def _stability(
    beside: Sequence[FusionModel],
    cases: Sequence[Case],
    explained: Sequence[Explanation],
    replicates: int,
    seed: int,
) -> dict[str, Interval]:
    """By model, how alike its drivers are over the cases that have several and different ones."""
    whose = np.array([case.patient for case in cases])
    found = {}
    for other in beside:
        alike = _alike(_drivers(explained), _drivers(_explained(other, cases)))
        here = ~np.isnan(alike)
        if here.sum() >= FEWEST_CASES:
            found[other.model_id] = mean_interval(alike[here], whose[here], replicates, seed)
    return found


def _randomised(
    model: FusionModel,
    cases: Sequence[Case],
    explained: Sequence[Explanation],
    replicates: int,
    seed: int,
) -> tuple[Randomised, ...]:
    models = [randomised_readouts(model, seed + draw) for draw in range(DRAWS)]
    drawn = [_explained(each, cases) for each in models]
    whose = np.array([case.patient for case in cases])
    found = []
    for modality, evidence in model.evidence.items():
        if models[0].evidence[modality] is evidence:
            continue
        centred = modality == "imaging"
        own_values = _values(explained, modality, centred=centred)
        others = [_values(other, modality, centred=centred) for other in drawn]
        alike = np.stack([_alike(own_values, other) for other in others])
        here = ~np.isnan(alike).any(axis=0)
        if here.sum() >= FEWEST_CASES:
            own = alike[:, here]
            found.append(
                Randomised(
                    f"read-outs of {modality}",
                    mean_interval(own.mean(axis=0), whose[here], replicates, seed),
                    mean_interval(np.abs(own).mean(axis=0), whose[here], replicates, seed),
                )
            )
    return tuple(found)


def _citations(
    model: FusionModel, cases: Sequence[Case], explained: Sequence[Explanation]
) -> dict[str, dict[Citation, int]]:
    imaging = model.evidence.get("imaging")
    counts: dict[str, Counter[Citation]] = {}
    for case, why in zip(cases, explained, strict=True):
        regions = region_masks(imaging, case) if isinstance(imaging, ImagingEvidence) else None
        for each in why.attributions:
            counts.setdefault(each.modality, Counter())[citation(each, case, regions)] += 1
    return {modality: dict(own) for modality, own in counts.items()}
