"""Encoders trained elsewhere, from a local file or folder, as one thing: images to a map of features."""

from prognosis.evidence.imaging.pretrained.encoder import PretrainedEncoder
from prognosis.evidence.imaging.pretrained.loading import load_encoder

__all__ = ["PretrainedEncoder", "load_encoder"]
