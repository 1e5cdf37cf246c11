"""The peers: what they read, and that their incidences are probabilities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prognosis.cohort import Cohort, SurvivalLabel
from prognosis.errors import CohortError, ConfigError
from prognosis.evaluation.features import learn_features
from prognosis.evaluation.peer_registry import is_age_or_sex, peer_fits
from prognosis.evaluation.peers import incidence_from_hazards
from prognosis.evaluation.peers_hazardous import rising_incidence
from prognosis.record import Code, Event
from prognosis.survival.concordance import harrell_c
from prognosis.survival.curves import kaplan_meier
from tests.evaluation.cohorts import INDEX, case, cohort, markers, target

DAYS = np.array([1.0, 50.0, 200.0, 400.0])
PEERS = ("kaplan_meier", "cox_ridge", "lifelines_cox", "xgboost_cox", "xgboost_aft")


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("causes", [("death",), ("relapse", "death")])
def test_incidences_rise_and_sum_to_at_most_one(name: str, causes: tuple[str, ...]) -> None:
    known = cohort(150, causes)
    found = peer_fits(1)[name](known).cumulative_incidence(known.cases[:20], DAYS)
    assert found.shape == (20, len(causes), 4)
    assert (np.diff(found, axis=2) >= -1e-12).all()
    assert (found >= 0).all()
    assert (found.sum(axis=1) <= 1.0 + 1e-9).all()


@pytest.mark.parametrize("name", PEERS[1:])
def test_every_peer_with_features_ranks_unseen_patients_well(name: str) -> None:
    unseen = cohort(300, seed=7)
    found = peer_fits(1)[name](cohort(300, seed=1)).cumulative_incidence(unseen.cases, DAYS)
    labels = target(unseen)
    truth = harrell_c(labels.days, labels.cause, markers(unseen)).value
    assert harrell_c(labels.days, labels.cause, found[:, 0, 2]).value > truth - 0.05


def test_kaplan_meier_predicts_its_own_curve_for_everyone() -> None:
    known = cohort(100)
    labels = target(known)
    found = peer_fits(1)["kaplan_meier"](known).cumulative_incidence(known.cases[:2], DAYS)
    np.testing.assert_allclose(found[1, 0], 1.0 - kaplan_meier(labels.days, labels.cause > 0).at(DAYS))


def test_incidences_and_survival_from_hazards_sum_to_exactly_one() -> None:
    hazards = np.cumsum(np.random.default_rng(0).uniform(0.0, 0.2, (5, 3, 40)), axis=2)
    total = incidence_from_hazards(hazards).sum(axis=1) + np.exp(-hazards.sum(axis=1))
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


def test_features_are_numbers_levels_and_flags_learned_from_training_only() -> None:
    known = cohort(60)
    table = learn_features(known.task, known.cases)
    assert table.names[:2] == ("age", "table|marker")
    assert sum(name.startswith("table|stage = ") for name in table.names) == 1
    stranger = case(1, 0.5, SurvivalLabel(None, 5.0), stage="never seen")
    row = table.transform([stranger])[0]
    assert row[table.names.index("table|marker")] == 0.5
    assert np.isfinite(row).all()


def test_a_missing_number_becomes_the_training_median_with_a_flag() -> None:
    known = cohort(61)
    bare = replace(known.cases[0], record=replace(known.cases[0].record, events=()))
    table = learn_features(known.task, (bare, *known.cases[1:]))
    row = table.transform([bare])[0]
    assert row[table.names.index("table|marker missing")] == 1.0
    assert row[table.names.index("table|marker")] == pytest.approx(np.median(markers(known)[1:]))


def test_the_outcome_is_never_a_feature() -> None:
    known = cohort(60)
    leak = Event(INDEX, Code("outcome", "death"), number=1.0)
    leaking = tuple(
        replace(each, record=replace(each.record, events=(*each.record.events, leak))) for each in known.cases
    )
    assert learn_features(known.task, leaking).names == learn_features(known.task, known.cases).names


def test_a_cohort_without_any_feature_is_refused() -> None:
    known = cohort(60)
    bare = tuple(
        replace(each, record=replace(each.record, events=(), birth_date=None, sex=None))
        for each in known.cases
    )
    with pytest.raises(CohortError, match="no feature"):
        peer_fits(1)["cox_ridge"](Cohort(known.task, bare))


def test_age_and_sex_are_known_by_their_columns_names() -> None:
    names = (
        "age",
        "sex",
        "table|age",
        "table|num_age",
        "table|fac_gender",
        "table|Age",
        "table|stage",
        "a|age2",
    )
    assert [is_age_or_sex(name) for name in names] == [True] * 6 + [False] * 2


def test_the_model_of_age_and_sex_reads_nothing_else() -> None:
    known = cohort(150)
    other = tuple(replace(each, record=replace(each.record, events=())) for each in known.cases)
    fitted = peer_fits(1)["age_sex_cox"](known)
    np.testing.assert_array_equal(
        fitted.cumulative_incidence(known.cases, DAYS), fitted.cumulative_incidence(other, DAYS)
    )


def test_curves_that_fall_or_pass_one_together_are_held() -> None:
    raw = np.array([[[0.1, 0.3, 0.2, 0.7], [0.2, 0.3, 0.4, 0.6]]])
    np.testing.assert_allclose(rising_incidence(raw), [[[0.1, 0.3, 0.3, 0.3], [0.2, 0.3, 0.4, 0.4]]])


def test_a_file_of_peers_that_does_not_run_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "mine.py"
    broken.write_text("PEERS = {", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.py.*does not run"):
        peer_fits(0, [broken])
