"""What a benchmark keeps while it runs, so that one that was interrupted goes on where it stopped.

Each method's predictions on one data set and repeat are one file, written whole, and so is their judgement. A
file counts only when its fingerprint is that of the run that asks: the cases and their labels, the folds, the
method with its settings and seed, the code that learns or judges, and the versions of the packages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prognosis.cohort import Cohort
from prognosis.evaluation.cross_validation import CrossValidated
from prognosis.evaluation.judged_runs import JudgedRuns
from prognosis.evaluation.kept_judgement import read_judgement, write_judgement

_PACKAGE = Path(__file__).parents[1]
_LEARNS = ("record", "cohort", "survival", "evidence", "fusion", "prediction")  # folders
_PREDICTS = ("features", "cross_validation", "held_out")  # of evaluation
_PEERS = "evaluation/*peer*.py"


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of predictions and of their judgement; without a folder nothing is kept."""

    folder: Path | None

    def read(self, name: str, fingerprint: str) -> CrossValidated | None:
        """The predictions of that name; None when there are none, or of another run."""
        path = self._path(name)
        if path is None or not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as found:
            if str(found["fingerprint"]) != fingerprint:
                return None
            peak = float(found["peak_mib"])
            return CrossValidated(
                found["incidence"],
                found["fold"],
                float(found["fit_seconds"]),
                float(found["predict_seconds"]),
                None if np.isnan(peak) else peak,
            )

    def write(self, name: str, fingerprint: str, run: CrossValidated) -> None:
        """Keep predictions under a name; an earlier file is replaced whole or not at all."""
        path = self._path(name)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez_compressed(
                file,
                fingerprint=fingerprint,
                incidence=run.incidence,
                fold=run.fold,
                fit_seconds=run.fit_seconds,
                predict_seconds=run.predict_seconds,
                peak_mib=np.nan if run.peak_mib is None else run.peak_mib,
            )
        unfinished.replace(path)

    def judged(self, name: str, fingerprint: str, judge: Callable[[], JudgedRuns]) -> JudgedRuns:
        """The judgement of that name: as it was kept, else made now and kept."""
        if self.folder is None:
            return judge()
        path = self.folder / f"{name}.npz"
        found = read_judgement(path, fingerprint)
        if found is None:
            found = judge()
            write_judgement(path, fingerprint, found)
        return found

    def _path(self, name: str) -> Path | None:
        return self.folder / f"{name}.npz" if self.folder is not None else None


def fingerprint_of_cases(cohort: Cohort) -> str:
    """A digest of everything that is known about every case, and of the question."""
    return digest([cohort.task.model_dump_json(), *(repr(case) for case in cohort.cases)])


def fingerprint_of_code(files: Iterable[Path], versions: Mapping[str, str]) -> str:
    """A digest of the code that learns, of peers' files, and of the packages' versions."""
    own = [path for folder in _LEARNS for path in sorted((_PACKAGE / folder).rglob("*.py"))]
    own = [path for path in own if path.parent.name != "lint"]  # it judges cohorts and learns nothing
    paths = [*own, *sorted(_PACKAGE.glob(_PEERS)), *files]
    paths += [_PACKAGE / "compiled.py", *(_PACKAGE / f"evaluation/{name}.py" for name in _PREDICTS)]
    return digest([*(path.read_text(encoding="utf-8") for path in paths), repr(sorted(versions.items()))])


def fingerprint_of_judging() -> str:
    """A digest of the code that judges."""
    paths = sorted([*(_PACKAGE / "evaluation").glob("*.py"), *(_PACKAGE / "survival").glob("*.py")])
    return digest([path.read_text(encoding="utf-8") for path in paths])


def digest(parts: Iterable[str]) -> str:
    """A digest of texts in their order."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode())
        found.update(b"\0")
    return found.hexdigest()
