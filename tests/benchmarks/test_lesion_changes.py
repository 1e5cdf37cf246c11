"""Counting of the sign of growth: reversed pairs keep an answer of "worse" to everything at one half."""

from __future__ import annotations

import pytest

from benchmarks.lesion_changes import Change, summary


def changes(evidence: float) -> list[Change]:
    """Twenty patients' lesions, half shown as growing and half as shrinking, one each too small to count."""
    return [
        Change(f"p{number}", size * (-1.0) ** number, evidence)
        for number in range(20)
        for size in (0.5, 2.0, 4.0, 9.0)
    ]


def test_always_answering_worse_finds_half_of_the_signs() -> None:
    found = summary(changes(1.0), changes(1.0), replicates=200, seed=0)
    assert found.lesions == 60
    assert found.found.value == 0.5
    assert (found.grew.value, found.shrank.value) == (1.0, 0.0)
    assert found.zones_without.value == 1.0


def test_no_change_in_evidence_is_no_sign_found() -> None:
    assert summary(changes(0.0), changes(0.0), replicates=50, seed=0).found.value == 0.0


def test_lesions_are_told_apart_by_how_much_they_changed() -> None:
    assert [name.partition(" (")[0] for name in summary(changes(1.0), changes(1.0), 50, 0).by_size] == [
        "2 to 3 mm",
        "3 to 5 mm",
        "5 mm or more",
    ]
    assert summary(changes(1.0), changes(1.0), 50, 0).by_size["5 mm or more (20)"].value == pytest.approx(0.5)
