"""The tokens behind a simulated run's evidence, kept beside it: what the transformers of the price read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from prognosis.cohort import Cohort
from prognosis.fusion.challenger import TokenTable, out_of_fold_tokens, tokens_of
from prognosis.fusion.cross_fitting import CrossFitted

Tables = tuple[TokenTable, TokenTable]
"""Of the training patients, out of fold, and of the judged ones."""

_ARRAYS = ("modality", "evidence", "vector", "age_days")
_SIDES = ("training", "judged")


def tokens_file(inputs: Path) -> Path:
    """Where tokens are kept, beside the file that keeps their sums."""
    return inputs.with_name(f"tokens-{inputs.name}")


def tables_of(evidence: CrossFitted, cohort: Cohort, judged: Cohort) -> Tables:
    """The tokens of both cohorts."""
    models = {name: fitted.model for name, fitted in evidence.fitted.items()}
    return out_of_fold_tokens(evidence, cohort.cases), tokens_of(models, judged.cases)


def write_tables(place: Path, tables: Tables) -> None:
    """Keep them."""
    arrays = {
        f"{side}.{name}": getattr(table, name)
        for side, table in zip(_SIDES, tables, strict=True)
        for name in _ARRAYS
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(".part.npz")
    np.savez_compressed(unfinished, modalities=np.array(tables[0].modalities), **arrays)
    unfinished.replace(place)


def read_tables(place: Path) -> Tables:
    """What was kept."""
    with np.load(place) as kept:
        names = tuple(str(name) for name in kept["modalities"])
        first, second = (TokenTable(names, *(kept[f"{side}.{name}"] for name in _ARRAYS)) for side in _SIDES)
    return first, second
