"""Damaged, hostile and contradictory DICOM files are set aside with a reason; the other films go on."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless

from connectors.dicom import DicomFolder
from prognosis.errors import SourceError, StudyError
from prognosis.record import Quarantine
from tests.connectors.dicom.films import reference, slices, write


def read(folder: Path) -> tuple[list[str], list[str]]:
    """The study UIDs of the records, and the problems of what was set aside."""
    quarantine = Quarantine()
    source = DicomFolder(folder, "dicom-folder:x")
    studies = [study.study_uid for record in source.records(quarantine) for study in record.studies]
    return studies, [rejection.problem for rejection in quarantine]


def opening_error(folder: Path, number: int) -> str:
    """The problem told when a study is opened."""
    with pytest.raises(StudyError) as caught:
        DicomFolder(folder, "dicom-folder:x").volumes(reference(number))
    return caught.value.problem


def deflated(path: Path, content: bytes, times: int = 1) -> None:
    """A file in the Deflated syntax whose data set is `content`, compressed, so many times over."""
    uid = b"1.2.840.10008.1.2.1.99"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid
    start = b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(start + piece * times + packer.flush())


def change_syntax(path: Path, uid: str) -> None:
    """Rewrite the transfer syntax of a file in place; the new UID must not be longer."""
    old = b"1.2.840.10008.1.2.1\0"
    path.write_bytes(path.read_bytes().replace(old, uid.encode().ljust(len(old), b"\0"), 1))


def test_a_folder_without_a_dicom_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no usable DICOM image"):
        read(tmp_path)


def test_a_file_cut_off_in_its_header_is_set_aside(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)
    cut = write(tmp_path / "cut.dcm", 2)
    cut.write_bytes(cut.read_bytes()[:400])
    studies, problems = read(tmp_path)
    assert studies == ["2.25.1"]
    assert len(problems) == 1


def test_a_file_cut_off_in_its_pixels_cannot_be_opened(tmp_path: Path) -> None:
    cut = write(tmp_path / "cut.dcm", 2, values=np.zeros((64, 64), dtype=np.float32))
    cut.write_bytes(cut.read_bytes()[:-1000])
    assert opening_error(tmp_path, 2) == "is cut off in its pixels"


def test_a_damaged_value_is_not_quoted_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "a.dcm", 1, patient_id="CANARY-7")
    content = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(content.replace(b"20200304", b"CANARY-8"))
    read(tmp_path)
    assert "CANARY" not in caplog.text


def test_text_named_dcm_is_set_aside(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)
    (tmp_path / "notes.dcm").write_text("patient seen today", encoding="utf-8")
    assert read(tmp_path) == (["2.25.1"], ["is not a DICOM file"])


def test_an_image_without_pixel_data_cannot_be_opened(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", 1, edit=lambda dataset: delattr(dataset, "PixelData"))
    assert opening_error(tmp_path, 1) == "has no pixel data"


def test_a_deflate_bomb_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)
    deflated(tmp_path / "bomb.dcm", b"\0" * 2**20, times=294)
    assert 300_000 < (tmp_path / "bomb.dcm").stat().st_size < 310_000
    studies, problems = read(tmp_path)
    assert studies == ["2.25.1"]
    assert "inflates to more than" in problems[0]


def test_a_damaged_deflated_stream_is_set_aside(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)
    deflated(tmp_path / "bad.dcm", b"x" * 1000)
    content = bytearray((tmp_path / "bad.dcm").read_bytes())
    content[-16:] = b"\xff" * 16
    (tmp_path / "bad.dcm").write_bytes(bytes(content))
    assert read(tmp_path)[0] == ["2.25.1"]
    assert len(read(tmp_path)[1]) == 1


def test_a_header_that_claims_billions_of_pixels_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)

    def claim(dataset: Dataset) -> None:
        dataset.Rows = dataset.Columns = 65_535
        dataset.NumberOfFrames = 10_000

    write(tmp_path / "huge.dcm", 2, edit=claim)
    studies, problems = read(tmp_path)
    assert studies == ["2.25.1"]
    assert "pixels" in problems[0]


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.9.9", "1.2.3", ""])
def test_an_unknown_or_missing_transfer_syntax_is_refused(tmp_path: Path, uid: str) -> None:
    write(tmp_path / "good.dcm", 1)
    change_syntax(write(tmp_path / "odd.dcm", 2), uid)
    studies, problems = read(tmp_path)
    assert studies == ["2.25.1"]
    assert "syntax" in problems[0]


def test_encrypted_attributes_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)

    def encrypt(dataset: Dataset) -> None:
        dataset.EncryptedAttributesSequence = []

    write(tmp_path / "sealed.dcm", 2, edit=encrypt)
    assert read(tmp_path) == (["2.25.1"], ["holds encrypted attributes"])


def test_two_slices_at_one_position_are_refused(tmp_path: Path) -> None:
    slices(tmp_path, [1.0, 2.0, 2.0, 3.0])
    assert opening_error(tmp_path, 9) == "holds 1 slices at the position of another slice"


def test_a_missing_slice_is_refused(tmp_path: Path) -> None:
    slices(tmp_path, [1.0, 2.0, 4.0, 5.0])
    assert opening_error(tmp_path, 9) == "lacks 1 slices: 2 mm after slice 2 of 4, where 1 mm is usual"


def test_the_same_instance_in_two_files_is_used_once(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", 1)
    (tmp_path / "copy.dcm").write_bytes((tmp_path / "a.dcm").read_bytes())
    assert read(tmp_path) == (["2.25.1"], ["holds an instance twice"])


def test_a_study_of_two_patients_is_nobodys(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)
    write(tmp_path / "a.dcm", 2, patient_id="p1")

    def other(dataset: Dataset) -> None:
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.78"

    write(tmp_path / "b.dcm", 2, patient_id="p2", edit=other)
    assert read(tmp_path) == (["2.25.1"], ["states more than one patient id"])


def test_a_study_without_patient_or_date_gives_no_record(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)
    write(tmp_path / "nobody.dcm", 2, edit=lambda dataset: setattr(dataset, "PatientID", ""))

    def undate(dataset: Dataset) -> None:
        for level in ("Study", "Series", "Acquisition", "Content"):
            setattr(dataset, f"{level}Date", "")

    write(tmp_path / "undated.dcm", 3, edit=undate)
    assert read(tmp_path) == (["2.25.1"], ["states no patient id", "states no date"])


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    write(inside / "good.dcm", 1)
    write(outside / "secret.dcm", 2)
    (inside / "link.dcm").symlink_to(outside / "secret.dcm")
    (inside / "folder").symlink_to(outside)
    assert read(inside) == (["2.25.1"], ["is a link out of the folder"])


@pytest.mark.parametrize("uid", ["../../etc/passwd", "1.2.abc", "1" * 65])
def test_a_study_uid_that_is_no_uid_is_refused(tmp_path: Path, uid: str) -> None:
    write(tmp_path / "good.dcm", 1)
    path = write(tmp_path / "odd.dcm", 2)
    content = path.read_bytes()
    place = content.index(b"\x20\x00\x0d\x00UI")
    length = struct.unpack("<H", content[place + 6 : place + 8])[0]
    new = uid.encode() + b"\0" * (len(uid) % 2)
    path.write_bytes(content[: place + 6] + struct.pack("<H", len(new)) + new + content[place + 8 + length :])
    assert read(tmp_path) == (["2.25.1"], ["has no usable StudyInstanceUID"])


def test_sequences_nested_without_end_are_set_aside(tmp_path: Path) -> None:
    write(tmp_path / "good.dcm", 1)
    path = write(tmp_path / "deep.dcm", 2)
    content = path.read_bytes()
    place = content.index(b"\x08\x00\x05\x00CS")  # the first element after the file meta group
    opening = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    path.write_bytes(content[:place] + opening * 20_000 + content[place:])
    studies, problems = read(tmp_path)
    assert studies == ["2.25.1"]
    assert len(problems) == 1


def test_pixels_of_another_size_than_stated_cannot_be_opened(tmp_path: Path) -> None:
    def grow(dataset: Dataset) -> None:
        dataset.Rows = 300

    write(tmp_path / "a.dcm", 1, edit=grow)
    assert "cannot be parsed" in opening_error(tmp_path, 1)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_a_compressed_frame_that_claims_another_size_is_never_decoded(tmp_path: Path, syntax: UID) -> None:
    path = write(tmp_path / "a.dcm", 1, values=np.zeros((64, 64), dtype=np.float32))
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax)
    dataset.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    if syntax == JPEG2000Lossless:
        place = content.index(b"\xff\x4f\xff\x51") + 8
        changed = struct.pack(">2I", 60_000, 60_000)
    else:
        place = content.index(b"\xff\xf7") + 5
        changed = struct.pack(">2H", 60_000, 60_000)
    path.write_bytes(content[:place] + changed + content[place + len(changed) :])
    assert opening_error(tmp_path, 1) == "carries a frame of another size than it states"


def test_a_palette_or_unknown_interpretation_is_refused(tmp_path: Path) -> None:
    def paint(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "PALETTE COLOR"

    write(tmp_path / "a.dcm", 1, edit=paint)
    assert "photometric interpretation" in opening_error(tmp_path, 1)


def test_a_study_that_the_folder_does_not_hold_cannot_be_opened(tmp_path: Path) -> None:
    write(tmp_path / "a.dcm", 1)
    assert opening_error(tmp_path, 2) == "is not in the DICOM folder"


@pytest.mark.parametrize(
    ("stated", "usable"),
    [
        *((["L", "F"], True), (["A", "F"], True), (["P", "F"], True), ([], True)),
        *((["R", "F"], False), (["L", "H"], False), (["F", "L"], False), (["R", "H"], False)),
    ],
)
def test_a_film_that_states_that_it_is_mirrored_or_turned_is_not_read(
    tmp_path: Path, stated: list[str], usable: bool
) -> None:
    path = write(tmp_path / "film.dcm", 1)
    header = pydicom.dcmread(path)
    header.PatientOrientation = stated
    header.save_as(path)
    if usable:
        assert len(DicomFolder(tmp_path, "dicom-folder:x").volumes(reference(1))) == 1
    else:
        assert opening_error(tmp_path, 1).startswith("states that its rows run to")
