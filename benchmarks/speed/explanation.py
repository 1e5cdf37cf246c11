"""One full explanation of one case beside shap's explainers on the same function.

The function is the model's own: the tokens that are known, summed by modality, through the head to a
log-hazard or to a probability, for as many rows at once as it is asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shap
from numpy.typing import NDArray

from benchmarks.speed.timing import OURS, Comparison, Timing, in_turn, scaled
from prognosis.evidence import Token
from prognosis.explanation.case import ProbabilitySplit, split_probability
from prognosis.explanation.coalitions import every_probability, shapley_values
from prognosis.explanation.game import TokenGame, token_game
from prognosis.explanation.groups import group_tokens
from prognosis.explanation.horizon import HorizonProbability
from prognosis.fusion.head import HazardHead, cumulative_incidence
from prognosis.fusion.inputs import FusionInputs

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

PACKAGES = ("shap",)
_CAUSES, _BINS, _RANK, _WIDTHS, _HORIZON = 2, 15, 4, (10, 10, 4), 12
_KERNEL, _PERMUTATION, _EXACT = "shap.KernelExplainer", "shap.PermutationExplainer", "shap.ExactExplainer"
_LEAST = 1000.0
_STACKING = f"{OURS}, stacking the tokens' arrays each time"
_IN_A_ROW = {OURS: 100, _STACKING: 100, _PERMUTATION: 10, _KERNEL: 1}
"""Log-hazard explanations a run, so that a run of each takes long enough to be timed."""

_SMALLEST_ERROR = 1e-9


@dataclass(frozen=True, slots=True)
class _Case:
    """118 tokens: 60 laboratory values, 40 sentences of 5 sections, 6 zones at each of 3 visits."""

    head: HazardHead
    tokens: Sequence[Token]
    places: NDArray[np.intp]
    edges: Floats
    evidence: Sequence[Floats]
    vectors: Sequence[Floats]

    def game(self) -> TokenGame:
        return token_game(self.head, self.tokens, self.places, 7)

    def answer(self) -> HorizonProbability:
        return HorizonProbability.by(0, float(self.edges[_HORIZON]), self.edges, alone=False)

    def log_hazard(self, known: Floats) -> Floats:
        """(n, causes, bins) of n rows of which tokens are known (n, 118), through the head.

        The tokens' arrays are stacked once for whoever asks this, as ours are once a case.
        """
        columns = [known[:, self.places == place].astype(float) for place in range(3)]
        evidence = [np.tensordot(own, each, axes=1) for own, each in zip(columns, self.evidence, strict=True)]
        vectors = [own @ each for own, each in zip(columns, self.vectors, strict=True)]
        rows = len(known)
        inputs = FusionInputs(
            ("clinical", "text", "imaging"),
            np.ones((rows, 3), dtype=bool),
            tuple(evidence),
            tuple(vectors),
            np.zeros((rows, 3)),
            ((),) * rows,
        )
        return self.head.log_hazard(inputs)

    def probability(self, known: Floats) -> Floats:
        """(n,) of the first cause by the horizon."""
        days = self.edges[[_HORIZON]]
        return cumulative_incidence(self.log_hazard(known), self.edges, days)[:, 0, 0]


def _case(seed: int) -> _Case:
    """Evidence as large as the simulator plants: about 0.9 of log-hazard a modality, with interactions."""
    rng = np.random.default_rng(seed)
    head = HazardHead(
        alpha=np.log(rng.uniform(0.01, 0.05, (_CAUSES, _BINS))),
        beta=rng.uniform(0.7, 1.2, (3, _CAUSES, _BINS)),
        factors=tuple(rng.normal(size=(width, _RANK)) / np.sqrt(width) for width in _WIDTHS),
        strengths=0.3 * rng.normal(size=(3, _CAUSES, _RANK)),
        shift=rng.normal(0.0, 0.2, (8, _CAUSES, _BINS)),
        scale=rng.uniform(0.8, 1.1, (8, _CAUSES)),
    )
    named = [
        *(("clinical", "measured values") for _ in range(60)),
        *(("text", f"section {k % 5}") for k in range(40)),
        *(("imaging", f"zone {k % 6}") for k in range(18)),
    ]
    order = ("clinical", "text", "imaging")
    counts = {modality: sum(name == modality for name, _ in named) for modality in order}
    tokens, places = [], []
    for modality, family in named:
        place = order.index(modality)
        size = 0.9 / np.sqrt(counts[modality])
        bins = _BINS if modality == "clinical" else 1
        evidence, vector = rng.normal(0.0, size, (_CAUSES, bins)), rng.normal(0.0, size, _WIDTHS[place])
        tokens.append(Token(modality, "", "", "", "", 0.0, evidence, vector, family=family))
        places.append(place)
    edges = np.concatenate([[0.0], np.cumsum(rng.uniform(20.0, 90.0, _BINS))])
    by_place = [
        [token for token, at in zip(tokens, places, strict=True) if at == place] for place in range(3)
    ]
    evidence = [np.stack([token.evidence for token in own]) for own in by_place]
    vectors = [np.stack([token.vector for token in own]) for own in by_place]
    return _Case(head, tokens, np.array(places, dtype=np.intp), edges, evidence, vectors)


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """Log-hazard, probability, and twelve groups of tokens enumerated by both."""
    del threads  # one, of numpy; set by the runner
    case = _case(0)
    _warm(case)
    yield _log_hazard(case)
    yield _probability(case, runs=3 if quick else 12)
    yield _twelve_groups(case)


def _warm(case: _Case) -> None:
    """What is compiled and imported at first use: a process pays it once, and no task's seconds hold it."""
    one, none = np.ones((1, 12)), np.zeros((1, 12))

    def answer(known: Floats) -> Floats:
        return known.sum(axis=1)

    shap.ExactExplainer(answer, none)(one)
    shap.PermutationExplainer(answer, none)(one)
    shap.KernelExplainer(answer, none).shap_values(one, nsamples=100, l1_reg=0, silent=True)
    _split(case)


