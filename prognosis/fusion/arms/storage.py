"""The comparison of arms in a model folder: JSON, safetensors, and evidence models as the event's are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort.task import Task
from prognosis.errors import BundleError
from prognosis.evidence import EvidenceModel
from prognosis.evidence.model_folder import write_json
from prognosis.fusion.arms.columns import Presence
from prognosis.fusion.arms.model import ArmModel, ArmsRefused, CohortBasis, Models, PairBasis
from prognosis.treatment import ArmValues, Estimate, Grounds, PropensityModel
from prognosis.treatment.joint_effect import JointEffect
from prognosis.treatment.response_level import ResponseLevel
from prognosis.treatment.tabled_curves import TabledCurves

Floats = NDArray[np.float64]
Load = Callable[[str, str], EvidenceModel]
"""From a modality and the path of a part of the model folder to its evidence model."""

PART = "arms"
STATED, ARRAYS = "arms.json", "arms.safetensors"
_WORTH = ("means", "scales", "risk", "coefficients", "covariance", "penalties")
_REMEDY = "train the model anew"


def save_arms(arms: ArmModel | ArmsRefused, folder: Path) -> None:
    """Write `arms/` below a model folder; docs/bundle.md lists what it holds."""
    from safetensors.numpy import save_file

    own = folder / PART
    own.mkdir()
    if isinstance(arms, ArmsRefused):
        write_json(own / STATED, {"refused": arms.because})
        return
    write_json(own / STATED, _stated(arms))
    arrays = {name: np.ascontiguousarray(array, dtype=np.float64) for name, array in _arrays(arms).items()}
    save_file(arrays, own / ARRAYS)
    for part, models in _parts(arms).items():
        for name, model in models.items():
            (folder / part / name).mkdir(parents=True)
            model.save(folder / part / name)


def load_arms(folder: Path, task: Task, load: Load) -> ArmModel | ArmsRefused | None:
    """What `save_arms` wrote; None where the task compares no arms, or the model is older than that.

    Args:
        folder: A model's, checked against its manifest.
        task: The model's.
        load: Reads an evidence model of a part of the folder.

    Raises:
        BundleError: A number is missing, not finite or of another shape, or the task states no treatment.
    """
    path = folder / PART / STATED
    if not path.exists():
        return None
    stated = json.loads(path.read_text(encoding="utf-8"))
    if "refused" in stated:
        return ArmsRefused(str(stated["refused"]))
    if task.treatment is None or list(task.treatment.names) != stated["arms"]:
        raise BundleError(str(path), "names other arms than the task", _REMEDY)
    from safetensors.numpy import load_file

    arrays: dict[str, Floats] = load_file(folder / PART / ARRAYS)
    _check(str(folder / PART / ARRAYS), arrays, len(stated["arms"]))
    names = task.treatment.names
    return ArmModel(
        event=stated["event"],
        treatment=task.treatment,
        horizon_days=stated["horizon_days"],
        unanswered={float(days): why for days, why in stated["unanswered"]},
        presence=Presence(arrays["presence"].astype(bool)),
        assigned=_models(stated["assigned"], f"{PART}/assignment", load),
        effect=tuple(
            _models(own, f"{PART}/effect/{place + 1}", load) for place, own in enumerate(stated["effect"])
        ),
        chance=PropensityModel(
            arrays["chance.means"],
            arrays["chance.scales"],
            arrays["chance.coefficients"],
            arrays["chance.intercepts"],
            float(stated["chance_penalty"]),
        ),
        worth=JointEffect(
            names,
            arrays["worth.means"],
            arrays["worth.scales"],
            arrays["worth.risk"],
            arrays["worth.coefficients"],
            arrays["worth.covariance"],
            arrays["worth.penalties"],
            stated["highest"],
            float(stated["level"]),
        ),
        level=_level(arrays, float(stated["level"])),
        basis=_basis(stated, arrays, names),
    )


def _level(arrays: Mapping[str, Floats], level: float) -> TabledCurves | ResponseLevel:
    if "curves.grid" not in arrays:
        return ResponseLevel(arrays["level.intercepts"], arrays["level.slopes"])
    return TabledCurves(arrays["curves.grid"], arrays["curves.baseline"], arrays["curves.slopes"], level)


def _models(names: list[str], part: str, load: Load) -> Models:
    return {name: load(name, f"{part}/{name}") for name in names}


def _parts(arms: ArmModel) -> Mapping[str, Models]:
    effect = {f"{PART}/effect/{place + 1}": own for place, own in enumerate(arms.effect)}
    return {f"{PART}/assignment": arms.assigned, **effect}


def _stated(arms: ArmModel) -> dict[str, Any]:
    basis = asdict(arms.basis)
    for name in ("average", "grounds"):
        del basis[name]
    return {
        "arms": list(arms.arms),
        "event": arms.event,
        "horizon_days": arms.horizon_days,
        "unanswered": [[days, why] for days, why in arms.unanswered.items()],
        "assigned": list(arms.assigned),
        "effect": [list(own) for own in arms.effect],
        "chance_penalty": arms.chance.penalty,
        "highest": arms.worth.highest,
        "level": arms.worth.level,
        "basis": {**basis, "modelled": arms.basis.grounds.modelled},
    }


def _arrays(arms: ArmModel) -> dict[str, Floats]:
    found: dict[str, Floats] = {
        "presence": arms.presence.varies.astype(np.float64),
        "basis.effective": arms.basis.grounds.effective,
        "basis.events": arms.basis.grounds.events.astype(np.float64),
        "basis.values": arms.basis.average.values,
        "basis.covariance": arms.basis.average.covariance,
    }
    for name in ("means", "scales", "coefficients", "intercepts"):
        found[f"chance.{name}"] = getattr(arms.chance, name)
    for name in _WORTH:
        found[f"worth.{name}"] = getattr(arms.worth, name)
    if isinstance(arms.level, ResponseLevel):
        return {**found, "level.intercepts": arms.level.intercepts, "level.slopes": arms.level.slopes}
    for name in ("grid", "baseline", "slopes"):
        found[f"curves.{name}"] = getattr(arms.level, name)
    return found


def _basis(whole: dict[str, Any], arrays: Mapping[str, Floats], names: tuple[str, ...]) -> CohortBasis:
    stated, highest, level = whole["basis"], whole["highest"], float(whole["level"])
    pairs = tuple(
        PairBasis(
            pair["arm"],
            pair["reference"],
            Estimate(**pair["difference"]),
            None if pair["ratio"] is None else Estimate(**pair["ratio"]),
            None if pair["e_value"] is None else (pair["e_value"][0], pair["e_value"][1]),
        )
        for pair in stated["pairs"]
    )
    events = arrays["basis.events"].astype(np.int64)
    modelled = bool(stated["modelled"])
    plain = ("cases", "patients", "left_out", "outside", "held_down", "best_constant", "lacking")
    return CohortBasis(
        **{name: stated[name] for name in plain},
        counts=tuple(stated["counts"]),
        grounds=Grounds(names, arrays["basis.effective"], events, modelled),
        average=ArmValues(names, arrays["basis.values"], arrays["basis.covariance"], highest, level),
        least_chance=tuple(stated["least_chance"]),
        imbalance=(stated["imbalance"][0], stated["imbalance"][1]),
        pairs=pairs,
        policy_gain=Estimate(**stated["policy_gain"]),
    )


def _check(reference: str, arrays: Mapping[str, Floats], arms: int) -> None:
    """Every array is there, finite, and fits the arms and the columns."""
    if missing := _names(arrays) - set(arrays):
        raise BundleError(reference, f"{min(missing)} is missing", _REMEDY)
    width, chosen = len(arrays["worth.means"]), len(arrays["chance.means"])
    shapes: dict[str, tuple[int, ...]] = {
        "worth.scales": (width,),
        "worth.risk": (width,),
        "worth.coefficients": (arms, width + 2),
        "worth.covariance": (arms * (width + 2),) * 2,
        "worth.penalties": (arms,),
        "chance.scales": (chosen,),
        "chance.coefficients": (arms, chosen),
        "chance.intercepts": (arms,),
        "basis.effective": (arms,),
        "basis.events": (arms,),
        "basis.values": (arms,),
        "basis.covariance": (arms, arms),
    }
    if "curves.grid" in arrays:
        drawn, kinds = arrays["curves.baseline"].shape[:2]
        shapes["curves.baseline"] = (drawn, kinds, arms, len(arrays["curves.grid"]))
        shapes["curves.slopes"] = (drawn, kinds, arms, width)
    else:
        shapes |= {"level.intercepts": (arms,), "level.slopes": (width,)}
    for name, array in arrays.items():
        if array.shape != shapes.get(name, array.shape):
            raise BundleError(reference, f"{name} does not fit the arms: {array.shape}", _REMEDY)
        if not np.isfinite(array).all():
            raise BundleError(reference, f"{name} is not finite", _REMEDY)


def _names(arrays: Mapping[str, Floats]) -> set[str]:
    always = {"presence", *(f"basis.{name}" for name in ("effective", "events", "values", "covariance"))}
    always |= {f"chance.{name}" for name in ("means", "scales", "coefficients", "intercepts")}
    always |= {f"worth.{name}" for name in _WORTH}
    if any(name.startswith("curves.") for name in arrays):
        return always | {"curves.grid", "curves.baseline", "curves.slopes"}
    return always | {"level.intercepts", "level.slopes"}
