"""What is absent is zero, whatever stood there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from prognosis.evidence import ModalityEvidence
from prognosis.fusion.fitting import masked_copies
from prognosis.fusion.inputs import join_modalities
from tests.fusion.synthetic import inputs_of

anything = st.floats(allow_nan=True, allow_infinity=True)


def modality(present: list[bool], fill: np.ndarray, withheld: tuple[str, ...] = ("", "")) -> ModalityEvidence:
    here = np.array(present)
    evidence = np.where(here[:, None, None], 0.5, fill[:, None, None])
    vector = np.where(here[:, None], 2.0, fill[:, None])
    return ModalityEvidence(here, evidence, vector, np.where(here, 0.1, fill), withheld)


@given(junk=arrays(np.float64, 2, elements=anything))
def test_junk_in_an_absent_modality_never_arrives(junk: np.ndarray) -> None:
    clean = join_modalities({"clinical": modality([True, False], np.zeros(2))})
    dirty = join_modalities({"clinical": modality([True, False], junk)})
    for one, other in zip(
        (*clean.evidence, *clean.vectors, clean.distance),
        (*dirty.evidence, *dirty.vectors, dirty.distance),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
        assert not one[1].any()


def test_modalities_stand_side_by_side_in_the_order_given_with_the_reasons_for_what_was_withheld() -> None:
    joined = join_modalities(
        {
            "text": modality([True, True], np.zeros(2)),
            "imaging": modality([False, True], np.zeros(2), ("film is blank", "")),
        }
    )
    assert joined.modalities == ("text", "imaging")
    assert joined.present.tolist() == [[True, False], [True, True]]
    assert joined.withheld == (("imaging: film is blank",), ())
    assert len(joined) == 2


@given(keep=st.lists(st.booleans(), min_size=3, max_size=3), seed=st.integers(0, 3))
def test_a_modality_taken_away_is_absent_and_zero_and_the_others_are_untouched(
    keep: list[bool], seed: int
) -> None:
    inputs = inputs_of(12, seed)
    kept = inputs.keeping(keep)
    for place, wanted in enumerate(keep):
        parts = ((kept.evidence, inputs.evidence), (kept.vectors, inputs.vectors))
        for after, before in parts:
            np.testing.assert_array_equal(after[place], before[place] if wanted else 0.0 * before[place])
        expected = inputs.present[:, place] if wanted else np.zeros(12, dtype=bool)
        np.testing.assert_array_equal(kept.present[:, place], expected)
        np.testing.assert_array_equal(kept.distance[:, place] > 0, expected & (inputs.distance[:, place] > 0))


def test_rows_are_taken_by_number_or_by_flag() -> None:
    inputs = inputs_of(5)
    flags = np.array([False, True, False, True, False])
    by_flag, by_number = inputs.take(flags), inputs.take(np.array([1, 3]))
    np.testing.assert_array_equal(by_flag.present, by_number.present)
    np.testing.assert_array_equal(by_flag.vectors[1], inputs.vectors[1][[1, 3]])
    assert len(by_flag.withheld) == 2


def test_masked_copies_hold_every_smaller_subset_and_weigh_what_they_are_told_to() -> None:
    inputs = inputs_of(10)
    rows, copies, weights = masked_copies(inputs, 0.3)
    assert len(copies) == len(rows) == len(weights) == 10 * 8
    np.testing.assert_array_equal(weights[:10], 1.0)
    np.testing.assert_allclose([weights[rows == row].sum() for row in range(10)], 1.3)
    np.testing.assert_array_equal(copies.take(np.arange(10)).present, inputs.present)
    masks = {tuple(mask) for mask in (copies.present[rows == 0])}
    assert len(masks) == 2 ** int(inputs.present[0].sum())


def test_without_masked_copies_or_with_one_modality_everyone_stands_once() -> None:
    for inputs, weight in ((inputs_of(6), 0.0), (inputs_of(6, widths=(2,)), 0.3)):
        rows, copies, weights = masked_copies(inputs, weight)
        assert copies is inputs
        assert rows.tolist() == list(range(6))
        assert (weights == 1.0).all()
