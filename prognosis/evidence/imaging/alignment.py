"""An earlier film laid over a later one of the same patient: shifted and scaled, or left as it is.

The patient never stands twice in the same place, and a cut of a phone or a scanner changes the scale. A shift
and a scale a side are searched on small copies of both films from which the exposure has been taken out;
where the two do not come to agree, the earlier film stays as it is and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Square = NDArray[np.float32]
Array = NDArray[np.float64]

_SIDE = 64  # of the small copies
_SCALES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
_BROAD, _FINE = 6.0, 0.7  # Gaussians in pixels of the small copies, between which detail is kept
_MARGIN = 4  # pixels of the small copies that are not compared: borders, letters, padding
_LEAST_AGREEMENT = 0.3
_LEAST_GAIN = 0.005
_MOST_SHIFT = 0.25
_TONE, _NOISE = 1.5, 0.7  # Gaussians in pixels of the square: tone is judged, and noise lost, below them
_UNRELIABLE = "the film before could not be aligned with this one; their zones are compared as they lie"


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the earlier film lies on the later one.

    A place p on the later film (fractions of the square from its centre, down and across) is at
    p * scale + shift on the earlier one.

    Attributes:
        shift: (down, across), fractions of the square's side.
        scale: (down, across).
        agreement: Correlation of the two films' detail when aligned, -1 to 1.
        agreement_before: The same as they lie.
        caution: Why the earlier film was left as it is though the two do not agree; "" otherwise.
    """

    shift: tuple[float, float]
    scale: tuple[float, float]
    agreement: float
    agreement_before: float
    caution: str = ""

    @property
    def moved(self) -> bool:
        """True where the earlier film was not left as it is."""
        return self.shift != (0.0, 0.0) or self.scale != (1.0, 1.0)

    def applied(self, square: Square) -> Square:
        """The earlier film as the later one shows the patient; its border is repeated beyond it."""
        move = (*self.shift, *self.scale)
        return _moved(square.astype(np.float64), move).astype(np.float32) if self.moved else square

    def comparable(self, earlier: Square, later: Square) -> tuple[Square, Square]:
        """Both films where each has moved half of the way, in one tone and equally smooth.

        Resampling blurs, and blur alone changes what a film is evidence of: were one film moved by the whole
        way, every zone would seem to have changed in one direction. So does a brighter exposure, and a film's
        own noise is no change at all.
        """
        from scipy.ndimage import gaussian_filter

        pair = [earlier.astype(np.float64), later.astype(np.float64)]
        if self.moved:
            shift, scale = np.array(self.shift), np.array(self.scale)
            half, root = shift / (1.0 + scale), np.sqrt(scale)
            pair = [_moved(pair[0], (*half, *root)), _moved(pair[1], (*-half, *(1.0 / root)))]
        smooth = [gaussian_filter(each, _TONE, mode="nearest") for each in pair]
        middles, spreads = [np.median(each) for each in smooth], [each.std() for each in smooth]
        tone, middle = np.sqrt(np.prod(spreads)), np.mean(middles)
        first, second = (
            gaussian_filter(
                (each - own) * (tone / spread if spread > 0.0 else 1.0) + middle, _NOISE, mode="nearest"
            ).astype(np.float32)
            for each, own, spread in zip(pair, middles, spreads, strict=True)
        )
        return first, second


def align(earlier: Square, later: Square) -> Alignment:
    """The shift and the two scales at which an earlier film's detail agrees best with a later one's.

    Every scale of a coarse row is tried with the shift that phase correlation gives (Kuglin and Hines 1975);
    the best is refined. It is used when the films then agree, and clearly better than as they lie.

    Args:
        earlier: (size, size), 0 to 1.
        later: Likewise, of the same size.
    """
    from scipy.optimize import minimize

    first, second = _detail(earlier), _detail(later)
    before = _agreement(first, second)

    def disagreement(move: Array) -> float:
        return -_agreement(_moved(first, move), second)

    starts = [_phase_start(first, second, scale) for scale in _SCALES] + [np.array([0.0, 0.0, 1.0, 1.0])]
    start = min(starts, key=disagreement)
    steps = np.concatenate([start[None], start + np.diag([0.02, 0.02, 0.03, 0.03])])
    options = {"initial_simplex": steps, "xatol": 5e-4, "fatol": 1e-4, "maxfev": 200}
    move = minimize(disagreement, start, method="Nelder-Mead", options=options).x
    after = -disagreement(move)
    possible = max(abs(move[:2])) <= _MOST_SHIFT and min(move[2:]) >= 0.8 and max(move[2:]) <= 1.25
    if possible and after >= _LEAST_AGREEMENT and after >= before + _LEAST_GAIN:
        shift, scale = (float(move[0]), float(move[1])), (float(move[2]), float(move[3]))
        return Alignment(shift, scale, after, before)
    caution = "" if before >= _LEAST_AGREEMENT else _UNRELIABLE
    return Alignment((0.0, 0.0), (1.0, 1.0), before, before, caution)


def _detail(square: Square) -> Array:
    """(64, 64) a small copy between two Gaussians: ribs, diaphragm, heart; neither exposure nor noise."""
    from scipy.ndimage import gaussian_filter, zoom

    factor = _SIDE / square.shape[0]
    smooth = gaussian_filter(square.astype(np.float64), max(0.0, 0.5 / factor - 0.5), mode="nearest")
    small = zoom(smooth, factor, order=1, mode="nearest", grid_mode=True)
    return np.asarray(
        gaussian_filter(small, _FINE, mode="nearest") - gaussian_filter(small, _BROAD, mode="nearest")
    )


def _moved(image: Array, move: Array | tuple[float, ...]) -> Array:
    """An image sampled at p * scale + shift for every place p of its square."""
    from scipy.ndimage import affine_transform

    size = image.shape[0]
    shift, scale = np.asarray(move[:2]) * size, np.asarray(move[2:])
    centre = np.full(2, (size - 1) / 2.0)
    return np.asarray(
        affine_transform(image, scale, offset=centre - scale * centre + shift, order=1, mode="nearest")
    )


def _agreement(first: Array, second: Array) -> float:
    """Pearson's correlation of two details inside the margin."""
    inner = slice(_MARGIN, _SIDE - _MARGIN)
    own, other = (each[inner, inner] - each[inner, inner].mean() for each in (first, second))
    spread = float(np.linalg.norm(own) * np.linalg.norm(other))
    return float((own * other).sum()) / spread if spread > 0.0 else 0.0


def _phase_start(first: Array, second: Array, scale: float) -> Array:
    """The shift of phase correlation at one scale, as (down, across, scale, scale)."""
    window = np.hanning(_SIDE)[:, None] * np.hanning(_SIDE)[None, :]
    scaled = _moved(first, (0.0, 0.0, scale, scale)) * window
    cross = np.fft.fft2(scaled) * np.conj(np.fft.fft2(second * window))
    peaks = np.fft.ifft2(cross / np.maximum(np.abs(cross), 1e-9)).real
    most = int(_MOST_SHIFT * _SIDE)
    offsets = np.fft.fftfreq(_SIDE, 1.0 / _SIDE)
    peaks[np.abs(offsets) > most] = -np.inf
    peaks[:, np.abs(offsets) > most] = -np.inf
    row, column = np.unravel_index(int(peaks.argmax()), peaks.shape)
    return np.array([offsets[row] * scale / _SIDE, offsets[column] * scale / _SIDE, scale, scale])
