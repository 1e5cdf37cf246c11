"""The benchmark file: which cohorts, which peers, how many folds."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prognosis.errors import ConfigError
from prognosis.evaluation.peer_registry import peer_fits

AVERAGE = "plain_average"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dataset(_Strict):
    """One cohort.

    Attributes:
        task: A task file, relative to the benchmark's file.
        source: The URI of its source.
        repeats: Cross-validations of this cohort; the benchmark's number by default. Small cohorts need more.
        without: Peers that are not run on this cohort, because it would take too long.
    """

    task: Path
    source: str
    repeats: int | None = Field(default=None, ge=1)
    without: tuple[str, ...] = ()


class Benchmark(_Strict):
    """What a benchmark file states.

    Attributes:
        name: For titles.
        data: The cohorts.
        peers: Names of peers; see `peer_registry`.
        peer_files: Python files with further peers, relative to the benchmark's file.
        plain_average: Peers whose predictions are averaged into one more method; none for no such method.
        folds: Folds of each cross-validation.
        repeats: Cross-validations, each with folds of its own; metrics are averaged over them.
        seed: Of folds, methods and bootstrap.
        replicates: Bootstrap samples of patients.
        minutes: A method that takes longer on one cohort and repeat is stopped.
    """

    name: str
    data: tuple[Dataset, ...] = Field(min_length=1)
    peers: tuple[str, ...] = ()
    peer_files: tuple[Path, ...] = ()
    plain_average: tuple[str, ...] = ()
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0)
    replicates: int = Field(default=1000, ge=100)
    minutes: float = Field(default=60.0, gt=0)

    @classmethod
    def load(cls, path: str | Path) -> Benchmark:
        """Read a benchmark from YAML; paths come back relative to where the file lies.

        Raises:
            ConfigError: The file is absent, is not YAML, does not state a benchmark, or names a peer that
                does not exist.
        """
        path = Path(path)
        try:
            stated = cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(str(path), "cannot be read", "give the path of a benchmark file") from error
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(str(path), "is not YAML", "mend the YAML") from error
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(str(part) for part in fault['loc']) or 'benchmark'}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_input=False)
            )
            raise ConfigError(str(path), faults, "see configs/benchmarks for complete examples") from error
        found = stated.model_copy(
            update={
                "data": tuple(
                    each.model_copy(update={"task": path.parent / each.task}) for each in stated.data
                ),
                "peer_files": tuple(path.parent / each for each in stated.peer_files),
            }
        )
        found.check(str(path))
        return found

    def for_data(self, data: Dataset) -> Benchmark:
        """The benchmark with this cohort's own number of repeats, less the peers that it goes without."""
        own = {"repeats": data.repeats or self.repeats}
        return self.model_copy(
            update={**own, "peers": tuple(name for name in self.peers if name not in data.without)}
        )

    def check(self, reference: str) -> None:
        """Refuse names that mean nothing.

        Raises:
            ConfigError: A peer does not exist, or the average is of a method that does not run.
        """
        known = peer_fits(self.seed, self.peer_files)
        for name in self.peers:
            if name not in known:
                raise ConfigError(
                    reference, f"peers: there is no {name!r}", f"use of {', '.join(sorted(known))}"
                )
        for name in (name for each in self.data for name in each.without):
            if name not in self.peers:
                raise ConfigError(reference, f"without: {name!r} is not a peer", "leave it out")
        for name in self.plain_average:
            if name not in self.peers:
                raise ConfigError(
                    reference, f"plain_average: {name!r} is not a peer", "name it under peers too"
                )
