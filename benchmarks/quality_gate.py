"""What the quality gate for films finds, and how often it is wrong about good ones, on real films.

    python -m benchmarks.quality_gate DATA [--volumes DIR] [--out results/quality_gate.json]

DATA holds hannover-cxr, covid-cxr and pneumoniamnist. The gate learns from the frontal films of one half of
the patients of both sites and judges those of the other half, and the other way round: each film is judged
once, by a gate that never saw its patient. A rate is followed by its 95% interval over resampled patients
(over images where they have no patient). "right" is the share of the refusals whose reason names the fault;
of wrong images, those that say "unlike", "too small" or "blank", which they are.
The AUROC is that of the gate's alarm against all untouched held-out films. A last part asks each site's gate
about the other site.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.altered_films import ALTERATIONS, dicom_examples, photographs, volume_slices
from connectors.datasets import CovidCxr, HannoverCxr
from prognosis.evidence.imaging import ImagingConfig
from prognosis.evidence.imaging.config import LATERAL_VIEWS
from prognosis.evidence.imaging.films import Film, read_image
from prognosis.evidence.imaging.gate import UNLIKE, FilmGate, Verdict
from prognosis.evidence.imaging.gate_fitting import learn_gate
from prognosis.evidence.imaging.quality import unreadable
from prognosis.evidence.imaging.reduced import reduced_film
from prognosis.record import Quarantine, Series
from prognosis.simulate.film import SCANNERS, render_film

CONFIG = ImagingConfig()
REPLICATES = 500
FOLDS = 5
WRONG_KIND = (UNLIKE, "too small", "blank")
SILENT = Series("", "", "", "")  # a header that says nothing: the pixels must tell


@dataclass(frozen=True, slots=True)
class Held:
    """One real film and the patient it is of."""

    site: str
    patient: str
    pixels: NDArray[np.float32]
    film: Film


@dataclass(frozen=True, slots=True)
class Row:
    """What the gate said of one kind of image; rates with their interval."""

    title: str
    n: int
    refused: tuple[float, float, float]
    told: tuple[float, float, float]
    right: float | None
    auroc: float | None


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--volumes", type=Path, help="folder of pyradiomics' *_image.nrrd")
    parser.add_argument("--out", type=Path, help="JSON with every number")
    asked = parser.parse_args()
    frontal, lateral = real_films(asked.data)
    halves = split_patients(frontal)
    gates = [
        learned([film for film, half in zip(frontal, halves, strict=True) if half == own]) for own in (0, 1)
    ]
    others = list(zip(frontal, [gates[1 - half] for half in halves], strict=True))
    good = [judged(gate, each.pixels) for each, gate in others]
    alarms = np.array([verdict.alarm for verdict in good])
    patients = np.array([each.patient for each in frontal])
    rows = []
    for site in ("hannover-cxr", "covid-cxr"):
        own = np.array([each.site == site for each in frontal])
        chosen = [verdict for verdict, mine in zip(good, own, strict=True) if mine]
        rows.append(row(f"untouched, {site}", chosen, patients[own]))
    random = np.random.default_rng(0)
    for fault in ALTERATIONS:
        verdicts = [judged(gate, fault.alter(each.pixels, random)) for each, gate in others]
        rows.append(row(fault.title, verdicts, patients, alarms, fault.words))
    for title, images in wrong_images(asked.data, lateral, asked.volumes).items():
        both = [judged(gate, pixels) for pixels in images for gate in gates]
        rows.append(row(title, both, np.repeat(np.arange(len(images)), 2), alarms, WRONG_KIND))
    for site in ("hannover-cxr", "covid-cxr"):
        gate = learned([each for each in frontal if each.site == site])
        elsewhere = [each for each in frontal if each.site != site]
        verdicts = [judged(gate, each.pixels) for each in elsewhere]
        rows.append(
            row(f"untouched, learned at {site} alone", verdicts, [each.patient for each in elsewhere])
        )
    milliseconds = seconds_a_film(gates[0], frontal[:64]) * 1e3
    for line in (*table(rows), f"\n{milliseconds:.1f} ms of processor time a film"):
        print(line)
    if asked.out is not None:
        stated = {
            "command": shlex.join(["python", "-m", "benchmarks.quality_gate", *sys.argv[1:]]),
            "rows": [asdict(each) for each in rows],
            "milliseconds_a_film": milliseconds,
        }
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")


def real_films(folder: Path) -> tuple[list[Held], list[NDArray[np.float32]]]:
    """Every frontal film of both sites that is readable at all, and the pixels of the lateral ones."""
    frontal, lateral = [], []
    sources = (HannoverCxr(folder / "hannover-cxr", "hannover"), CovidCxr(folder / "covid-cxr", "covid"))
    for source in sources:
        for record in source.records(Quarantine()):
            for study in record.studies:
                pixels = study.volumes()[0].voxels[0]
                if study.series[0].view in LATERAL_VIEWS:
                    lateral.append(pixels)
                    continue
                film = read_image(study, record.key, CONFIG)
                if isinstance(film, Film):
                    frontal.append(Held(record.site, record.key, pixels, film))
    return frontal, lateral


def split_patients(films: Sequence[Held]) -> NDArray[np.int64]:
    """(n,) 0 or 1, the half of each film's patient; the sites are split alike."""
    random = np.random.default_rng(0)
    half_of: dict[str, int] = {}
    for site in sorted({film.site for film in films}):
        patients = sorted({film.patient for film in films if film.site == site})
        for place, number in enumerate(random.permutation(len(patients))):
            half_of[patients[number]] = place % 2
    return np.array([half_of[film.patient] for film in films])


