from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.evaluation.rivals import (
    HAIM,
    LATE,
    TRANSFORMER,
    fit_rivals,
    is_rival,
    subset_incidence,
)
from prognosis.evaluation.singles import fit_singles
from prognosis.fusion.challenger import ChallengerConfig

if TYPE_CHECKING:
    from tests.simulated import Simulated

DAYS = np.array([90.0, 180.0, 365.0])
QUICK = ChallengerConfig(layers=1, width=8, heads=1, epochs=2)


def test_every_rival_gives_incidences_that_rise_and_leave_room_for_no_event(small: Simulated) -> None:
    rivals = fit_rivals(small.cohort, small.evidence, QUICK)
    singles = fit_singles(small.cohort, small.evidence, small.model.config.fusion)
    cases = small.cohort.cases[:20]
    alone = singles.inputs(cases, small.model.evidence, small.model.inputs(cases))
    told = rivals.incidence(small.model, alone, cases, DAYS)
    assert set(told) == {LATE, HAIM, TRANSFORMER}
    for incidence in told.values():
        assert incidence.shape == (20, 2, 3)
        assert (np.diff(incidence, axis=2) >= 0.0).all()
        assert incidence.sum(axis=1).max() <= 1.0
        assert np.ptp(incidence[:, 0, -1]) > 0.01


def test_a_subset_is_what_the_model_says_of_patients_without_the_other_modality(small: Simulated) -> None:
    cases = small.complete[:5]
    told = subset_incidence(small.model, small.model.modalities, small.model.inputs(cases), DAYS)
    assert set(told) == {"clinical + text", "clinical + imaging", "text + imaging"}
    assert all(is_rival(name) for name in told)
    without = [replace(case, record=replace(case.record, studies=())) for case in cases]
    expected = small.model.cumulative_incidence(without, DAYS)
    np.testing.assert_allclose(told["clinical + text"], expected, atol=1e-9)


def test_one_modality_has_no_rivals_since_nothing_is_joined(small: Simulated) -> None:
    alone = replace(small.evidence, fitted={"clinical": small.evidence.fitted["clinical"]})
    with pytest.raises(CohortError, match="only clinical is read"):
        fit_rivals(small.cohort, alone, QUICK)
