"""Clinical evidence: coded events, summarised as of the index, read by a linear model and by trees."""

from prognosis.evidence.clinical.boosting import TreeSettings
from prognosis.evidence.clinical.concepts import CodeRoles
from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.clinical.fit import clinical_fitting, fit_clinical
from prognosis.evidence.clinical.model import ClinicalEvidence
from prognosis.evidence.clinical.storage import load_clinical

__all__ = [
    "ClinicalConfig",
    "ClinicalEvidence",
    "CodeRoles",
    "TreeSettings",
    "clinical_fitting",
    "fit_clinical",
    "load_clinical",
]
