"""Films made bad at their own size, and images that are no chest film, to judge the quality gate by.

Nothing here is shared with the alterations that the gate learns from (`prognosis.evidence.imaging.faults`):
these act on the film's own pixels, at stated strengths, with characters of a real font.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
Alter = Callable[[Pixels, np.random.Generator], Pixels]
UNREADABLE = (AttributeError, ValueError, RuntimeError, NotImplementedError, TypeError, LookupError)
"""What pydicom raises on its reports, its plans, and its files that are damaged on purpose."""
LINES = ("DOE^JANE ANN", "1961-04-23 F", "ID 4471-229-18", "GENERAL HOSPITAL")


@dataclass(frozen=True, slots=True)
class Alteration:
    """One fault at one strength.

    Attributes:
        title: For the table.
        alter: From the film and a source of chance to the altered film.
        words: Of which one stands in the right reason.
    """

    title: str
    alter: Alter
    words: tuple[str, ...]


def inverted(film: Pixels, _: np.random.Generator) -> Pixels:
    """Black and white exchanged."""
    return film.max() + film.min() - film


def half(axis: int, last: bool, film: Pixels, _: np.random.Generator) -> Pixels:
    """One half, cut off."""
    return np.split(film, [film.shape[axis] // 2], axis=axis)[int(last)]


def corner(film: Pixels, random: np.random.Generator) -> Pixels:
    """Black but for one quarter of the film in a corner."""
    shown = np.full_like(film, film.min())
    place = tuple(
        slice(0, side // 2) if random.integers(2) else slice(side // 2, side) for side in film.shape
    )
    shown[place] = film[place]
    return shown


def half_black(film: Pixels, random: np.random.Generator) -> Pixels:
    """The left or the right half black."""
    shown = film.copy()
    middle = film.shape[1] // 2
    shown[:, slice(0, middle) if random.integers(2) else slice(middle, None)] = film.min()
    return shown


def framed(film: Pixels, _: np.random.Generator) -> Pixels:
    """A black frame of 40% of the film's side on each side."""
    return np.pad(film, [(int(0.4 * side),) * 2 for side in film.shape], constant_values=film.min())


def brightest(share: float, film: Pixels, _: np.random.Generator) -> Pixels:
    """This share of the film at its brightest value."""
    return np.minimum(film, np.quantile(film, 1.0 - share)).astype(np.float32)


def darkest(share: float, film: Pixels, _: np.random.Generator) -> Pixels:
    """This share of the film at its darkest value."""
    return np.maximum(film, np.quantile(film, share)).astype(np.float32)


def blurred(spread: float, film: Pixels, _: np.random.Generator) -> Pixels:
    """A Gaussian of this standard deviation in pixels of a film of 640."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(film, spread * max(film.shape) / 640, mode="nearest")


def moved(reach: int, film: Pixels, random: np.random.Generator) -> Pixels:
    """Motion over this many pixels of a film of 640, along the rows or the columns."""
    from scipy.ndimage import uniform_filter1d

    length = max(3, round(reach * max(film.shape) / 640))
    return uniform_filter1d(film, length, axis=int(random.integers(2)), mode="nearest")


def noisy(spread: float, film: Pixels, random: np.random.Generator) -> Pixels:
    """White noise of this share of the range between the film's percentiles 1 and 99."""
    low, high = np.percentile(film, (1, 99))
    noise = spread * (high - low) * random.standard_normal(film.shape)
    return np.clip(film + noise, film.min(), film.max()).astype(np.float32)


def enlarged(pixels: int, film: Pixels, _: np.random.Generator) -> Pixels:
    """Reduced to this shorter side, and enlarged again."""
    from PIL import Image

    height, width = film.shape
    scale = pixels / min(height, width)
    small = Image.fromarray(film).resize((round(width * scale), round(height * scale)), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))


