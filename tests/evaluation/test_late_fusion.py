from __future__ import annotations

import numpy as np

from prognosis.cohort import Target
from prognosis.cohort.target import ONE_BIN
from prognosis.evaluation.late_fusion import fit_late_fusion
from prognosis.fusion.likelihood import exposure_of
from tests.fusion.synthetic import exponential_target, inputs_of


def test_a_class_is_joined_as_scikit_learn_s_logistic_regression_joins_it() -> None:
    from sklearn.linear_model import LogisticRegression

    inputs = inputs_of(400, causes=1)
    rng = np.random.default_rng(0)
    risks = np.column_stack([evidence[:, 0, 0] for evidence in inputs.evidence])
    chance = 1.0 / (1.0 + np.exp(-(risks @ [1.0, 0.5, 0.0] - 0.4 * ~inputs.present[:, 1])))
    cause = (rng.random(400) < chance).astype(np.int64)
    target = Target(("ill",), cause, np.full(400, 0.5), ONE_BIN, survival=False)
    fitted = fit_late_fusion(inputs, exposure_of(target))
    design = np.column_stack([risks / risks.std(axis=0), ~inputs.present])
    peer = LogisticRegression(C=1.0, tol=1e-9, max_iter=1000).fit(design, cause)
    np.testing.assert_allclose(fitted.log_hazard(inputs)[:, 0, 0], peer.decision_function(design), atol=2e-3)


def test_the_weights_of_hazards_that_add_up_are_found_again() -> None:
    inputs = inputs_of(4000, causes=1)
    risks = [evidence[:, 0, 0] for evidence in inputs.evidence]
    target = exponential_target(risks[0] + 0.5 * risks[1] + 0.6 * ~inputs.present[:, 2], bins=40)
    fitted = fit_late_fusion(inputs, exposure_of(target))
    np.testing.assert_allclose(fitted.weight[:, 0], [1.0, 0.5, 0.0], atol=0.12)
    np.testing.assert_allclose(fitted.absent[:, 0], [0.0, 0.0, 0.6], atol=0.2)


def test_a_modality_that_is_taken_away_leaves_its_flag_and_nothing_of_its_risk() -> None:
    inputs = inputs_of(300, causes=1)
    fitted = fit_late_fusion(inputs, exposure_of(exponential_target(inputs.evidence[0][:, 0, 0])))
    taken = inputs.take(inputs.present[:, 0])
    lost = fitted.log_hazard(taken) - fitted.log_hazard(taken.keeping([False, True, True]))
    risk = taken.evidence[0][:, 0, 0]
    np.testing.assert_allclose(lost[:, 0, 0], risk * fitted.weight[0, 0] - fitted.absent[0, 0], atol=1e-12)
    assert fitted.weight[0, 0] > 0.5
