"""Figures of segmentations: one over its film or slice with its measurements, and a sheet of many films.

Parts differ by colour (Okabe and Ito's, which colour-blind readers tell apart) and by the number or letters
at them; a seventh part begins the colours again in another line style. The patient's right is marked R.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from prognosis.evidence.segmentation.diameters import Chord
from prognosis.evidence.segmentation.grid import windowed
from prognosis.evidence.segmentation.measurements import Measurements
from prognosis.outputs.figures import INK, Picture, as_picture, drawing
from prognosis.record import Segmentation, Volume
from prognosis.record.imaging import UNMARKED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

COLOURS = ("#56B4E9", "#E69F00", "#F0E442", "#CC79A7", "#009E73", "#D55E00")
STYLES: tuple[Literal["-", "--", "-.", ":"], ...] = ("-", "--", "-.", ":")
LUNG_WINDOW, SOFT_TISSUE_WINDOW = (-1350.0, 150.0), (-160.0, 240.0)
DIRECTIONS = (("L", "R"), ("P", "A"), ("H", "F"))  # towards growing and falling x, y and z of DICOM's LPS
SIDE_VIEWS = {"LL", "RL", "LATERAL"}
PANEL_INCHES = 5.6
SMALL_PANEL_INCHES = 2.3
MOST_IN_LEGEND = 12


def overlay_picture(
    volume: Volume, segmentation: Segmentation, measured: Sequence[Measurements], title: str
) -> Picture:
    """A segmentation over its film, or over the slice where it is largest, with each part's measurements.

    The diameters of the parts that were measured on the slice shown are drawn on it.

    Args:
        volume: What was segmented.
        segmentation: On the volume's grid.
        measured: The size of each of its parts.
        title: Stands above; without patient content unless the page may show it.
    """
    marked = (segmentation.labels != 0) & (segmentation.labels != UNMARKED)
    shown = int(marked.sum(axis=(1, 2)).argmax())
    depth, rows, columns = volume.voxels.shape
    across, down = np.linalg.norm(segmentation.affine[:3, :2], axis=0)
    height = min(max(PANEL_INCHES * rows * down / (columns * across), 1.5), 1.6 * PANEL_INCHES)
    listed = measured[:MOST_IN_LEGEND]
    with drawing(PANEL_INCHES, height + 0.5 + 0.2 * (len(listed) + 1)) as figure:
        axes = figure.add_subplot()
        _show_slice(axes, volume, segmentation, shown)
        handles = []
        for place, size in enumerate(measured):
            handles.append(_draw_part(axes, size, segmentation, shown, place))
        where = "" if depth == 1 else f", slice {shown + 1} of {depth}"
        axes.set_title(f"{title}{where}", fontsize=9.5)
        labels = [
            f"{place}  {_said(size, segmentation)}{_elsewhere(size, shown)}"
            for place, size in enumerate(listed, start=1)
        ]
        if len(measured) > len(listed):
            labels[-1] += f"; {len(measured) - len(listed)} smaller parts are not listed"
        if handles:
            figure.legend(handles[: len(listed)], labels, loc="outside lower left", frameon=False, fontsize=8)
        said = "; ".join(_said(size, segmentation) for size in measured) or "nothing was found"
        return as_picture(figure, f"{title}{where}, with its segmentation outlined: {said}.", kind="png")


def contact_sheet_picture(
    films: Sequence[tuple[Volume, Segmentation]], names: Sequence[str], title: str, columns: int = 4
) -> Picture:
    """Many films in rows, each with its structures outlined and lettered, one legend for all.

    Args:
        films: Each film with its segmentation; all have the same structures.
        names: What stands above each film.
        title: Stands above the sheet.
        columns: Films in a row.
    """
    structures = films[0][1].structures
    lines = -(-len(films) // columns)
    tallest = max(volume.voxels.shape[1] / volume.voxels.shape[2] for volume, _ in films)
    with drawing(
        columns * SMALL_PANEL_INCHES, lines * (SMALL_PANEL_INCHES * min(tallest, 1.4) + 0.2) + 0.9
    ) as figure:
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes in panels[len(films) :]:
            axes.set_axis_off()
        for axes, (volume, segmentation), name in zip(panels, films, names, strict=False):
            _show_slice(axes, volume, segmentation, 0)
            for place, structure in enumerate(structures):
                mask = segmentation.mask(structure)[0]
                if mask.any():
                    _outline(axes, mask, (0, 0), place)
                    _letter(axes, np.argwhere(mask).mean(axis=0), _initials(structure), size=6.5)
            axes.set_title(name, fontsize=8)
        handles = [_handle(place) for place in range(len(structures))]
        labels = [f"{_initials(structure)}  {structure}" for structure in structures]
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
        figure.suptitle(title, fontsize=10)
        return as_picture(
            figure, f"{title}: {len(films)} films with {', '.join(structures)} outlined.", kind="png"
        )


def _show_slice(axes: Axes, volume: Volume, segmentation: Segmentation, index: int) -> None:
    """One slice in grey, hung as radiologists read it, its edges lettered by the patient's sides."""
    window = _window(volume, segmentation.structures)
    across, down = volume.affine[:3, 0], volume.affine[:3, 1]
    aspect = float(np.linalg.norm(down) / np.linalg.norm(across))
    axes.imshow(windowed(volume.voxels[index], window), cmap="gray", vmin=0.0, vmax=1.0, aspect=aspect)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    film = volume.voxels.shape[0] == 1 and volume.modality not in {"CT", "MR"}
    if film and volume.view.upper() in SIDE_VIEWS:
        return
    left, right = ("R", "L") if film else _towards(across)[::-1]
    top, bottom = ("", "") if film else _towards(down)[::-1]
    if not film and left in {"L", "P"}:  # R at the left of the image, or A
        axes.invert_xaxis()
        left, right = right, left
    if not film and top in {"P", "F"}:  # A at its top, or H
        axes.invert_yaxis()
        top, bottom = bottom, top
    for text, x, y in ((left, 0.03, 0.5), (right, 0.97, 0.5), (top, 0.5, 0.97), (bottom, 0.5, 0.03)):
        _write(axes, text, (x, y), size=10, transform=True)


