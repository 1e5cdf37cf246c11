from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from prognosis.errors import CohortError
from prognosis.evaluation.judging import held_out_fold
from prognosis.evaluation.rivals import fit_rivals
from prognosis.evaluation.singles import fit_singles
from prognosis.fusion.challenger import ChallengerConfig
from prognosis.fusion.train import train_model
from tests.simulated import tiny_config

if TYPE_CHECKING:
    from prognosis.cohort import Cohort
    from prognosis.evidence import FittedEvidence
    from prognosis.fusion.cross_fitting import CrossFitted
    from tests.simulated import Simulated

QUICK = ChallengerConfig(layers=0, epochs=1)


def beside_others(evidence: CrossFitted) -> CrossFitted:
    """The same with joined evidence that knows more than any modality by itself."""
    rng = np.random.default_rng(3)

    def told(fitted: FittedEvidence) -> FittedEvidence:
        said = fitted.out_of_fold
        more = said.evidence + rng.normal(0.0, 1.0, said.evidence.shape)
        return replace(fitted, out_of_fold=replace(said, evidence=more))

    return replace(evidence, fitted={name: told(fitted) for name, fitted in evidence.fitted.items()})


def strangers(small: Simulated) -> Cohort:
    """Patients of the same cohort under other names."""
    cases = [
        replace(case, record=replace(case.record, patient_id=f"new-{case.record.patient_id}"))
        for case in small.cohort.cases[:30]
    ]
    return replace(small.cohort, cases=tuple(cases))


def test_a_modality_alone_is_the_model_that_was_trained_on_nothing_else(small: Simulated) -> None:
    singles = fit_singles(small.cohort, small.evidence, small.model.config.fusion)
    fold = held_out_fold(small.model, strangers(small), small.cohort, singles)
    trained = train_model(small.cohort, tiny_config(modalities=["clinical"], folds=3))
    expected = trained.head.log_hazard(trained.inputs(fold.cohort.cases))
    np.testing.assert_allclose(fold.log_hazard_from("clinical"), expected, atol=1e-9)


def test_what_is_fitted_beside_the_others_reaches_no_rival_that_would_not_have_it(small: Simulated) -> None:
    evidence = beside_others(small.evidence)
    first, second = (fit_rivals(small.cohort, each, QUICK) for each in (small.evidence, evidence))
    np.testing.assert_array_equal(first.late.weight, second.late.weight)
    days, rows = np.array([200.0, 365.0]), small.evidence.alone_inputs()
    told = [each.incidence(small.model, rows, small.cohort.cases, days) for each in (first, second)]
    np.testing.assert_array_equal(told[0]["HAIM-style"], told[1]["HAIM-style"])
    config = small.model.config.fusion
    own = [fit_singles(small.cohort, each, config) for each in (small.evidence, evidence)]
    for name in small.model.modalities:
        np.testing.assert_array_equal(own[0].log_hazard(name, rows), own[1].log_hazard(name, rows))


def test_without_models_of_their_own_a_modality_is_what_the_model_says_of_it_only(small: Simulated) -> None:
    fold = held_out_fold(small.model, strangers(small))
    kept = fold.inputs.keeping([name == "text" for name in small.model.modalities])
    np.testing.assert_array_equal(fold.log_hazard_from("text"), small.model.head.log_hazard(kept))


def test_a_resumed_training_has_no_modality_by_itself(small: Simulated) -> None:
    resumed = replace(small.evidence, alone={})
    with pytest.raises(CohortError, match="not kept among checkpoints"):
        fit_singles(small.cohort, resumed, small.model.config.fusion)
