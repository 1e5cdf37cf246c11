"""What each treatment would do: per-arm curves, doubly robust effects, overlap, policies, refusals.

Three steps: say who was given what (`ArmCases`) and what came of it (`FollowUp` or `Response`), estimate
(`survival_effects` or `response_effects`), then read. Everything is a frozen dataclass; nothing is read or
written. docs/treatment.md says what is estimated and what is assumed.
"""

from prognosis.treatment.analysis import EffectSettings, SurvivalEffects, survival_effects
from prognosis.treatment.assignment import ArmCases, Assignment
from prognosis.treatment.benefit_calibration import BenefitCalibration, BenefitGroup, benefit_calibration
from prognosis.treatment.boosted_effect import (
    BoostedEffect,
    cross_fitted_boosted_effect,
    fit_boosted_effect,
)
from prognosis.treatment.corrected_effect import (
    CorrectedEffect,
    effect_out_of_fold,
    fit_corrected_effect,
    predicted_difference,
    score_difference,
)
from prognosis.treatment.curves import ArmCurves
from prognosis.treatment.e_value import EValue, e_value_of_hazard_ratio, e_value_of_risk_ratio
from prognosis.treatment.effects import ArmValues, arm_values
from prognosis.treatment.estimate import Estimate
from prognosis.treatment.hazard_ratio import cumulative_hazard_ratio, hazard_ratio
from prognosis.treatment.hazards import ArmHazards, tabled_hazards
from prognosis.treatment.individual import IndividualCurves, PatientCurves, fit_individual_curves
from prognosis.treatment.linear_effect import (
    LinearEffect,
    Projection,
    best_linear_projection,
    cross_fitted_effect,
    fit_linear_effect,
)
from prognosis.treatment.negative_controls import (
    NegativeControl,
    PermutedArms,
    negative_control,
    permuted_arms,
)
from prognosis.treatment.outcome import FollowUp, Response
from prognosis.treatment.overlap import Overlap, overlap
from prognosis.treatment.policy import PolicyValue, best_arm, policy_value
from prognosis.treatment.propensity import PropensityModel
from prognosis.treatment.ranking import RankingValue, ranking_value
from prognosis.treatment.response import ResponseEffects, response_effects
from prognosis.treatment.support import (
    Grounds,
    NotSupported,
    Reason,
    Support,
    Supported,
    best_supported,
    grounds,
    judge,
)

__all__ = [
    "ArmCases",
    "ArmCurves",
    "ArmHazards",
    "ArmValues",
    "Assignment",
    "BenefitCalibration",
    "BenefitGroup",
    "BoostedEffect",
    "CorrectedEffect",
    "EValue",
    "EffectSettings",
    "Estimate",
    "FollowUp",
    "Grounds",
    "IndividualCurves",
    "LinearEffect",
    "NegativeControl",
    "NotSupported",
    "Overlap",
    "PatientCurves",
    "PermutedArms",
    "PolicyValue",
    "Projection",
    "PropensityModel",
    "RankingValue",
    "Reason",
    "Response",
    "ResponseEffects",
    "Support",
    "Supported",
    "SurvivalEffects",
    "arm_values",
    "benefit_calibration",
    "best_arm",
    "best_linear_projection",
    "best_supported",
    "cross_fitted_boosted_effect",
    "cross_fitted_effect",
    "cumulative_hazard_ratio",
    "e_value_of_hazard_ratio",
    "e_value_of_risk_ratio",
    "effect_out_of_fold",
    "fit_boosted_effect",
    "fit_corrected_effect",
    "fit_individual_curves",
    "fit_linear_effect",
    "grounds",
    "hazard_ratio",
    "judge",
    "negative_control",
    "overlap",
    "permuted_arms",
    "policy_value",
    "predicted_difference",
    "ranking_value",
    "response_effects",
    "score_difference",
    "survival_effects",
    "tabled_hazards",
]
