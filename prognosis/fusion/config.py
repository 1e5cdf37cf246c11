"""Model configuration: one YAML file, every field with its default and its meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from prognosis.cohort.statement import read_yaml, refusal
from prognosis.errors import ConfigError
from prognosis.evidence import MODALITIES
from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.segmentation.config import SegmentationConfig
from prognosis.evidence.text.config import TextConfig

EXAMPLES = "see configs/models for complete examples"


class FusionConfig(BaseModel):
    """How the modalities are joined.

    Attributes:
        bins: Event-quantile time bins of the hazard.
        rank: Directions in which modalities may interact; 0 for none.
        beside_others: Fit every modality's evidence once more beside what the others say, and keep that
            unless patients left out clearly lose by it.
        dropout_weight: Weight of the cases' masked copies beside the observed ones.
        bootstrap: Replicates over patients for intervals.
        level: Level of intervals.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    bins: int = Field(default=15, ge=1, le=60)
    rank: int = Field(default=4, ge=0, le=16)
    beside_others: bool = True
    dropout_weight: float = Field(default=0.3, ge=0.0)
    bootstrap: int = Field(default=100, ge=2)
    level: float = Field(default=0.9, gt=0.0, lt=1.0)


class TrainingConfig(BaseModel):
    """How the evidence is learned; docs/training.md says when to use which way.

    Attributes:
        way: "read_outs" fits each modality by itself, in closed form over its encoder; "end_to_end" goes on
            from there and trains all of it, encoders too, through the joint likelihood. All that follows is
            of the latter.
        epochs: Most passes over the training cases.
        patience: Epochs without a better likelihood of patients left out after which training stops.
        batch: Cases read at once: what must fit into the memory.
        accumulate: Batches whose gradients are added up to one step.
        learning_rate: Largest step of AdamW; it rises over the first tenth and falls along a cosine.
        encoder_rate: A network's own share of `learning_rate`; of a pretrained trunk, times
            `imaging.trunk_rate`.
        weight_decay: AdamW's decoupled decay: of a read-out towards where it started, of a network to zero.
        modality_dropout: Share of the cases of a step that lose modalities: any subset may be left, none too.
        own_loss: Weight of each modality's own likelihood beside the joint one.
        ranking: Weight of a ranking term on pairs of one batch; 0 for none.
        checkpoint_steps: Steps between two checkpoints.
        device: "auto" for CUDA where there is one.
        precision: "auto" for bfloat16 on CUDA; "float32".
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    way: Literal["read_outs", "end_to_end"] = "read_outs"
    epochs: int = Field(default=30, ge=1)
    patience: int = Field(default=5, ge=1)
    batch: int = Field(default=32, ge=2)
    accumulate: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    encoder_rate: float = Field(default=1.0, ge=0.0)
    weight_decay: float = Field(default=0.05, ge=0.0)
    modality_dropout: float = Field(default=0.5, ge=0.0, le=1.0)
    own_loss: float = Field(default=0.3, ge=0.0)
    ranking: float = Field(default=0.0, ge=0.0)
    checkpoint_steps: int = Field(default=50, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32"] = "auto"


class ModelConfig(BaseModel):
    """A model: which modalities, how each becomes evidence, how they are joined.

    Attributes:
        modalities: Those to use; one that no training case has is left out with a notice.
        folds: Cross-fitting folds (patients). By default 3, but 10 where clinical facts are the only modality
            and 20 to 199 patients have an event: each fold's model then lacks fewer of them, and is quickly
            fitted.
        seed: Of every random choice.
        segmentation: How structures are outlined, for a task whose outcome is a mask; it reads nothing else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    modalities: tuple[str, ...] = MODALITIES
    folds: int | None = Field(default=None, ge=2, le=20)
    seed: int = Field(default=0, ge=0)
    clinical: ClinicalConfig = ClinicalConfig()
    text: TextConfig = TextConfig()
    imaging: ImagingConfig = ImagingConfig()
    segmentation: SegmentationConfig = SegmentationConfig()
    fusion: FusionConfig = FusionConfig()
    training: TrainingConfig = TrainingConfig()

    @field_validator("modalities")
    @classmethod
    def _modalities_are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or len(set(names)) < len(names) or set(names) - set(MODALITIES):
            message = f"{list(names)} must name some of {', '.join(MODALITIES)}, each once"
            raise ValueError(message)
        return names

    @classmethod
    def load(cls, path: str | Path) -> ModelConfig:
        """Read a configuration from YAML; an empty file gives the defaults.

        Raises:
            ConfigError: The file cannot be read, or a field is unknown or out of range; every one is named.
        """
        stated = read_yaml(Path(path), ConfigError, "a model configuration")
        return cls.from_statement(stated or {}, str(path))

    @classmethod
    def from_statement(cls, stated: object, reference: str) -> ModelConfig:
        """Check a parsed configuration.

        Raises:
            ConfigError: A field is unknown or out of range; every one is named.
        """
        try:
            return cls.model_validate(stated)
        except ValidationError as error:
            raise refusal(cls, error, reference, ConfigError, EXAMPLES) from error
