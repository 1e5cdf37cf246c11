"""The challenger: a transformer that joins the same tokens freely, to tell what exactness costs."""

from prognosis.fusion.challenger.config import ChallengerConfig
from prognosis.fusion.challenger.model import Challenger
from prognosis.fusion.challenger.tokens import TokenTable, out_of_fold_tokens, tokens_of
from prognosis.fusion.challenger.training import train_challenger

__all__ = [
    "Challenger",
    "ChallengerConfig",
    "TokenTable",
    "out_of_fold_tokens",
    "tokens_of",
    "train_challenger",
]
