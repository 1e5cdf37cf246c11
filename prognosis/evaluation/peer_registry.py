"""Every peer by the name that a benchmark file uses, and peers from files outside this package.

A peer under a licence that this package may not take on (scikit-survival's is the GPL) stands in a file of
its own, which a benchmark names under `peer_files`. Such a file holds

    PEERS   a mapping from a name to a function (covariates, days, event, folds, seed) -> CauseModel

and raises MissingDependencyError where what it needs is not installed.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from prognosis.cohort import Cohort
from prognosis.errors import ConfigError, PrognosisError
from prognosis.evaluation.entrant import Fit, Predictor
from prognosis.evaluation.peers import CauseModel, fit_by_cause, fit_cause_cox, fit_kaplan_meier
from prognosis.evaluation.peers_boosted import fit_boosted_aft, fit_boosted_cox
from prognosis.evaluation.peers_fine_gray import fit_fine_gray_peer
from prognosis.evaluation.peers_hazardous import fit_hazardous
from prognosis.evaluation.peers_lifelines import fit_lifelines_cox
from prognosis.survival.curves import Floats

_DEMOGRAPHICS = frozenset({"age", "sex", "gender"})
_COLUMN_KINDS = ("num_", "fac_")  # SurvSet's names say first whether a column is a number or a factor


@dataclass(frozen=True, slots=True)
class FilePeer:
    """A method of a file outside this package; the file is read when it is called.

    Attributes:
        path: The Python file.
        name: Its name in the file's PEERS.
        seed: Of inner folds and of the method.
    """

    path: Path
    name: str
    seed: int

    def __call__(self, cohort: Cohort) -> Predictor:
        """Fit one model a cause."""
        return fit_by_cause(cohort, self._fit_cause, self.seed)

    def _fit_cause(
        self, covariates: Floats, days: Floats, event: NDArray[np.bool_], folds: NDArray[np.int64]
    ) -> CauseModel:
        fit: Callable[..., CauseModel] = _loaded(self.path).PEERS[self.name]
        return fit(covariates, days, event, folds, seed=self.seed)


def peer_fits(seed: int, files: Sequence[Path] = ()) -> Mapping[str, Fit]:
    """Every peer by name.

    Args:
        seed: Of inner folds and of the methods' sampling.
        files: Python files with further peers.

    Raises:
        ConfigError: A file is absent, does not run or has no PEERS.
    """
    boosted_cox = partial(fit_boosted_cox, seed=seed)
    boosted_aft = partial(fit_boosted_aft, seed=seed)
    found: dict[str, Fit] = {
        "kaplan_meier": fit_kaplan_meier,
        "age_sex_cox": partial(fit_by_cause, fit_cause=fit_cause_cox, seed=seed, wanted=is_age_or_sex),
        "cox_ridge": partial(fit_by_cause, fit_cause=fit_cause_cox, seed=seed),
        "lifelines_cox": partial(fit_by_cause, fit_cause=fit_lifelines_cox, seed=seed),
        "xgboost_cox": partial(fit_by_cause, fit_cause=boosted_cox, seed=seed),
        "xgboost_aft": partial(fit_by_cause, fit_cause=boosted_aft, seed=seed),
        "hazardous": partial(fit_hazardous, seed=seed),
        "fine_gray": fit_fine_gray_peer,
    }
    for path in files:
        found |= {name: FilePeer(path, name, seed) for name in _loaded(path).PEERS}
    return found


def is_age_or_sex(name: str) -> bool:
    """True for the age at the index and the sex, whatever a table calls its column."""
    plain = name.rpartition("|")[2].lower()
    for kind in _COLUMN_KINDS:
        plain = plain.removeprefix(kind)
    return plain in _DEMOGRAPHICS


def _loaded(path: Path) -> ModuleType:
    name = f"prognosis_peers_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None or not path.is_file():
        raise ConfigError(str(path), "is not a Python file", "name one with PEERS, relative to the benchmark")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        specification.loader.exec_module(module)
    except PrognosisError:
        raise
    except Exception as error:  # whatever a file of somebody else's may raise
        raise ConfigError(str(path), f"does not run: {error!r}", "mend it: python " + str(path)) from error
    if not isinstance(getattr(module, "PEERS", None), Mapping):
        raise ConfigError(str(path), "has no PEERS", "see benchmarks/peers_sksurv.py")
    return module
