"""Frontal chest-like films drawn from lesions: what a scanner of a site would have shown of them.

The film is a caricature with the properties that matter to a reader: dark lungs with ribs and uneven texture,
a heart, noise, small shifts of position, and a look that depends on the scanner. The image's left is the
patient's right, as films are hung. Zones are the upper, middle and lower third of each lung (as in the Brixia
and RALE scores).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

PIXELS = 128
SPACING_MM = 2.5
SIDES = ("right", "left")
LEVELS = ("upper", "middle", "lower")
ZONES = tuple(f"{side} {level} zone" for side in SIDES for level in LEVELS)
LARGEST_VALUE = 4095  # 12 bits, what a direct radiography detector stores

_LUNG_OFFSET_X = 0.205  # of a lung's centre from the midline; fractions of the film throughout
_LUNG_HALF_WIDTH = 0.165
_LUNG_CENTRE_Y = 0.50
_LUNG_HALF_HEIGHT = 0.37
# Rows in which a lesion's centre may lie, as a fraction of the film's height: the gaps between them keep a
# lesion in its zone although the patient is never placed in quite the same way twice.
_LEVEL_ROWS = {"upper": (0.19, 0.31), "middle": (0.42, 0.58), "lower": (0.70, 0.81)}
_LESION_BRIGHTNESS = 0.30
_LESION_EDGE_MM = 1.2

Grid = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lesion:
    """A round opacity.

    Attributes:
        zone: One of `ZONES`.
        across: Place from the left (-1) to the right (1) of where lesions may lie across the lung.
        down: Place between the zone's top (0) and bottom (1).
        diameter_mm: 3 to 20 at default dials; a lesion of 0 mm is not drawn.
    """

    zone: str
    across: float
    down: float
    diameter_mm: float


@dataclass(frozen=True, slots=True)
class Scanner:
    """How a site's machine turns transmission into values.

    Attributes:
        gamma: Exponent of the tone curve; below 1 lifts the dark lungs.
        low: Value of black, as a fraction of the largest.
        high: Value of white, likewise.
        noise: Standard deviation of the noise before the tone curve (the scale on which lungs and mediastinum
            differ by about 0.5).
        vignette: Loss of brightness at the film's corners.
    """

    name: str
    gamma: float
    low: float
    high: float
    noise: float
    vignette: float


SCANNERS = (
    Scanner("direct", gamma=1.0, low=0.02, high=0.92, noise=0.022, vignette=0.02),
    Scanner("computed", gamma=0.78, low=0.10, high=0.80, noise=0.034, vignette=0.12),
)


def scanner_of(site: int, shift: float = 1.0) -> Scanner:
    """A site's machine.

    Args:
        site: 0 or 1.
        shift: How far the second site's machine is from the first's, in multiples of how `SCANNERS` differ.
    """
    if site == 0:
        return SCANNERS[0]
    first, second = (astuple(each)[1:] for each in SCANNERS)
    between = ((1.0 - shift) * low + shift * high for low, high in zip(first, second, strict=True))
    return Scanner(SCANNERS[1].name, *between)


def render_film(
    lesions: Sequence[Lesion], scanner: Scanner, anatomy_seed: int, film_seed: int
) -> NDArray[np.float32]:
    """Draw one frontal film.

    Args:
        lesions: What there is to see.
        scanner: The machine.
        anatomy_seed: Fixes what the patient keeps between visits: the lungs' size, ribs and vessels.
        film_seed: Fixes what differs between films: position, exposure and noise.

    Returns:
        Whole numbers from 0 to 4095, shape (1, 128, 128); brighter is denser (MONOCHROME2).
    """
    film = np.random.default_rng(film_seed)
    shift_y, shift_x = _shift(film)
    y, x = _coordinates()
    density = _anatomy(y - shift_y, x - shift_x, np.random.default_rng(anatomy_seed))
    for lesion in lesions:
        _add_lesion(density, lesion, shift_y, shift_x)
    density *= film.uniform(0.94, 1.06)
    density += scanner.noise * film.standard_normal(density.shape, dtype=np.float32)
    density -= scanner.vignette * ((y - 0.5) ** 2 + (x - 0.5) ** 2)
    toned = scanner.low + (scanner.high - scanner.low) * np.clip(density, 0.0, 1.0) ** scanner.gamma
    return np.rint(LARGEST_VALUE * toned).astype(np.float32)[None]


def film_affine() -> NDArray[np.float64]:
    """4x4 voxel (x, y, z) to millimetres; a projection has a spacing but no place in the patient."""
    return np.diag([SPACING_MM, SPACING_MM, 1.0, 1.0])


def lesion_mask(lesion: Lesion, film_seed: int) -> NDArray[np.bool_]:
    """(128, 128) the pixels of a lesion on the film with this seed: those whose centres it covers.

    A lesion smaller than a pixel has the one pixel that holds its centre.
    """
    shift_y, shift_x = _shift(np.random.default_rng(film_seed))
    y, x = lesion_centre(lesion)
    row, column = (y + shift_y) * PIXELS - 0.5, (x + shift_x) * PIXELS - 0.5
    places = np.arange(PIXELS)
    mask = SPACING_MM * np.hypot(places[:, None] - row, places[None, :] - column) <= lesion.diameter_mm / 2
    mask[round(row), round(column)] = True
    return np.asarray(mask)


def lesion_centre(lesion: Lesion) -> tuple[float, float]:
    """(y, x) of a lesion's centre as fractions of the film, before the patient's placement shifts it."""
    side, level, _ = lesion.zone.split(" ")
    top, bottom = _LEVEL_ROWS[level]
    centre = 0.5 - _LUNG_OFFSET_X if side == "right" else 0.5 + _LUNG_OFFSET_X
    x = centre + 0.55 * _LUNG_HALF_WIDTH * lesion.across
    return top + (bottom - top) * lesion.down, x


def zone_of(y: float, x: float) -> str:
    """The zone at a place on the film (fractions of its height and width from the top left)."""
    level = LEVELS[0] if y < 0.365 else LEVELS[1] if y < 0.64 else LEVELS[2]
    return f"{SIDES[0] if x < 0.5 else SIDES[1]} {level} zone"


def _shift(film: np.random.Generator) -> tuple[float, float]:
    """How far (y, x) the patient stands from the usual place, as fractions of the film: its first draw."""
    y, x = film.uniform(-0.012, 0.012, 2)
    return float(y), float(x)


@cache
def _coordinates() -> tuple[Grid, Grid]:
    """Column of y and row of x: pixel centres as fractions of the film."""
    centres = (np.arange(PIXELS) + 0.5) / PIXELS
    return centres[:, None], centres[None, :]


def _anatomy(y: Grid, x: Grid, patient: np.random.Generator) -> Grid:
    """Density of the chest without lesions, about 0.15 (lung) to 0.8 (mediastinum)."""
    width, height = patient.uniform(0.95, 1.05, 2)
    vertical = (np.abs(y - _LUNG_CENTRE_Y) / (_LUNG_HALF_HEIGHT * height)) ** 3
    from_centre = np.abs(np.abs(x - 0.5) - _LUNG_OFFSET_X)
    lungs = _soft_step(14.0 * (1.0 - vertical - (from_centre / (_LUNG_HALF_WIDTH * width)) ** 3))
    tissue = 0.62 + 0.14 * np.exp(-(((x - 0.5) / 0.06) ** 2)) - 0.10 * np.abs(y - 0.5)
    density = tissue * (1.0 - lungs) + patient.uniform(0.19, 0.25) * lungs
    heart = ((x - 0.565) / 0.115) ** 2 + ((y - 0.68) / 0.15) ** 2
    density += 0.22 * lungs * _soft_step(8.0 * (1.0 - heart))
    return density + lungs * (_ribs(y, x, patient) + 0.030 * _cloud(patient, 24)) + 0.025 * _cloud(patient, 8)


def _ribs(y: Grid, x: Grid, patient: np.random.Generator) -> Grid:
    """Bright bands that fall toward the sides, with a spacing and a phase of the patient's own."""
    spacing, slope = patient.uniform(0.082, 0.098), patient.uniform(0.55, 0.75)
    phase = (y + slope * (np.abs(x - 0.5) - 0.2) ** 2 * 2.0) / spacing + patient.uniform()
    return 0.055 * np.maximum(np.cos(2.0 * np.pi * phase), 0.0)


