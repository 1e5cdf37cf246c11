"""Training all modalities together, encoders too, through the additive-bilinear hazard: docs/training.md."""

from prognosis.fusion.end_to_end.fit import fit_end_to_end

__all__ = ["fit_end_to_end"]
