"""`prognosis segment`: the structures of a study outlined, measured, written and read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prognosis.cli.beside_images import store_beside_images
from prognosis.cli.console import print_json, stderr
from prognosis.cli.loading import load_records
from prognosis.cli.sources import file_study, images_archive, is_dicom_file, original_images
from prognosis.errors import InputError, ScopeError, StudyError
from prognosis.evidence.imaging.kind import TrainingKinds, series_of
from prognosis.evidence.segmentation.measurements import Measurements, measured_parts
from prognosis.evidence.segmentation.model import SegmentationModel
from prognosis.evidence.segmentation.storage import load_segmentation
from prognosis.evidence.segmentation.zones import LUNGS, lung_zones
from prognosis.outputs.dicom_files import standard_files
from prognosis.outputs.dicom_seg import Algorithm
from prognosis.outputs.nifti_mask import mask_file
from prognosis.outputs.png_mask import png_mask
from prognosis.outputs.segmentation_figures import overlay_picture
from prognosis.record import ImagingStudy, Quarantine, Segmentation, Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_CHEST_FILMS = TrainingKinds(("CR", "DX"), ("CHEST",))


@dataclass(frozen=True, slots=True)
class Outlined:
    """One volume of a study with its segmentation and, where it came from DICOM, its images' headers.

    `caution` says why an outline of two lungs cannot be one; "" where it may be, or is of something else.
    """

    volume: Volume
    segmentation: Segmentation
    measured: tuple[Measurements, ...]
    originals: tuple[Dataset, ...]
    caution: str


def run_segment(
    study: str, folder: Path, out: Path, sources: Sequence[str], archive: str | None, *, json_output: bool
) -> None:
    """Outline a study's structures and write mask, overlay, DICOM SEG and measurement report.

    Args:
        study: A folder of DICOM files, a DICOM, PNG or NIfTI file, or with `sources` a study's UID.
        folder: The segmentation model.
        out: Where to write, a folder for each volume.
        sources: Where the study is looked up by UID; none when `study` is a folder or a file.
        archive: The archive, "dicomweb:URL", that holds the study and is given SEG and report; None for none.
        json_output: Print what was measured as JSON.
    """
    if archive is not None:
        images_archive(archive)  # a name that is none is refused before anything is read
    model = load_segmentation(folder)
    chosen = _studies(study, sources, model)
    stated, kept = [], []
    for each in chosen:
        to_store: dict[str, bytes] = {}
        for number, outlined in enumerate(outline(each, model), start=1):
            target = out / each.study_uid / str(number)
            written = write_outlined(outlined, target, model, datetime.now(UTC))
            stderr.print(f"wrote {target}: {', '.join(written)}", markup=False)
            if outlined.caution:
                stderr.print(f"[yellow]do not use it[/]: {outlined.caution}", highlight=False)
            stated.append(_stated(outlined, target, written, model))
            if archive is not None:
                to_store |= _to_store(outlined, target, written)
        if archive is not None and to_store:
            kept.append(store_beside_images(archive, each.study_uid, to_store))
    if not stated:
        reads = "films" if model.dimensions == 2 else "volumes"
        raise ScopeError(f"study {study}", f"holds none of the {reads} that the model reads", "name another")
    if json_output:
        there = {"stored": sum(each.stored for each in kept), "held": sum(each.held for each in kept)}
        in_archive = {} if archive is None else {"archive": there}
        print_json({"model_id": model.model_id, "volumes": stated, **in_archive})


def _to_store(outlined: Outlined, target: Path, written: Sequence[str]) -> dict[str, bytes]:
    """The standard objects of one volume, by file name; none where they are not to be used, which is said.

    An outline that cannot be one stays on this machine, where its caution is told beside it: a viewer of the
    archive shows the outline alone.

    Raises:
        StudyError: The images did not come from DICOM files.
    """
    if not outlined.originals:
        raise StudyError(
            outlined.segmentation.source,
            "did not come from DICOM files, so there is nothing that results could refer to",
            "read it from a dicom-folder or a dicomweb archive, or leave --write-images out",
        )
    why = outlined.caution or ("" if outlined.measured else "nothing was found")
    if why:
        stderr.print(f"nothing of it is written to the archive: {why}", markup=False, highlight=False)
        return {}
    return {
        f"{target.name}/{name}": (target / name).read_bytes() for name in written if name.endswith(".dcm")
    }


def _studies(study: str, sources: Sequence[str], model: SegmentationModel) -> list[ImagingStudy]:
    """The studies that were asked for.

    Raises:
        InputError: There is none.
    """
    path = Path(study)
    if not sources and path.is_file() and not is_dicom_file(path):
        return [file_study(path)]
    place = list(sources) or [f"dicom-folder:{study}"]
    records = load_records(place, model.task, Quarantine())
    studies = [each for record in records for each in record.studies]
    chosen = [each for each in studies if each.study_uid == study] if sources else studies
    if not chosen:
        raise InputError(f"study {study}", f"is not among the {len(studies)} studies", "check its UID")
    return chosen


def outline(study: ImagingStudy, model: SegmentationModel) -> Iterator[Outlined]:
    """Each volume of a study that the model reads, with its segmentation; the others are told of."""
    originals = original_images(study)
    volumes = study.volumes()
    images = originals or ((),) * len(volumes)
    for volume, headers in zip(volumes, images, strict=True):
        views = model.task.index.views
        other_view = bool(views and volume.view and volume.view not in views)
        if (volume.voxels.shape[0] == 1) != (model.dimensions == 2) or other_view:
            stderr.print(
                f"{volume.source} {volume.stack} {volume.view}: not read by this model", markup=False
            )
            continue
        other_kind = _CHEST_FILMS.refusal(series_of(study, volume)) if _outlines_lungs(model) else ""
        if other_kind:
            stderr.print(f"{volume.source} {volume.stack}: not read, {other_kind}", markup=False)
            continue
        segmentation = model.segment(volume)
        caution = lung_zones(segmentation).implausible if _outlines_lungs(model) else ""
        yield Outlined(volume, segmentation, measured_parts(segmentation), headers, caution)


def _outlines_lungs(model: SegmentationModel) -> bool:
    """Whether it outlines both lungs on films, of which more is known than of other structures."""
    return model.dimensions == 2 and set(LUNGS) <= set(model.task.causes)


def write_outlined(
    outlined: Outlined, target: Path, model: SegmentationModel, made_at: datetime
) -> list[str]:
    """Write what can be said of one volume, and read back what is standard before it is kept.

    Without DICOM images there is nothing that a SEG could refer to, and where nothing was found nothing that
    it could hold: then the mask (of a film as a PNG too) and the overlay are all.

    Returns:
        The names of the files.

    Raises:
        StudyError: A written object reads back otherwise, or the images lack what it needs.
        InputError: The folder cannot be written.
    """
    segmentation, measured, sources = outlined.segmentation, outlined.measured, outlined.originals
    picture = overlay_picture(outlined.volume, segmentation, measured, model.task.name)
    files = {
        "mask.nii.gz": mask_file(segmentation),
        "overlay.png": picture.content,
    }
    if len(segmentation.labels) == 1:
        files["mask.png"] = png_mask(segmentation)
    if sources and measured:
        algorithm = Algorithm(model.task.name, model.model_id)
        files |= standard_files(segmentation, measured, sources, algorithm=algorithm, made_at=made_at)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (target / name).write_bytes(content)
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise InputError(f"--out {target}", problem, "name a folder that you may write to") from error
    return list(files)


def _stated(
    outlined: Outlined, target: Path, written: Sequence[str], model: SegmentationModel
) -> dict[str, Any]:
    segmentation = outlined.segmentation
    unit = "mm" if segmentation.spacing_known else "pixels"
    return {
        "source": segmentation.source,
        "stack": outlined.volume.stack,
        "files": [str(target / name) for name in written],
        "read_back": "seg.dcm" in written,
        "caution": outlined.caution,
        "parts": [
            {
                "name": size.part.name,
                "voxels": size.part.voxels,
                "volume_ml": size.volume_ml,
                f"area_{unit}2": size.area_mm2 if size.volume_ml is None else None,
                f"long_axis_{unit}": size.axes.long.length,
                f"short_axis_{unit}": size.axes.short.length,
                "longest_3d_mm": None if size.longest_3d is None else size.longest_3d.length,
                "slice": size.slice_index + 1,
            }
            for size in outlined.measured
        ],
    }
