"""True Shapley values: they are those of every coalition of planted pieces, and add up to the oracle."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from prognosis.simulate import Dials, SimulatedCohort, simulate_cohort
from prognosis.simulate.clinical import PLANTED_QUANTITIES as QUANTITIES
from prognosis.simulate.sentences import ARM_FINDING
from prognosis.simulate.true_values import PIECES
from prognosis.simulate.truth import ARMS, PlantedCohort, draw_patients, plant

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def modified() -> SimulatedCohort:
    """A cohort with every product that the generator knows of."""
    return simulate_cohort(Dials(patients=150, arm_modifier=-0.3, arm_by_imaging=0.4, arm_by_text=-0.5), 11)


@pytest.mark.parametrize("cause", ["progression", "death"])
def test_values_and_their_base_add_up_to_the_observed_oracle(modified: SimulatedCohort, cause: str) -> None:
    oracle = modified.oracle
    assert not (oracle.has_text & oracle.has_imaging).all()
    assert np.abs(oracle.true_values.log_hazard(cause) - oracle.observed(cause)).max() < 1e-12


def test_pieces_of_an_absent_modality_have_no_value(modified: SimulatedCohort) -> None:
    oracle = modified.oracle
    values = oracle.true_values.values["progression"]
    for modality, present in (("text", oracle.has_text), ("imaging", oracle.has_imaging)):
        columns = [column for column, (own, _) in enumerate(PIECES) if own == modality]
        assert not values[np.ix_(~present, columns)].any()
        assert values[np.ix_(present, columns)].any(axis=1).all()


def test_what_is_cited_has_the_true_value_of_its_piece(modified: SimulatedCohort) -> None:
    oracle = modified.oracle
    row = int(np.flatnonzero(oracle.has_imaging)[0])
    for cause in oracle.planted[row]:
        if cause.modality == "imaging":
            truth = oracle.true_values.of("progression", "imaging", cause.place)[row]
            assert cause.contribution["progression"] == truth


def test_values_are_those_of_every_coalition_of_pieces() -> None:
    """All 262,144 coalitions of the 18 pieces; what is not known stands at the population's mean."""
    modified = {"arm_modifier": -0.3, "arm_by_imaging": 0.4, "arm_by_text": -0.5}
    dials = Dials(patients=8, **modified, notes_absent=0.0, imaging_absent=0.0)
    planted = plant(dials, draw_patients(dials, np.random.default_rng(12)), np.zeros(8, dtype=bool))
    known = (np.arange(2 ** len(PIECES))[:, None] >> np.arange(len(PIECES)) & 1).astype(bool)
    eta = _log_hazard(planted, dials, 0, known)
    assert eta[-1] == pytest.approx(planted.parts["progression"].full()[0], abs=1e-12)
    assert eta[0] == pytest.approx(planted.true_values.base["progression"], abs=1e-12)
    assert np.abs(_shapley(known, eta) - planted.true_values.values["progression"][0]).max() < 1e-10


def _log_hazard(planted: PlantedCohort, dials: Dials, row: int, known: NDArray[np.bool_]) -> Floats:
    """(C,) progression's log-hazard of one patient of whom (C, pieces) are known."""
    clinical, text = (each.contributions("progression") for each in (planted.clinical, planted.text))
    own = np.array(
        [
            *(
                dials.clinical_signal * clinical[name][row] if name in clinical else 0.0
                for name in QUANTITIES
            ),
            0.0,  # the arm, below
            *(dials.text_signal * values[row] for values in text.values()),
            *(dials.imaging_signal * planted.lesion_hazard.by_zone["progression"][row]),
        ]
    )
    crp = planted.clinical.planted["crp"][row] * known[:, PIECES.index(("clinical", "crp"))]
    treated = np.where(known[:, PIECES.index(("clinical", "arm"))], planted.arm[row] == ARMS[1], 0.5)
    zones = known[:, [modality == "imaging" for modality, _ in PIECES]]
    product = dials.interaction * crp * (zones @ planted.lesion_hazard.burden[row])
    finding = planted.text.standard(ARM_FINDING)[row] * known[:, PIECES.index(("text", ARM_FINDING))]
    effect = dials.arm_effect + dials.arm_modifier * crp + dials.arm_by_text * finding
    effect = effect + dials.arm_by_imaging * (zones @ planted.lesion_hazard.burden[row])
    return known @ own + product + effect * treated


def _shapley(known: NDArray[np.bool_], value: Floats) -> Floats:
    """(P,) by the definition, from the value of each of the 2 ** P coalitions, numbered by their bits."""
    players = known.shape[1]
    size = known.sum(axis=1)
    number = np.arange(len(known))
    weight = np.array([1.0 / (players * comb(players - 1, held)) for held in range(players)])
    found = []
    for player in range(players):
        without = ~known[:, player]
        gain = value[number[without] | 1 << player] - value[without]
        found.append(weight[size[without]] @ gain)
    return np.array(found)
