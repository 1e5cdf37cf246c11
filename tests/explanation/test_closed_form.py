"""The closed form against brute force and against an independent implementation."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from prognosis.cohort import Case
from prognosis.errors import InputError
from prognosis.evidence import Token
from prognosis.explanation import explain_case
from prognosis.explanation.game import token_game
from prognosis.fusion.head import subset_number
from prognosis.fusion.inputs import FusionInputs, join_modalities
from prognosis.fusion.model import FusionModel
from tests.fakes.additive_evidence import written_case, written_model
from tests.fusion.synthetic import head_of

VALUES = {"clinical": [0.6, -0.9], "text": [0.4, 0.2, -0.3], "imaging": [1.1, 0.5, -0.2]}


@pytest.fixture(scope="module")
def model() -> FusionModel:
    return written_model()


def coalition_value(model: FusionModel, case: Case, kept: frozenset[tuple[str, int]], which: int) -> float:
    """The average log-hazard with only some tokens, the observed subset's recalibration held fixed."""
    values = {
        modality: [value if (modality, k) in kept else 0.0 for k, value in enumerate(own)]
        for modality, own in VALUES.items()
    }
    inputs = join_modalities({name: e.summarise([case]) for name, e in model.evidence.items()})
    tokens = {name: e.tokens(case) for name, e in model.evidence.items()}
    evidence = tuple(
        np.array(
            [sum((t.evidence for k, t in enumerate(tokens[m]) if (m, k) in kept), start=np.zeros((2, 1)))]
        )
        for m in values
    )
    vectors = tuple(
        np.array([sum((t.vector for k, t in enumerate(tokens[m]) if (m, k) in kept), start=np.zeros(2))])
        for m in values
    )
    partial = type(inputs)(
        inputs.modalities, inputs.present, evidence, vectors, inputs.distance, inputs.withheld
    )
    return float(model.head.log_hazard(partial)[0, which].mean())


def brute_force(model: FusionModel, case: Case, which: int) -> dict[tuple[str, int], float]:
    players = [(modality, k) for modality, own in VALUES.items() for k in range(len(own))]
    worth = {
        frozenset(group): coalition_value(model, case, frozenset(group), which)
        for size in range(len(players) + 1)
        for group in combinations(players, size)
    }
    shares = {}
    for player in players:
        others = [p for p in players if p != player]
        share = 0.0
        for size in range(len(others) + 1):
            weight = factorial(size) * factorial(len(others) - size) / factorial(len(players))
            for group in combinations(others, size):
                share += weight * (worth[frozenset({*group, player})] - worth[frozenset(group)])
        shares[player] = share
    return shares


@pytest.mark.parametrize("cause", ["progression", "death"])
def test_contributions_are_the_shapley_values_over_all_coalitions_of_tokens(model, cause):
    case = written_case(0, VALUES)
    expected = brute_force(model, case, model.task.causes.index(cause))
    explanation = explain_case(model, case, cause)
    found = {(a.modality, int(a.name.split("-")[1])): a.contribution for a in explanation.attributions}
    assert found.keys() == expected.keys()
    assert max(abs(found[p] - expected[p]) for p in expected) < 1e-9


def test_the_planted_interaction_is_found_so_that_the_test_above_is_not_about_a_sum(model):
    assert np.abs(model.head.interaction_matrix(0, 2)[0]).max() > 0.1


def test_base_and_contributions_add_up_to_the_prediction(model):
    rng = np.random.default_rng(1)
    for number in range(20):
        values = {
            name: list(rng.normal(0, 1, 3)) for name in ("clinical", "text", "imaging") if rng.random() < 0.7
        }
        explanation = explain_case(model, written_case(number, values))
        assert explanation.max_additivity_error < 1e-9
        assert explanation.base + explanation.values().sum() == pytest.approx(explanation.total, abs=1e-9)


def test_a_missing_modality_contributes_nothing(model):
    explanation = explain_case(model, written_case(0, {"clinical": [0.5, 0.1]}))
    assert set(explanation.by_modality()) == {"clinical"}
    assert all(a.interaction == 0.0 for a in explanation.attributions)