def _cloud(patient: np.random.Generator, cells: int) -> Grid:
    """Smooth noise of unit variance or less with `cells` cells across the film."""
    weights = _interpolation(cells)
    return weights @ patient.standard_normal((cells, cells)) @ weights.T


@cache
def _interpolation(cells: int) -> Grid:
    """(PIXELS, cells) weights that interpolate a coarse row linearly."""
    place = np.linspace(0.0, cells - 1.0, PIXELS)[:, None]
    return np.maximum(0.0, 1.0 - np.abs(place - np.arange(cells)[None, :]))


def _add_lesion(density: Grid, lesion: Lesion, shift_y: float, shift_x: float) -> None:
    """Add a disc with a soft edge, in place; only the pixels near it are touched."""
    if lesion.diameter_mm <= 0.0:
        return
    y, x = lesion_centre(lesion)
    row, column = (y + shift_y) * PIXELS - 0.5, (x + shift_x) * PIXELS - 0.5
    reach = int(np.ceil(lesion.diameter_mm / 2 / SPACING_MM)) + 4
    top, left = int(row) - reach, int(column) - reach
    rows = np.arange(top, top + 2 * reach + 1)
    columns = np.arange(left, left + 2 * reach + 1)
    distance_mm = SPACING_MM * np.hypot(rows[:, None] - row, columns[None, :] - column)
    disc = _soft_step((lesion.diameter_mm / 2 - distance_mm) / _LESION_EDGE_MM)
    density[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += _LESION_BRIGHTNESS * disc


def _soft_step(value: Grid) -> Grid:
    """0 far below zero, 1 far above it."""
    return 0.5 * (1.0 + np.tanh(0.5 * value))
