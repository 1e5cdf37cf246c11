"""Self-supervised pretraining: an encoder from studies without outcomes."""

from prognosis.evidence.imaging.pretraining.config import PretrainingConfig
from prognosis.evidence.imaging.pretraining.training import Pretrained, pretrain_encoder, unlabelled_images

__all__ = ["Pretrained", "PretrainingConfig", "pretrain_encoder", "unlabelled_images"]
