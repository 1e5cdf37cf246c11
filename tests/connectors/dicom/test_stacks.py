"""Which slices of a series make a volume, in which order, and what is refused with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from connectors.dicom import DicomFolder
from prognosis.errors import StudyError
from prognosis.record import Volume
from tests.connectors.dicom.films import reference, write

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


@dataclass(frozen=True)
class Slice:
    """One slice to be written; its grey value is its place in the list."""

    position: tuple[float, float, float]
    direction: tuple[float, ...] = AXIAL
    edit: Callable[[Dataset], None] = lambda _: None
    columns: int = 4


def at(*depths: float, edit: Callable[[Dataset], None] = lambda _: None) -> list[Slice]:
    return [Slice((10.0, 20.0, depth), edit=edit) for depth in depths]


def opened(folder: Path, slices: Sequence[Slice]) -> tuple[Volume, ...]:
    """The volumes of a CT series of these slices."""
    for number, each in enumerate(slices):

        def edit(dataset: Dataset, each: Slice = each, number: int = number) -> None:
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.99{number}"
            dataset.Modality = "CT"
            dataset.ImagePositionPatient = [f"{value:g}" for value in each.position]
            dataset.ImageOrientationPatient = list(each.direction)
            dataset.PixelSpacing = [0.5, 0.25]
            dataset.SliceThickness = 5.0
            each.edit(dataset)

        values = np.full((3, each.columns), number, dtype=np.float32)
        write(folder / f"{number:03}.dcm", number=1, values=values, edit=edit)
    return DicomFolder(folder, "dicom-folder:x").volumes(reference())


def problem(folder: Path, slices: Sequence[Slice]) -> str:
    with pytest.raises(StudyError) as caught:
        opened(folder, slices)
    return caught.value.problem


def grey(volume: Volume) -> list[float]:
    return [float(value) for value in volume.voxels[:, 0, 0]]


def test_slices_are_ordered_towards_the_head_whatever_the_order_of_files(tmp_path: Path) -> None:
    (volume,) = opened(tmp_path, at(7.5, 2.5, 5.0))
    assert grey(volume) == [1.0, 2.0, 0.0]
    np.testing.assert_allclose(volume.affine @ [1, 2, 1, 1], [10.25, 21.0, 5.0, 1.0])


def test_sagittal_slices_lie_in_the_patient_as_their_directions_say(tmp_path: Path) -> None:
    (volume,) = opened(tmp_path, [Slice((depth, 0.0, 50.0), SAGITTAL) for depth in (3.0, 1.0, 2.0)])
    across = np.cross(SAGITTAL[:3], SAGITTAL[3:])
    assert grey(volume) == ([1.0, 2.0, 0.0] if across[0] > 0 else [0.0, 2.0, 1.0])
    np.testing.assert_allclose(volume.affine[:3, 0], [0.0, 0.25, 0.0])
    np.testing.assert_allclose(volume.affine[:3, 1], [0.0, 0.0, -0.5])
    np.testing.assert_allclose(volume.affine[:3, 2], across)
    assert np.linalg.det(volume.affine) > 0


def test_a_tilted_gantry_shears_the_grid_and_every_voxel_keeps_its_place(tmp_path: Path) -> None:
    (volume,) = opened(tmp_path, [Slice((0.0, 1.5 * depth, 5.0 * depth)) for depth in range(4)])
    np.testing.assert_allclose(volume.affine @ [0, 0, 3, 1], [0.0, 4.5, 15.0, 1.0])


def test_lacking_slices_are_counted_with_the_gap_that_shows_them(tmp_path: Path) -> None:
    told = problem(tmp_path, at(0, 5, 10, 25, 30, 40))
    assert told == "lacks 3 slices: 15 mm after slice 3 of 6, where 5 mm is usual"


def test_an_uneven_gap_is_refused_with_what_was_usual(tmp_path: Path) -> None:
    assert problem(tmp_path, at(0, 5, 10, 17, 22)) == (
        "has 1 uneven gaps: 7 mm after slice 3 of 5, where 5 mm is usual"
    )


def test_positions_rounded_to_a_tenth_of_a_millimetre_are_even(tmp_path: Path) -> None:
    (volume,) = opened(tmp_path, at(*(round(0.625 * place, 1) for place in range(9))))
    assert volume.affine[2, 2] == pytest.approx(0.625)


def test_repeated_slices_are_counted(tmp_path: Path) -> None:
    told = problem(tmp_path, at(0, 5, 5, 10, 10, 10))
    assert told == "holds 3 slices at the position of another slice"


def test_slices_off_one_line_are_refused(tmp_path: Path) -> None:
    slices = [Slice((2.0 * (depth == 2), 0.0, 5.0 * depth)) for depth in range(5)]
    assert problem(tmp_path, slices) == "holds slices up to 2 mm off one straight line"


def test_slices_of_different_sizes_are_refused(tmp_path: Path) -> None:
    assert problem(tmp_path, [*at(0, 5), Slice((10.0, 20.0, 10.0), columns=5)]) == (
        "holds slices of different sizes"
    )


def test_a_localizer_is_a_volume_beside_the_slices_it_planned(tmp_path: Path) -> None:
    def scout(dataset: Dataset) -> None:
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    first, second = opened(tmp_path, [Slice((0.0, 0.0, 0.0), SAGITTAL, scout, 6), *at(0, 5, 10)])
    assert (first.stack, first.voxels.shape) == ("localizer", (1, 3, 6))
    assert (second.stack, grey(second)) == ("", [1.0, 2.0, 3.0])


def test_slices_in_two_directions_are_two_volumes(tmp_path: Path) -> None:
    across = [Slice((depth, 0.0, 0.0), SAGITTAL) for depth in (0.0, 4.0)]
    first, second = opened(tmp_path, [*at(0, 5, 10), *across])
    assert (first.stack, second.stack) == ("direction 1", "direction 2")
    assert (len(first.voxels), len(second.voxels)) == (3, 2)


def test_slices_turning_round_an_axis_are_no_volume(tmp_path: Path) -> None:
    turns = [(float(np.cos(angle)), float(np.sin(angle)), 0.0) for angle in np.arange(9) / 10]
    slices = [Slice((0.0, 0.0, 0.0), (*(round(part, 6) for part in turn), 0.0, 0.0, -1.0)) for turn in turns]
    assert problem(tmp_path, slices) == "holds slices in 9 directions"


def echo(milliseconds: float) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(dataset, "EchoTime", milliseconds)


def test_two_echoes_at_the_same_places_are_two_volumes_named_for_their_echo(tmp_path: Path) -> None:
    slices = [each for depth in (0.0, 5.0) for time in (4.6, 9.2) for each in at(depth, edit=echo(time))]
    first, second = opened(tmp_path, slices)
    assert (first.stack, grey(first)) == ("EchoTime 4.6", [0.0, 2.0])
    assert (second.stack, grey(second)) == ("EchoTime 9.2", [1.0, 3.0])


def test_an_echo_time_that_varies_without_repeating_a_place_splits_nothing(tmp_path: Path) -> None:
    slices = [each for depth in (0.0, 5.0, 10.0) for each in at(depth, edit=echo(4.0 + depth))]
    (volume,) = opened(tmp_path, slices)
    assert volume.stack == ""


def test_an_echo_that_lacks_a_slice_is_refused(tmp_path: Path) -> None:
    slices = [*at(0, 5, 10, edit=echo(4.6)), *at(0, 5, edit=echo(9.2))]
    assert problem(tmp_path, slices) == ("holds 2 stacks by EchoTime, of 2 to 3 slices: 1 are lacking")


def test_diffusion_weightings_are_told_apart_by_value_and_direction(tmp_path: Path) -> None:
    def weighted(value: float, direction: Sequence[float] | None) -> Callable[[Dataset], None]:
        def edit(dataset: Dataset) -> None:
            dataset.add_new(0x00189087, "FD", value)
            if direction is not None:
                dataset.add_new(0x00189089, "FD", list(direction))

        return edit

    kinds = [(0.0, None), (1000.0, (1.0, 0.0, 0.0)), (1000.0, (0.0, 1.0, 0.0))]
    slices = [each for kind in kinds for each in at(0, 2, edit=weighted(*kind))]
    volumes = opened(tmp_path, slices)
    assert [grey(volume) for volume in volumes] == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert volumes[2].stack == "DiffusionBValue 1000.0 DiffusionGradientOrientation 0.0\\1.0\\0.0"


def test_directions_that_are_no_right_angle_are_refused(tmp_path: Path) -> None:
    skewed = (1.0, 0.0, 0.0, 0.6, 0.8, 0.0)
    told = problem(tmp_path, [Slice((0.0, 0.0, depth), skewed) for depth in (0.0, 5.0)])
    assert told == "states directions that are no right angle of unit length"
