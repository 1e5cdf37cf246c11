"""A damaged or hostile file costs what cannot be read of it; an unusable folder is an error."""

import gzip
from pathlib import Path

import pytest

from prognosis.errors import SourceError
from tests.connectors.fhir.resources import line, observation, patient, read_beside_good, read_folder


def test_a_byte_order_mark_is_accepted_and_blank_lines_are_no_resources(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + line(patient()) + b"\r\n\r\n" + line(observation()) + b"\r\n"
    records, quarantine = read_beside_good(tmp_path, content)
    assert len(records[1].events) == 1
    assert len(quarantine) == 0


def test_gzipped_ndjson_is_read(tmp_path: Path) -> None:
    content = gzip.compress(line(patient()) + b"\n" + line(observation()))
    records, quarantine = read_beside_good(tmp_path, content, "bad.ndjson.gz")
    assert len(records[1].events) == 1
    assert len(quarantine) == 0


def test_a_gzip_that_breaks_off_keeps_what_was_read_and_says_so(tmp_path: Path) -> None:
    lines = b"".join(line(observation(f"o{number}")) + b"\n" for number in range(2000))
    content = gzip.compress(line(patient()) + b"\n" + lines)
    records, quarantine = read_beside_good(tmp_path, content[: len(content) // 2], "bad.ndjson.gz")
    (rejection,) = quarantine
    assert (rejection.reference, "to its end" in rejection.problem) == ("bad.ndjson.gz", True)
    assert 0 < len(records[1].events) < 2000


def test_a_gzip_that_is_none_is_set_aside(tmp_path: Path) -> None:
    _, quarantine = read_beside_good(tmp_path, b"plain", "bad.ndjson.gz")
    assert [item.reference for item in quarantine] == ["bad.ndjson.gz"]


def test_a_gzip_bomb_is_stopped(tmp_path: Path) -> None:
    bomb = gzip.compress(b"\0" * (96 * 2**20))
    _, quarantine = read_beside_good(tmp_path, bomb, "bad.ndjson.gz")
    assert [(item.reference, item.problem) for item in quarantine] == [
        ("bad.ndjson.gz", "inflates far beyond its size")
    ]


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "export"
    (outside / "more").mkdir(parents=True)
    folder.mkdir()
    (outside / "secret.ndjson").write_bytes(line(patient("secret")))
    (folder / "stolen.ndjson").symlink_to(outside / "secret.ndjson")
    (folder / "tree").symlink_to(outside, target_is_directory=True)
    records, quarantine = read_beside_good(folder, line(patient()))
    assert [record.patient_id for record in records] == ["anna", "victim", "zoe"]
    assert sorted(item.reference for item in quarantine) == ["stolen.ndjson", "tree"]


@pytest.mark.parametrize("missing", [True, False], ids=["missing", "empty"])
def test_a_folder_that_is_missing_or_empty_is_an_error(tmp_path: Path, *, missing: bool) -> None:
    folder = tmp_path / "nothing" if missing else tmp_path
    with pytest.raises(SourceError, match="give"):
        read_folder(folder)


def test_a_folder_without_patients_is_an_error_that_counts_what_was_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(line(observation()) + b"\n[]\n")
    with pytest.raises(SourceError, match=r"no Patient.*1 rejections"):
        read_folder(tmp_path)
