"""Archives of labelled images in the MedMNIST layout (`train_images`, `train_labels`, `val_`, `test_`).

Each image is a patient of its own: the archives carry no patient ids. The publisher's own split travels as
the event `prognosis|part`, and the label as `prognosis|class-label` an hour after the film, so that no
reading of the record as of the film can see it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.datasets.codes import CLASS_LABEL, PART
from prognosis.errors import MappingError, SourceError, StudyError
from prognosis.record import Event, ImagingStudy, PatientRecord, Quarantine, Series, Volume
from prognosis.record.uid import derived_uid

FILM_TIME = datetime(2020, 1, 1, 12, tzinfo=UTC)
LABEL_DELAY = timedelta(hours=1)
PARTS = {"train": "train", "val": "validation", "test": "test"}
BYTES_BUDGET = 8 * 2**30
SMALLEST_SIDE = 28


class ImageArchive:
    """The images of an `.npz` file, each as the film of one patient.

    Args:
        path: The file; any non-empty subset of the parts train, val and test.
        uri: How the user named it; its scheme is the site.
    """

    def __init__(self, path: Path, uri: str) -> None:
        self.path = Path(path)
        self.uri = uri
        self.site = uri.partition(":")[0] or "pneumoniamnist"

    def records(self, quarantine: Quarantine) -> Iterator[PatientRecord]:
        """One record an image, in the order of the file; images that cannot be read are quarantined.

        Raises:
            SourceError: The file is no such archive, or a part lacks its images or its labels.
        """
        arrays = self._arrays()
        images: dict[str, NDArray[np.generic]] = {}
        store = ArrayFilms(images, f"{self.site} archive")
        for key, part in PARTS.items():
            if f"{key}_images" not in arrays:
                continue
            pixels, labels = arrays[f"{key}_images"], arrays[f"{key}_labels"].reshape(-1)
            for row, label in enumerate(labels.tolist()):
                patient_id = f"{key}-{row:05d}"
                if label != int(label) or not np.isfinite(pixels[row]).all():
                    quarantine.reject(
                        MappingError(
                            f"{self.path.name} {key} row {row}",
                            "its label is not a whole number or its pixels are not finite",
                            "leave the image out of the archive",
                        )
                    )
                    continue
                study = self._study(patient_id, store)
                images[study.study_uid] = pixels[row]
                quarantine.accept("image")
                yield self._record(patient_id, study, int(label), part)

    def _record(self, patient_id: str, study: ImagingStudy, label: int, part: str) -> PatientRecord:
        source = f"{self.path.name}#{patient_id}"
        return PatientRecord(
            patient_id=patient_id,
            events=(
                Event(FILM_TIME, PART, text=part, source=source, display="part of the publisher's split"),
                Event(FILM_TIME + LABEL_DELAY, CLASS_LABEL, float(label), source=source, display="class"),
            ),
            studies=(study,),
            site=self.site,
        )

    def _study(self, patient_id: str, store: ArrayFilms) -> ImagingStudy:
        series = Series(derived_uid(self.site, patient_id, "series"), modality="DX", body_part="CHEST")
        uid = derived_uid(self.site, patient_id, "study")
        return ImagingStudy(FILM_TIME, uid, (series,), f"ImagingStudy/{patient_id}", store)

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays of the parts that the file has, checked against each other."""
        reference = str(self.path)
        try:
            with zipfile.ZipFile(self.path) as archive:
                size = sum(item.file_size for item in archive.infolist())
            if size > BYTES_BUDGET:
                raise SourceError(
                    reference, f"would unpack to {size} bytes", f"give at most {BYTES_BUDGET} bytes"
                )
            with np.load(self.path, allow_pickle=False) as archive:
                wanted = [f"{key}_{what}" for key in PARTS for what in ("images", "labels")]
                arrays = {name: archive[name] for name in wanted if name in archive.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise SourceError(
                reference, "cannot be read as an .npz archive of numbers", "give a MedMNIST .npz file"
            ) from error
        _check(arrays, reference)
        return arrays


def _check(arrays: Mapping[str, NDArray[np.generic]], reference: str) -> None:
    if not arrays:
        raise SourceError(
            reference, "holds no train_images, val_images or test_images", "give a MedMNIST .npz file"
        )
    for key in PARTS:
        images, labels = arrays.get(f"{key}_images"), arrays.get(f"{key}_labels")
        if (images is None) != (labels is None):
            lacking = "labels" if labels is None else "images"
            raise SourceError(reference, f"lacks {key}_{lacking}", "give images and labels of each part")
        if images is None or labels is None:
            continue
        shape = images.shape
        if len(shape) not in {3, 4} or min(shape[1:3]) < SMALLEST_SIDE or (len(shape) == 4 and shape[3] != 3):
            raise SourceError(
                reference,
                f"{key}_images has the shape {shape}",
                f"give (images, rows, columns) or (images, rows, columns, 3), sides >= {SMALLEST_SIDE}",
            )
        if labels.size != shape[0] or not np.issubdtype(labels.dtype, np.number):
            raise SourceError(
                reference, f"has {labels.size} {key}_labels for {shape[0]} images", "give one number an image"
            )


class ArrayFilms:
    """Opens films that are held as arrays.

    Args:
        images: (rows, columns) or (rows, columns, 3) by study UID; read when a film is opened.
        name: Of the source, for messages.
    """

    def __init__(self, images: Mapping[str, NDArray[np.generic]], name: str) -> None:
        self._images = images
        self._name = name

    def volumes(self, study: ImagingStudy) -> tuple[Volume, ...]:
        """The study's one film; colour is turned to luminance (ITU-R BT.601); spacing is not known.

        Raises:
            StudyError: The archive holds no such study.
        """
        (pixels,) = self.contents(study)
        grey = pixels.astype(np.float32)
        if grey.ndim == 3:
            grey = np.rint(grey @ np.array([0.299, 0.587, 0.114], dtype=np.float32)).astype(np.float32)
        series = study.series[0]
        source = f"ImagingStudy/{study.study_uid}#{series.series_uid}"
        return (Volume(grey[None], np.eye(4), source, series.modality, series.view, spacing_known=False),)

    def contents(self, study: ImagingStudy) -> tuple[NDArray[np.generic]]:
        """The study's one array.

        Raises:
            StudyError: The archive holds no such study.
        """
        pixels = self._images.get(study.study_uid)
        if pixels is None:
            raise StudyError(
                f"ImagingStudy {study.study_uid}", f"is not in the {self._name}", "check the UID"
            )
        return (pixels,)
