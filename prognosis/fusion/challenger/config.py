"""Settings of the challenger."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChallengerConfig:
    """How the transformer is built and trained.

    Attributes:
        layers: Of self-attention; 0 leaves additive fusion.
        width: Numbers a token is embedded in.
        heads: Of attention; they divide `width`.
        dropout: Share of activations dropped while training.
        modality_dropout: Share of the cases of a step that show a subset of their modalities, every smaller
            subset alike, the empty one too.
        epochs: Most passes over the training cases.
        patience: Passes without a better loss on the patients left out, after which training stops.
        batch: Cases a step.
        steps: Most steps a pass: of more cases than they hold, a pass shows a random part.
        learning_rate: Of AdamW for the attention and the embedding; the few additive parameters take ten
            times as much.
        weight_decay: Of AdamW for the attention and the embedding.
        seed: Of every random choice.
    """

    layers: int = 2
    width: int = 32
    heads: int = 4
    dropout: float = 0.1
    modality_dropout: float = 0.3
    epochs: int = 60
    patience: int = 8
    batch: int = 64
    steps: int = 100
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    seed: int = 0