def test_every_contribution_names_its_source(model):
    explanation = explain_case(model, written_case(0, VALUES))
    assert all(a.source.startswith("Observation/") for a in explanation.attributions)


def test_an_unknown_cause_is_refused_and_the_known_ones_are_named(model):
    with pytest.raises(InputError, match="progression, death"):
        explain_case(model, written_case(0, VALUES), "relapse")


def tokens_of(counts: tuple[int, int, int], seed: int) -> list[Token]:
    """Random tokens of three modalities whose vectors are 2, 3 and 2 wide."""
    rng = np.random.default_rng(seed)
    names = ("clinical", "text", "imaging")
    return [
        Token(
            names[place], str(k), "", "", "", 0.0, rng.normal(size=(2, 4)), rng.normal(size=(2, 3, 2)[place])
        )
        for place, count in enumerate(counts)
        for k in range(count)
    ]


def places_of(tokens: list[Token]) -> np.ndarray:
    return np.array([("clinical", "text", "imaging").index(token.modality) for token in tokens])


def mean_log_hazard(tokens: list[Token], known: np.ndarray) -> np.ndarray:
    """The first cause's average log-hazard for (n, tokens) rows of what is known, through the head itself."""
    evidence, vectors = [], []
    for place in range(3):
        own = places_of(tokens) == place
        columns = known[:, own].astype(float)
        some = [token for token, here in zip(tokens, own, strict=True) if here]
        evidence.append(np.tensordot(columns, np.stack([token.evidence for token in some]), axes=1))
        vectors.append(columns @ np.stack([token.vector for token in some]))
    rows = len(known)
    inputs = FusionInputs(
        ("clinical", "text", "imaging"),
        np.ones((rows, 3), dtype=bool),
        tuple(evidence),
        tuple(vectors),
        np.zeros((rows, 3)),
        ((),) * rows,
    )
    return head_of().log_hazard(inputs)[:, 0].mean(axis=1)


def closed_form(tokens: list[Token]) -> np.ndarray:
    return np.sum(token_game(head_of(), tokens, places_of(tokens), 7).shares(), axis=0)[:, 0]


@pytest.mark.filterwarnings("ignore")
def test_shap_exact_explainer_gives_the_same_values_of_twelve_tokens():
    shap = pytest.importorskip("shap")
    tokens = tokens_of((4, 5, 3), seed=1)
    explainer = shap.ExactExplainer(lambda known: mean_log_hazard(tokens, known), np.zeros((1, 12)))
    expected = explainer(np.ones((1, 12)), silent=True).values[0]
    assert np.abs(closed_form(tokens) - expected).max() < 1e-9


def test_enumerating_every_coalition_of_sixteen_tokens_gives_the_same_values():
    tokens = tokens_of((6, 5, 5), seed=2)
    numbers = np.arange(2**16)
    known = numbers[:, None] >> np.arange(16) & 1
    worth, sizes = mean_log_hazard(tokens, known), known.sum(axis=1)
    weight = np.array([factorial(size) * factorial(15 - size) / factorial(16) for size in range(16)])
    for player, found in enumerate(closed_form(tokens)):
        without = numbers[known[:, player] == 0]
        marginal = worth[without | 1 << player] - worth[without]
        assert found == pytest.approx(float(weight[sizes[without]] @ marginal), abs=1e-9)


def test_the_recalibration_of_the_observed_subset_enters_the_explanation(model):
    case = written_case(0, {"clinical": [0.5, 0.1]})
    inputs = model.inputs([case])
    subset = int(subset_number(inputs.present)[0])
    explanation = explain_case(model, case)
    assert explanation.base == pytest.approx((model.head.alpha[0] + model.head.shift[subset, 0]).mean())


@pytest.mark.filterwarnings("ignore")
def test_shap_holds_the_same_values_and_base(model):
    explanation = explain_case(model, written_case(0, VALUES))
    held = explanation.to_shap()
    assert held.base_values + held.values.sum() == pytest.approx(explanation.total, abs=1e-9)
    assert len(held.feature_names) == len(explanation.attributions)
