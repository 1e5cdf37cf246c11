"""A model folder is taken whole and unaltered, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prognosis.errors import BundleError
from prognosis.evidence.manifest import MANIFEST, check_manifest, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evidence" / "text").mkdir(parents=True)
    (tmp_path / "config.json").write_text('{"format": 1}', encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(bytes(range(40)))
    (tmp_path / "evidence" / "text" / "words.json").write_text("[]", encoding="utf-8")
    return tmp_path


def test_an_untouched_folder_gives_the_id_it_was_written_with(folder: Path) -> None:
    model_id = write_manifest(folder, "icu")
    assert model_id.startswith("icu-")
    assert check_manifest(folder) == model_id
    assert write_manifest(folder, "icu") == model_id


def test_every_single_flipped_bit_of_every_file_is_refused(folder: Path) -> None:
    write_manifest(folder, "icu")
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]
    assert len(files) == 3
    for path in files:
        whole = path.read_bytes()
        for place in range(len(whole)):
            altered = bytearray(whole)
            altered[place] ^= 1 << (place % 8)
            path.write_bytes(bytes(altered))
            with pytest.raises(BundleError, match="was altered"):
                check_manifest(folder)
        path.write_bytes(whole)
    check_manifest(folder)


def test_every_single_flipped_bit_of_the_manifest_is_refused(folder: Path) -> None:
    write_manifest(folder, "icu")
    path = folder / MANIFEST
    whole = path.read_bytes()
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 1 << (place % 8)
        path.write_bytes(bytes(altered))
        try:
            same = json.loads(bytes(altered)) == json.loads(whole)  # white space may change without meaning
        except ValueError:
            same = False
        if not same:
            with pytest.raises(BundleError):
                check_manifest(folder)


@pytest.mark.parametrize("name", ["config.json", "evidence/text/words.json"])
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    write_manifest(folder, "icu")
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: is missing"):
        check_manifest(folder)


@pytest.mark.parametrize("name", ["extra.json", "evidence/text/extra.bin", "evidence/manifest.json"])
def test_an_added_file_is_refused_by_name(folder: Path, name: str) -> None:
    write_manifest(folder, "icu")
    (folder / name).write_text("{}", encoding="utf-8")
    with pytest.raises(BundleError, match=f"{name}: is not in the manifest"):
        check_manifest(folder)


def test_a_folder_without_a_manifest_is_no_model(folder: Path) -> None:
    with pytest.raises(BundleError, match="has no manifest"):
        check_manifest(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sha256": 3, "model_id": "x"}', '{"sha256": {}}'])
def test_a_manifest_that_says_nothing_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match="cannot be read"):
        check_manifest(folder)


def test_a_folder_that_holds_a_model_folder_points_to_it(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(BundleError, match="train it anew"):
        check_manifest(tmp_path)
    write_manifest(tmp_path / "model", "m")
    with pytest.raises(BundleError, match=r"is not a model folder: .*; did you mean .*/model\?$"):
        check_manifest(tmp_path)


def test_a_folder_that_is_not_there_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"absent: does not exist; give the folder"):
        check_manifest(tmp_path / "absent")