def _window(volume: Volume, structures: Sequence[str]) -> tuple[float, float] | None:
    """What becomes black and white: of CT by what was segmented, else what the file states, if it does."""
    if volume.modality == "CT":
        return LUNG_WINDOW if any("lung" in name for name in structures) else SOFT_TISSUE_WINDOW
    if volume.window is None:
        return None
    centre, width = volume.window
    return (centre - width / 2, centre + width / 2)


def _towards(step: NDArray[np.float64]) -> tuple[str, str]:
    """The patient's side that a step leads to, and the one that it leads away from."""
    axis = int(np.abs(step).argmax())
    to, away = DIRECTIONS[axis]
    return (to, away) if step[axis] > 0 else (away, to)


def _draw_part(axes: Axes, size: Measurements, segmentation: Segmentation, shown: int, place: int) -> Line2D:
    """Outline, number and diameters of a part where the slice shown holds it; its entry in the legend."""
    part = size.part
    inside = shown - part.corner[0]
    if 0 <= inside < len(part.mask) and part.mask[inside].any():
        mask = part.mask[inside]
        _outline(axes, mask, part.corner[1:], place)
        if shown == size.slice_index:
            for chord in (size.axes.long, size.axes.short):
                _line(axes, chord, segmentation)
        rows, columns = np.argwhere(mask).max(axis=0) + part.corner[1:]
        _letter(axes, np.array([rows, columns]) + 1.0, str(place + 1), size=9)
    return _handle(place)


def _outline(axes: Axes, mask: NDArray[np.bool_], corner: Sequence[int], place: int) -> None:
    from matplotlib.patheffects import withStroke

    rows, columns = (np.arange(-1, size + 1) + start for size, start in zip(mask.shape, corner, strict=True))
    axes.contour(
        columns,
        rows,
        np.pad(mask, 1).astype(np.float32),
        levels=[0.5],
        colors=[COLOURS[place % len(COLOURS)]],
        linestyles=[STYLES[place // len(COLOURS) % len(STYLES)]],
        linewidths=1.4,
    ).set_path_effects([withStroke(linewidth=2.4, foreground="black")])


def _line(axes: Axes, chord: Chord, segmentation: Segmentation) -> None:
    from matplotlib.patheffects import withStroke

    to_index = np.linalg.inv(segmentation.affine)
    ends = np.stack([chord.start, chord.end]) @ to_index[:3, :3].T + to_index[:3, 3]
    effects = [withStroke(linewidth=2.0, foreground="black")]
    axes.plot(ends[:, 0], ends[:, 1], color="white", linewidth=0.9, path_effects=effects)


def _letter(axes: Axes, at: NDArray[np.float64], text: str, size: float) -> None:
    _write(axes, text, (float(at[1]), float(at[0])), size=size, transform=False)


def _write(axes: Axes, text: str, at: tuple[float, float], *, size: float, transform: bool) -> None:
    """White text on a black rim, at a place on the image or (transform) at a share of the panel."""
    from matplotlib.patheffects import withStroke

    axes.text(
        *at,
        text,
        color="white",
        fontsize=size,
        fontweight="bold",
        ha="center",
        va="center",
        transform=axes.transAxes if transform else axes.transData,
        path_effects=[withStroke(linewidth=2.0, foreground="black")],
    )


def _handle(place: int) -> Line2D:
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    return Line2D(
        [],
        [],
        color=COLOURS[place % len(COLOURS)],
        linestyle=STYLES[place // len(COLOURS) % len(STYLES)],
        linewidth=2.0,
        path_effects=[withStroke(linewidth=3.2, foreground=INK)],
    )


def _initials(structure: str) -> str:
    """The first letters of a structure's words, without the word for what it is part of: RU, LL."""
    words = [word for word in structure.split() if word not in {"zone", "lung"}] or structure.split()
    return "".join(word[0] for word in words).upper()


def _said(size: Measurements, segmentation: Segmentation) -> str:
    unit = "mm" if segmentation.spacing_known else "pixels"
    axes = f"{size.axes.long.length:.1f} x {size.axes.short.length:.1f} {unit}"
    if size.volume_ml is not None:
        return f"{size.part.name}: {size.volume_ml:.2f} ml, {axes}"
    if segmentation.spacing_known:
        return f"{size.part.name}: {size.area_mm2 / 100:.1f} cm\N{SUPERSCRIPT TWO}, {axes}"
    return f"{size.part.name}: {size.area_mm2:.0f} pixels, {axes}"


def _elsewhere(size: Measurements, shown: int) -> str:
    return "" if size.slice_index == shown else f" (measured on slice {size.slice_index + 1})"