def _split(case: _Case) -> ProbabilitySplit:
    """Ours on the probability, from the tokens on."""
    game, answer = case.game(), case.answer()
    groups = group_tokens(case.tokens, np.abs(np.sum(game.shares(), axis=0)[:, 0]))
    return split_probability(game.of_bins(answer.bins), answer, groups, 0)


def _log_hazard(case: _Case) -> Comparison:
    """The average log-hazard: exact by ours, and by one pair of permutations, as it is of degree two."""
    count = len(case.tokens)

    def function(known: Floats) -> Floats:
        return np.asarray(case.log_hazard(known)[:, 0].mean(axis=1))

    stacked = case.game()

    def values_of(game: TokenGame) -> Floats:
        own, joint = game.shares()
        return np.asarray(own[:, 0] + joint[:, 0])

    candidates = {
        OURS: lambda: values_of(stacked),
        _STACKING: lambda: values_of(case.game()),
        _PERMUTATION: _permutation(function, count, 1),
        _KERNEL: _kernel(function, count),
    }
    timings, values = in_turn(
        {who: _in_a_row(run, _IN_A_ROW[who]) for who, run in candidates.items()},
        {OURS: 25, _STACKING: 25, _PERMUTATION: 7, _KERNEL: 3},
    )
    for who, times in _IN_A_ROW.items():
        timings[who] = Timing(tuple(seconds / times for seconds in timings[who].seconds))
    errors = {who: float(np.abs(values[who] - values[OURS]).max()) for who in (_PERMUTATION, _KERNEL)}
    assert errors[_PERMUTATION] < _SMALLEST_ERROR  # noqa: S101
    ends = function(np.stack([np.zeros(count), np.ones(count)]))
    assert abs(values[OURS].sum() - (ends[1] - ends[0])) < _SMALLEST_ERROR  # noqa: S101
    told = ", ".join(f"{who} {error:.1e}" for who, error in errors.items())
    return Comparison(
        "one explanation on the log-hazard: 60 laboratory values, 40 sentences, 6 zones x 3 visits",
        timings,
        dict.fromkeys(errors, _LEAST),
        f"largest error of a value: ours none (closed form), {told}",
    )