def lettered(lines: int, film: Pixels, random: np.random.Generator) -> Pixels:
    """Lines of bright characters, each a 22nd (several) or a 32nd (one) of the film's height."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(film)
    height, width = film.shape
    size = max(8, height // (22 if lines > 1 else 32))
    left, top = random.uniform(0.02, 0.4) * width, random.uniform(0.03, 0.6) * height
    for line, text in enumerate(LINES[:lines]):
        place = (int(left), int(top + 1.2 * size * line))
        ImageDraw.Draw(image).text(
            place, text, fill=float(film.max()), font=ImageFont.load_default(size=size)
        )
    return np.asarray(image)


def turned(quarters: int, film: Pixels, _: np.random.Generator) -> Pixels:
    """Turned to the left by this many right angles."""
    return np.rot90(film, quarters).copy()


def mirrored(film: Pixels, _: np.random.Generator) -> Pixels:
    """Left and right exchanged."""
    return film[:, ::-1].copy()


def blank(film: Pixels, _: np.random.Generator) -> Pixels:
    """One value everywhere."""
    return np.full_like(film, film.mean())


def unexposed(film: Pixels, random: np.random.Generator) -> Pixels:
    """Noise about one value: a detector that was read without an exposure."""
    return (100.0 + random.standard_normal(film.shape)).astype(np.float32)


BLUR, CROP, CLIP = ("blurred", "resolution"), ("cropped",), ("clipped",)
ALTERATIONS = (
    Alteration("blank", blank, ("blank",)),
    Alteration("unexposed: noise alone", unexposed, ("unlike", "noisy")),
    Alteration("inverted", inverted, ("inverted",)),
    Alteration("turned 90 degrees left", partial(turned, 1), ("90 degrees to the left",)),
    Alteration("turned 180 degrees", partial(turned, 2), ("180 degrees",)),
    Alteration("turned 90 degrees right", partial(turned, 3), ("90 degrees to the right",)),
    Alteration("mirrored (caution only)", mirrored, ("mirrored",)),
    Alteration("cropped to the left half", partial(half, 1, False), CROP),
    Alteration("cropped to the right half", partial(half, 1, True), CROP),
    Alteration("cropped to the upper half", partial(half, 0, False), CROP),
    Alteration("cropped to the lower half", partial(half, 0, True), CROP),
    Alteration("collimated to a corner", corner, CROP),
    Alteration("half of it black", half_black, CROP),
    Alteration("wide black frame", framed, CROP),
    Alteration("30% at the brightest value", partial(brightest, 0.3), CLIP),
    Alteration("50% at the brightest value", partial(brightest, 0.5), CLIP),
    Alteration("30% at the darkest value", partial(darkest, 0.3), CLIP),
    Alteration("50% at the darkest value", partial(darkest, 0.5), CLIP),
    Alteration("blurred, 2 px of 640", partial(blurred, 2.0), BLUR),
    Alteration("blurred, 4 px of 640", partial(blurred, 4.0), BLUR),
    Alteration("blurred, 8 px of 640", partial(blurred, 8.0), BLUR),
    Alteration("motion, 15 px of 640", partial(moved, 15), BLUR),
    Alteration("motion, 30 px of 640", partial(moved, 30), BLUR),
    Alteration("noise, 5% of the range", partial(noisy, 0.05), ("noisy",)),
    Alteration("noise, 10% of the range", partial(noisy, 0.1), ("noisy",)),
    Alteration("noise, 20% of the range", partial(noisy, 0.2), ("noisy",)),
    Alteration("enlarged from 128 px", partial(enlarged, 128), BLUR),
    Alteration("enlarged from 64 px", partial(enlarged, 64), BLUR),
    Alteration("enlarged from 32 px", partial(enlarged, 32), BLUR),
    Alteration("one small line of text", partial(lettered, 1), ("text",)),
    Alteration("four lines of text", partial(lettered, 4), ("text",)),
)


def dicom_examples() -> Iterator[Pixels]:
    """CT, MR, ultrasound, nuclear medicine and colour images of pydicom's test files, each picture once."""
    import pydicom
    import pydicom.data

    seen = set()
    for path in sorted(Path(pydicom.data.__file__).parent.joinpath("test_files").glob("*.dcm")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                array = pydicom.dcmread(path, force=True).pixel_array.astype(np.float32)
        except (
            AttributeError,
            ValueError,
            RuntimeError,
            NotImplementedError,
            TypeError,
            KeyError,
            IndexError,
        ):
            continue  # reports, plans and files that are damaged on purpose
        while array.ndim > 2:
            array = array.mean(axis=-1) if array.shape[-1] == 3 else array[0]
        picture = (array.shape, round(float((array - array.mean()).ravel()[::7].std()), 2))
        if min(array.shape) >= 16 and picture not in seen:
            seen.add(picture)
            yield array


def volume_slices(folder: Path) -> Iterator[Pixels]:
    """Five slices along each axis of every `*_image.nrrd` in a folder: CT and MR of head and chest."""
    import nrrd

    for path in sorted(folder.glob("*_image.nrrd")):
        voxels = nrrd.read(str(path))[0].astype(np.float32)
        for axis in range(3):
            for share in (0.3, 0.4, 0.5, 0.6, 0.7):
                slice_ = np.take(voxels, int(share * voxels.shape[axis]), axis).T
                if min(slice_.shape) >= 16:
                    yield slice_


def photographs() -> Iterator[Pixels]:
    """scikit-learn's two photographs, whole and in quarters."""
    from sklearn.datasets import load_sample_images

    for image in load_sample_images().images:
        grey = image.mean(axis=-1).astype(np.float32)
        yield grey
        for rows in np.split(grey[: grey.shape[0] // 2 * 2], 2):
            yield from np.split(rows[:, : rows.shape[1] // 2 * 2], 2, axis=1)
