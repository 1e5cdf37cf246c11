from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.rivals_table import tables
from benchmarks.simulated_tokens import read_tables, tokens_file, write_tables
from tests.fusion.challenger.made import tokens_of_chance


def test_tokens_come_back_from_the_cache_as_they_were(tmp_path: Path) -> None:
    tables = tokens_of_chance(8), tokens_of_chance(5, seed=1)
    place = tokens_file(tmp_path / "inputs-8-0.npz")
    write_tables(place, tables)
    for before, after in zip(tables, read_tables(place), strict=True):
        assert before.modalities == after.modalities
        for name in ("modality", "evidence", "vector", "age_days"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


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