def _probability(case: _Case, runs: int) -> Comparison:
    """Every one at our standard error: a sampler's seconds are scaled by the square of its own over ours."""
    function = case.probability
    count = len(case.tokens)

    def ours() -> ProbabilitySplit:
        return _split(case)

    timings, values = in_turn(
        {OURS: ours, _PERMUTATION: _permutation(function, count, 40), _KERNEL: _kernel(function, count)},
        {OURS: 15, _PERMUTATION: 5, _KERNEL: 3},
    )
    ends = function(np.stack([np.zeros(count), np.ones(count)]))
    found: ProbabilitySplit = values[OURS]
    assert abs(found.values.sum() - (ends[1] - ends[0])) < _SMALLEST_ERROR  # noqa: S101
    assert found.standard_error <= 0.01 * abs(ends[1] - ends[0])  # noqa: S101
    makers = {_PERMUTATION: _permutation(function, count, 40), _KERNEL: _kernel(function, count)}
    errors = {}
    for who, run in makers.items():
        errors[who] = float(np.stack([run() for _ in range(runs)]).std(axis=0, ddof=1).max())
        timings[who] = scaled(timings[who], min(1.0, (found.standard_error / errors[who]) ** 2))
    told = ", ".join(f"{who} {error:.1e} as run" for who, error in errors.items())
    return Comparison(
        "the same on the probability by a horizon, at our standard error",
        timings,
        dict.fromkeys(errors, _LEAST),
        f"largest standard error of a value: ours {found.standard_error:.1e} where the answer lies "
        f"{abs(ends[1] - ends[0]):.3f} from the base, {told}",
    )


def _twelve_groups(case: _Case) -> Comparison:
    """Exact values of twelve groups of tokens on the probability scale, every coalition by both."""
    answer = case.answer()
    members = [group.members for group in group_tokens(case.tokens, np.ones(len(case.tokens)))]
    belongs = np.zeros((12, len(case.tokens)))
    for row, own in enumerate(members):
        belongs[row, own] = 1.0
    game = case.game().of_bins(answer.bins)

    def ours() -> Floats:
        return shapley_values(every_probability(game.of_groups(members), answer), 12)

    def function(known: Floats) -> Floats:
        return case.probability(known @ belongs)

    exact = shap.ExactExplainer(function, np.zeros((1, 12)))
    timings, values = in_turn(
        {OURS: ours, _EXACT: lambda: exact(np.ones((1, 12))).values[0]}, {OURS: 15, _EXACT: 5}
    )
    far = float(np.abs(values[OURS] - values[_EXACT]).max())
    assert far < _SMALLEST_ERROR  # noqa: S101
    return Comparison(
        "exact values of 12 groups of tokens on the probability, 4,096 coalitions",
        timings,
        {_EXACT: 15.0},
        f"{_EXACT} within {far:.0e} of ours",
    )


def _in_a_row(run: Callable[[], Floats], times: int) -> Callable[[], Floats]:
    def several() -> Floats:
        for _ in range(times - 1):
            run()
        return run()

    return several


def _permutation(function: Function, count: int, rounds: int) -> Callable[[], Floats]:
    explainer = shap.PermutationExplainer(function, np.zeros((1, count)))
    return lambda: explainer(np.ones((1, count)), max_evals=rounds * (2 * count + 1)).values[0]


def _kernel(function: Function, count: int) -> Callable[[], Floats]:
    """Its own number of samples, and no selection of features, which would set most values to zero."""
    explainer = shap.KernelExplainer(function, np.zeros((1, count)))
    return lambda: explainer.shap_values(np.ones((1, count)), l1_reg=0, silent=True)[0]
