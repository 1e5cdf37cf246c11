"""How a patient's page words the lower bounds and marks the notes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prognosis.cli.patient_report import marked_sentences
from prognosis.cli.statements import free_statements, value_statements
from prognosis.explanation import Attribution
from prognosis.prediction import ExpectedValue, LowerBound, Prediction, predict_cases
from prognosis.prediction.prediction import ValueInterval
from tests.fakes.additive_evidence import planted_cases, written_model


@pytest.fixture(scope="module")
def prediction() -> Prediction:
    return predict_cases(written_model(count=200), planted_cases(1, 1.5, seed=1))[0]


def bounds(*days: float, limited: bool = False) -> tuple[LowerBound, ...]:
    return tuple(
        LowerBound("death", level, own, limited) for level, own in zip((0.8, 0.9, 0.95), days, strict=True)
    )


def test_a_bound_is_rounded_down_so_that_it_stays_one(prediction: Prediction) -> None:
    stated = free_statements(replace(prediction, free_for=bounds(99.9, 41.97, 1.5)))
    assert stated == ("With 90% confidence free of death for at least 41 days (80%: 99 days, 95%: 1 day)",)


def test_no_bound_above_zero_is_said_to_be_none(prediction: Prediction) -> None:
    (stated,) = free_statements(replace(prediction, free_for=bounds(3.0, 0.0, 0.0)))
    assert "no time free of death above 0 days is supported" in stated


def test_a_bound_that_follow_up_cut_short_says_so(prediction: Prediction) -> None:
    (stated,) = free_statements(replace(prediction, free_for=bounds(9.0, 9.0, 9.0, limited=True)))
    assert "at least 9 days, the longest that enough patients were followed" in stated


def test_any_event_names_the_causes(prediction: Prediction) -> None:
    assert "free of progression or death for at least" in free_statements(prediction)[0]


@pytest.mark.parametrize(
    ("value", "ends", "told"),
    [
        (
            1.63,
            (0.42, 10.9),
            "1.6 mg/dL (80% interval 0.42 to 11)",
        ),  # a value that cannot be 0 is not told as 0
        (20.4, (12.1, 38.3), "20 mg/dL (80% interval 12 to 38)"),
        (7.213, (7.151, 7.284), "7.21 mg/dL (80% interval 7.15 to 7.28)"),
        (1432.0, (1429.2, 1434.1), "1432.0 mg/dL (80% interval 1429.2 to 1434.1)"),
        (-0.31, (-2.04, 0.0), "-0.31 mg/dL (80% interval -2.0 to 0.0)"),
    ],
)
def test_a_value_and_its_interval_are_told_to_two_digits_at_least(
    prediction: Prediction, value: float, ends: tuple[float, float], told: str
) -> None:
    expected = ExpectedValue("bilirubin", "mg/dL", 365.0, value, 1.0, False, (ValueInterval(0.8, *ends),))
    (stated,) = value_statements(replace(prediction, measured=expected))
    assert stated == f"bilirubin in 1 year: {told}"


def test_a_narrower_interval_is_not_told_as_a_point(prediction: Prediction) -> None:
    intervals = ValueInterval(0.5, 14.62, 15.38), ValueInterval(0.8, 9.0, 21.0)
    expected = ExpectedValue("bilirubin", "mg/dL", 365.0, 15.0, 1.0, False, intervals)
    (stated,) = value_statements(replace(prediction, measured=expected))
    assert "50% interval 14.62 to 15.38" in stated


def test_a_note_is_shown_whole_with_its_sentences_marked_where_they_stand() -> None:
    text = "Findings: Large effusion. Seen before.\nPlan: Large effusion."
    cited = [
        Attribution("text", "", "Large effusion.", "DocumentReference/n#3", "", 0.2, 0.0, span=(45, 60)),
        Attribution("text", "", "Large effusion.", "DocumentReference/n#1", "", 0.7, 0.0, span=(10, 25)),
    ]
    told = marked_sentences(text, cited)
    assert [(each.text, each.contribution) for each in told] == [
        ("Findings:", None),
        ("Large effusion.", 0.7),
        ("Seen before.\nPlan:", None),
        ("Large effusion.", 0.2),
    ]


def test_a_sentence_whose_contribution_rounds_to_zero_is_not_marked() -> None:
    cited = [
        Attribution("text", "", "No effusion.", "DocumentReference/n#0", "", share, 0.0, span=span)
        for share, span in ((0.0049, (0, 12)), (-0.005, (13, 25)))
    ]
    told = marked_sentences("No effusion. No effusion.", cited)
    assert [(each.text, each.contribution) for each in told] == [
        ("No effusion.", None),
        ("No effusion.", -0.005),
    ]
