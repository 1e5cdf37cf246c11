"""The additive-bilinear model for any subset of modalities: head, training, bundle on disk."""

from prognosis.fusion.bundle import load_model, save_model
from prognosis.fusion.config import ModelConfig
from prognosis.fusion.model import FusionModel, Training
from prognosis.fusion.train import train_model

__all__ = [
    "FusionModel",
    "ModelConfig",
    "Training",
    "load_model",
    "save_model",
    "train_model",
]
