"""The oracle on disk: Parquet files in a folder of their own, apart from any source that a model reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from prognosis.errors import SourceError
from prognosis.simulate.hazard import HazardParts
from prognosis.simulate.oracle import Oracle, PlantedCause
from prognosis.simulate.standard import CAUSES, Vector
from prognosis.simulate.true_values import PIECES, TrueValues

if TYPE_CHECKING:
    import pyarrow as pa

PATIENTS_FILE = "patients.parquet"
PLANTED_FILE = "planted.parquet"
_HORIZONS = b"horizons_days"
_BASE = b"base_log_hazard"
_PARTS = ("clinical", "text", "imaging", "interaction", "arm", "arm_text", "arm_imaging")
_ARMS = ("standard", "intensified")


def write_oracle(oracle: Oracle, folder: Path) -> None:
    """Write the oracle.

    Args:
        oracle: The truth.
        folder: Made where absent. Give one outside of the folder that the records are exported to: a
            source that holds its own answers measures nothing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, object] = {
        "patient_id": list(oracle.patient_ids),
        "has_text": oracle.has_text,
        "has_imaging": oracle.has_imaging,
        "chance_of_intensified": oracle.chance_of_intensified,
        "arm": [str(arm) for arm in oracle.arm],
        "days": oracle.days,
        "cause": oracle.cause,
    }
    for cause in CAUSES:
        for part in _PARTS:
            columns[f"{cause}.{part}"] = getattr(oracle.parts[cause], part)
        columns[f"{cause}.observed"] = oracle.observed(cause)
        columns[f"{cause}.effect"] = oracle.effect[cause]
        columns[f"{cause}.observed_effect"] = oracle.observed_effect[cause]
        columns.update(_by_horizon(f"{cause}.incidence", oracle.incidence[cause]))
        columns.update(_by_piece(cause, oracle.true_values.values[cause]))
    for arm in _ARMS:
        columns.update(_by_horizon(f"{arm}.incidence", oracle.incidence_by_arm[arm]))
        columns.update(_by_horizon(f"{arm}.survival", oracle.survival_by_arm[arm]))
        columns.update(_by_horizon(f"{arm}.mean_days", oracle.mean_days_by_arm[arm]))
        columns.update(_by_horizon(f"{arm}.kept_days", oracle.kept_days_by_arm[arm]))
    stated = {_HORIZONS: json.dumps(oracle.horizons_days), _BASE: json.dumps(dict(oracle.true_values.base))}
    patients = pa.table(columns).replace_schema_metadata(stated)
    pq.write_table(patients, folder / PATIENTS_FILE)
    pq.write_table(_planted_table(oracle), folder / PLANTED_FILE)


def read_oracle(folder: Path) -> Oracle:
    """Read an oracle that `write_oracle` wrote.

    Raises:
        SourceError: The folder does not hold one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        patients = pq.read_table(folder / PATIENTS_FILE)
        planted = pq.read_table(folder / PLANTED_FILE)
        return _oracle_of(patients, planted)
    except (OSError, KeyError, TypeError, pa.ArrowInvalid) as error:
        raise SourceError(
            str(folder), "does not hold a simulation's oracle", "give the folder that write_oracle wrote"
        ) from error


def _oracle_of(patients: pa.Table, planted: pa.Table) -> Oracle:
    stated = patients.schema.metadata or {}
    horizons = tuple(float(day) for day in json.loads(stated[_HORIZONS]))
    base = {cause: float(value) for cause, value in json.loads(stated[_BASE]).items()}

    def column(name: str) -> Vector:
        return np.asarray(patients.column(name).to_numpy(), dtype=np.float64)

    def by_horizon(name: str) -> Vector:
        return np.stack([column(f"{name}.{place}") for place in range(len(horizons))], axis=1)

    def by_piece(cause: str) -> Vector:
        return np.stack([column(f"{cause}.value.{modality}.{name}") for modality, name in PIECES], axis=1)

    patient_ids = tuple(patients.column("patient_id").to_pylist())
    return Oracle(
        patient_ids=patient_ids,
        parts={
            cause: HazardParts(**{part: column(f"{cause}.{part}") for part in _PARTS}) for cause in CAUSES
        },
        has_text=column("has_text").astype(bool),
        has_imaging=column("has_imaging").astype(bool),
        chance_of_intensified=column("chance_of_intensified"),
        arm=np.array(patients.column("arm").to_pylist()),
        days=column("days"),
        cause=column("cause").astype(np.int64),
        horizons_days=horizons,
        incidence={cause: by_horizon(f"{cause}.incidence") for cause in CAUSES},
        incidence_by_arm={arm: by_horizon(f"{arm}.incidence") for arm in _ARMS},
        survival_by_arm={arm: by_horizon(f"{arm}.survival") for arm in _ARMS},
        mean_days_by_arm={arm: by_horizon(f"{arm}.mean_days") for arm in _ARMS},
        kept_days_by_arm={arm: by_horizon(f"{arm}.kept_days") for arm in _ARMS},
        effect={cause: column(f"{cause}.effect") for cause in CAUSES},
        observed_effect={cause: column(f"{cause}.observed_effect") for cause in CAUSES},
        planted=_planted_of(planted, patient_ids),
        true_values=TrueValues(base, {cause: by_piece(cause) for cause in CAUSES}),
    )


def _by_horizon(name: str, values: Vector) -> dict[str, Vector]:
    return {f"{name}.{place}": values[:, place] for place in range(values.shape[1])}


def _by_piece(cause: str, values: Vector) -> dict[str, Vector]:
    return {
        f"{cause}.value.{modality}.{name}": values[:, column]
        for column, (modality, name) in enumerate(PIECES)
    }


def _planted_table(oracle: Oracle) -> pa.Table:
    import pyarrow as pa

    rows = [
        {
            "patient_id": patient_id,
            "modality": piece.modality,
            "source": piece.source,
            "place": piece.place,
            **{f"{cause}.contribution": piece.contribution[cause] for cause in CAUSES},
        }
        for patient_id, pieces in zip(oracle.patient_ids, oracle.planted, strict=True)
        for piece in pieces
    ]
    texts = [(name, pa.string()) for name in ("patient_id", "modality", "source", "place")]
    numbers = [(f"{cause}.contribution", pa.float64()) for cause in CAUSES]
    return pa.Table.from_pylist(rows, schema=pa.schema([*texts, *numbers]))


def _planted_of(table: pa.Table, patient_ids: tuple[str, ...]) -> tuple[tuple[PlantedCause, ...], ...]:
    pieces: dict[str, list[PlantedCause]] = {patient_id: [] for patient_id in patient_ids}
    for row in table.to_pylist():
        contribution = {cause: row[f"{cause}.contribution"] for cause in CAUSES}
        piece = PlantedCause(row["modality"], row["source"], row["place"], contribution)
        pieces[row["patient_id"]].append(piece)
    return tuple(tuple(pieces[patient_id]) for patient_id in patient_ids)
