"""Lesions: within their sizes, growing, and standard in the population."""

from __future__ import annotations

import numpy as np
import pytest

from prognosis.simulate.dials import Dials
from prognosis.simulate.lesions import draw_lesions, lesion_hazard


def test_lesions_measure_three_to_twenty_millimetres_and_never_shrink() -> None:
    draw = draw_lesions(Dials(), 500, np.random.default_rng(0))
    there = draw.diameter_mm[draw.diameter_mm > 0]
    assert there.min() >= 3.0
    assert there.max() <= 20.0
    for patient in range(50):
        now = {(lesion.across, lesion.down): lesion for lesion in draw.at(patient, 0.0)}
        for earlier in draw.at(patient, 90.0):
            assert 3.0 <= earlier.diameter_mm <= now[earlier.across, earlier.down].diameter_mm


@pytest.mark.parametrize("cause", ["progression", "death"])
def test_the_planted_log_hazard_of_lesions_has_mean_zero_and_unit_spread_in_the_population(
    cause: str,
) -> None:
    draw = draw_lesions(Dials(), 20_000, np.random.default_rng(5))
    whole = lesion_hazard(draw, Dials()).by_zone[cause].sum(axis=1)
    assert whole.mean() == pytest.approx(0.0, abs=0.03)
    assert whole.std() == pytest.approx(1.0, abs=0.03)


def test_growth_raises_the_hazard_at_the_same_burden() -> None:
    draw = draw_lesions(Dials(), 2000, np.random.default_rng(6))
    grows = lesion_hazard(draw, Dials(growth_share=0.6)).by_zone["progression"].sum(axis=1)
    burden = lesion_hazard(draw, Dials(growth_share=0.0)).by_zone["progression"].sum(axis=1)
    growth = (draw.growth_mm).sum(axis=1)
    line = np.polyfit(burden, grows, 1)
    assert np.corrcoef(growth, grows - np.polyval(line, burden))[0, 1] > 0.5
