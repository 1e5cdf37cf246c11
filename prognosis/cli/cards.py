"""The model card of a bundle, from the cohort it was trained on and how it was judged."""

from __future__ import annotations

from typing import Literal

from prognosis.cli.arms_card import arms_in_words
from prognosis.cli.cohort_report import cohort_table, measures, subgroup_tables
from prognosis.cohort import Cohort, Task
from prognosis.evaluation.results import EvaluationResult
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.fusion import FusionModel
from prognosis.fusion.arms import ArmModel, ArmsRefused
from prognosis.outputs.model_card import ModelCard, NotDone
from prognosis.record import Quarantine
from prognosis.simulate.chart import SIMULATE

NOT_INTENDED = (
    "Decisions about care: it has not been validated for any.",
    "Patients unlike those it was trained on; it abstains where it can tell.",
)
LIMITS = (
    "A patient's interval holds the sampling of patients and what missing modalities might have said; it "
    "does not hold the uncertainty of the evidence models themselves.",
    "Contributions explain the model, not the disease: a driver is not a cause.",
)
LIMITS_OF_VALUES = (
    "It answers for patients who are alive and measured at the horizon: cases without a value were left out.",
    "Intervals hold over all patients; they are as wide for everybody of whom the same modalities are known.",
    LIMITS[1],
)
HAZARD = "a discrete-time hazard with competing causes", "log-hazard"
CLASSES = "a softmax over the classes", "log-odds"
VALUE = "a normal regression", "measurement's own"
FINDINGS = "a logistic regression of each finding, which may be present together,", "log-odds"

SEGMENTATION_LIMITS = (
    "An outline is the network's most probable one; nothing says how sure it is of a border.",
    "It agrees with the people who marked the training images, with their habits and their errors.",
    "An image unlike those it learnt from is outlined all the same: look at the outline before using it.",
)


def evidence_of(task: Task) -> Literal["simulation", "real"]:
    """Whether a task asks about simulated patients, whose outcome is coded by the simulator."""
    simulated = any(code.startswith(f"{SIMULATE}|") for code in task.excluded_codes)
    return "simulation" if simulated else "real"


def limits_of(task: Task) -> tuple[str, ...]:
    """What a reader of a model's answers could wrongly conclude."""
    return LIMITS if task.measurement is None else LIMITS_OF_VALUES


def leading_metric(task: Task) -> str:
    """The metric by which models of a task are compared first."""
    if task.measurement is not None:
        return "mae"
    return "harrell_c" if task.is_survival else "auroc"


def bundle_card(
    model: FusionModel,
    training: Cohort,
    quarantine: Quarantine,
    evidence: Literal["simulation", "real"],
    judged: EvaluationResult | None,
    judged_on: str,
    command: str,
) -> ModelCard:
    """The card of a model just trained.

    Args:
        model: The model.
        training: The cohort that trained it.
        quarantine: What could not be read.
        evidence: Whether the patients are simulated or real.
        judged: How it did on patients that did not train it, None when that was not done.
        judged_on: Who those were, in words.
        command: What makes the model again.
    """
    left_out = tuple(NotDone(f"learning from {name}", why) for name, why in model.training.left_out.items())
    if isinstance(model.arms, ArmsRefused):
        left_out = (*left_out, NotDone("comparing the arms", model.arms.because))
    metric = leading_metric(model.task)
    return ModelCard(
        name=model.task.name,
        question=model.task.question,
        evidence=evidence,
        intended_use=model.task.intended_use,
        not_intended=NOT_INTENDED,
        causes=model.task.causes,
        modalities=model.modalities,
        method=_method(model.task),
        cohort=cohort_table(training, quarantine),
        judged_on=judged_on if judged else "",
        measures=measures(judged) if judged else (),
        subgroups=subgroup_tables(judged, metric) if judged else (),
        arms=arms_in_words(model.task, model.arms) if isinstance(model.arms, ArmModel) else (),
        limits=limits_of(model.task),
        not_done=left_out,
        command=command,
    )


def _method(task: Task) -> tuple[str, ...]:
    """How a model of this task works, a paragraph each."""
    head, scale = HAZARD if task.is_survival else FINDINGS if task.questions > 1 else CLASSES
    if task.measurement is not None:
        head, scale = VALUE
    return (
        "Each modality is turned into evidence tokens by models fitted across folds of patients; "
        f"{head} adds the tokens up, with interactions between modalities only where patients left out "
        "gained by them.",
        f"Explanations are Shapley values in closed form, exact on the {scale} scale.",
    )


def segmentation_card(
    model: SegmentationModel, training: Cohort, quarantine: Quarantine, command: str
) -> ModelCard:
    """The card of a segmentation model just trained, which has not been judged yet.

    Args:
        model: The model.
        training: The cohort that trained it.
        quarantine: What could not be read.
        command: What makes the model again.
    """
    reads = "films" if model.dimensions == 2 else "volumes"
    method = (
        f"A {model.config.network} network in {model.dimensions} dimensions, trained on {model.images} "
        f"marked images with cross-entropy and soft Dice loss, outlines each structure on {reads}.",
    )
    return ModelCard(
        name=model.task.name,
        question=model.task.question,
        evidence=evidence_of(model.task),
        intended_use=model.task.intended_use,
        not_intended=NOT_INTENDED[:1],
        causes=tuple(f"the outline of the {name}" for name in model.structures),
        modalities=(reads,),
        method=method,
        cohort=cohort_table(training, quarantine),
        limits=SEGMENTATION_LIMITS,
        command=command,
    )
