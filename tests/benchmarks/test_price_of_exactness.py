from __future__ import annotations

import numpy as np

from benchmarks.price_tokens import inputs_of
from benchmarks.rivals_table import tables
from prognosis.fusion.challenger.tokens import PADDING
from tests.fusion.challenger.made import tokens_of_chance


def test_tokens_summed_by_modality_leave_an_absent_one_at_zero() -> None:
    tokens = tokens_of_chance(60)
    inputs = inputs_of(tokens)
    assert not inputs.present.all()
    for place, (evidence, vector) in enumerate(zip(inputs.evidence, inputs.vectors, strict=True)):
        here = tokens.modality == place
        np.testing.assert_array_equal(inputs.present[:, place], here.any(axis=1))
        assert (evidence[~here.any(axis=1)] == 0.0).all()
        assert (vector[~here.any(axis=1)] == 0.0).all()
    whole = np.where((tokens.modality != PADDING)[:, :, None], tokens.vector, 0.0).sum(axis=1)
    np.testing.assert_allclose(sum(inputs.vectors), whole, atol=1e-5)


def test_a_table_of_rivals_gives_ours_first_and_differences_with_their_sign() -> None:
    def interval(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.1, "high": value + 0.1}

    found = {
        "n": 90,
        "patients": 40,
        "events": {"none": 50, "ill": 40},
        "metrics": {"auroc": interval(0.8)},
        "refused": {},
        "members": {"late fusion": {"metrics": {"auroc": interval(0.7)}}},
        "comparisons": [
            {
                "a": "fused",
                "b": "late fusion",
                "metric": "auroc",
                "difference": 0.1,
                "low": -0.02,
                "high": 0.2,
            }
        ],
    }
    lines = tables(found).splitlines()
    assert lines[0] == "90 cases of 40 patients (50 none, 40 ill)"
    assert lines[-2] == "| all modalities | 0.800 (0.700 to 0.900) |  |"
    assert lines[-1] == "| late fusion | 0.700 (0.600 to 0.800) | +0.100 (-0.020 to +0.200) |"
    sites = tables({"sites": {"north": found, "south": {"refused": "too few"}}})
    assert "tested on north" in sites
    assert "not tested: too few" in sites