def learned(films: Sequence[Held]) -> FilmGate:
    """The gate that these films teach."""
    patients = {patient: number for number, patient in enumerate(sorted({film.patient for film in films}))}
    folds = np.array([patients[film.patient] % FOLDS for film in films])
    return learn_gate([film.film for film in films], folds, [film.site for film in films], seed=0)[0]


def judged(gate: FilmGate, pixels: NDArray[np.float32]) -> Verdict:
    """The verdict on a film whose header says nothing."""
    fault = unreadable(pixels, CONFIG.minimum_pixels)
    if fault:
        return Verdict(fault, (), 0.0, np.inf)
    return gate.judge(reduced_film(pixels), min(pixels.shape), SILENT)


def wrong_images(
    folder: Path, lateral: list[NDArray[np.float32]], volumes: Path | None
) -> dict[str, list[NDArray[np.float32]]]:
    """Images that are no frontal chest film of an adult, by what they are."""
    children = np.load(folder / "pneumoniamnist" / "train_val.npz")["train_images"][:200].astype(np.float32)
    wrong = {
        "lateral chest films (real)": lateral,
        "pydicom's CT, MR, US, NM, colour": list(dicom_examples()),
        "photographs": list(photographs()),
        "simulated chest films": [render_film([], SCANNERS[seed % 2], seed, seed)[0] for seed in range(60)],
        "children's chest films, 28 px, enlarged to 280": [
            np.kron(each, np.ones((10, 10))) for each in children
        ],
    }
    if volumes is not None:
        wrong["slices of CT and MR volumes"] = list(volume_slices(volumes))
    return wrong


def row(
    title: str,
    verdicts: Sequence[Verdict],
    clusters: Iterable[object],
    good_alarms: NDArray[np.float64] | None = None,
    words: tuple[str, ...] = (),
) -> Row:
    """One line of the table."""
    refused = np.array([bool(each.refusal) for each in verdicts])
    told = refused | np.array([bool(each.cautions) or each.distance > 1.0 for each in verdicts])
    named = [any(word in each.refusal for word in words) for each in verdicts if each.refusal]
    auroc = None
    if good_alarms is not None:
        alarms = np.minimum(np.concatenate([good_alarms, [each.alarm for each in verdicts]]), 1e6)
        auroc = float(roc_auc_score(np.repeat([0, 1], [len(good_alarms), len(verdicts)]), alarms))
    codes = np.unique([str(each) for each in clusters], return_inverse=True)[1]
    right = float(np.mean(named)) if words and named else None
    return Row(title, len(verdicts), interval(refused, codes), interval(told, codes), right, auroc)


def interval(flags: NDArray[np.bool_], clusters: NDArray[np.int64]) -> tuple[float, float, float]:
    """The rate and its 95% interval over resampled clusters."""
    random = np.random.default_rng(0)
    number = int(clusters.max()) + 1
    hits, sizes = np.bincount(clusters, flags, number), np.bincount(clusters, minlength=number)
    draws = random.integers(number, size=(REPLICATES, number))
    low, high = np.quantile(hits[draws].sum(axis=1) / sizes[draws].sum(axis=1), (0.025, 0.975))
    return float(flags.mean()), float(low), float(high)


def seconds_a_film(gate: FilmGate, films: Sequence[Held]) -> float:
    """Processor seconds from a film's pixels to its verdict."""
    start = time.process_time()
    for each in films:
        judged(gate, each.pixels)
    return (time.process_time() - start) / len(films)


def table(rows: Sequence[Row]) -> Iterable[str]:
    """The rows as Markdown."""
    yield "| film | n | refused % | refused or cautioned % | right reason % | AUROC |"
    yield "|--|--:|--:|--:|--:|--:|"
    for each in rows:
        rates = [
            f"{100 * rate:.1f} ({100 * low:.1f} to {100 * high:.1f})"
            for rate, low, high in (each.refused, each.told)
        ]
        right = "" if each.right is None else f"{100 * each.right:.0f}"
        auroc = "" if each.auroc is None else f"{each.auroc:.3f}"
        yield f"| {each.title} | {each.n} | {rates[0]} | {rates[1]} | {right} | {auroc} |"


if __name__ == "__main__":
    main()
