"""Each modality turned into additive evidence tokens."""

from prognosis.evidence.token import (
    MODALITIES,
    EvidenceModel,
    FittedEvidence,
    Fitting,
    ModalityEvidence,
    Token,
)

__all__ = ["MODALITIES", "EvidenceModel", "FittedEvidence", "Fitting", "ModalityEvidence", "Token"]
