"""A study is encoded once: the cache changes no bit of an answer, and never serves what it should not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from prognosis.cohort import Case
from prognosis.errors import InputError, StudyError
from prognosis.evidence.imaging.cache import StudyCache, encoder_digest
from prognosis.evidence.imaging.cohort_encoding import encode_studies
from prognosis.evidence.imaging.encoding import Encoding
from prognosis.fusion import load_model
from prognosis.prediction import predict_cases
from prognosis.record import ImagingStudy
from tests.evidence.imaging.cache.films import FILMS, Archive, cached, imaging, read
from tests.simulated import Simulated


def entries(cache: StudyCache) -> list[Path]:
    return sorted(path for path in (cache.folder / "studies").rglob("*") if path.is_file())


def asked(small: Simulated) -> list[Case]:
    """Cases with one film, with two, and with none."""
    without = [case for case in small.cohort.cases if not case.record.studies][:2]
    return [*small.complete[:8], *without]


def test_predictions_without_a_cache_into_one_and_out_of_one_are_equal_bit_for_bit(
    small: Simulated, tmp_path: Path
) -> None:
    cases = asked(small)
    plain = load_model(small.model_folder)
    answers = [(predict_cases(plain, cases), [imaging(plain).tokens(case) for case in cases])]
    for _ in ("into", "out of"):
        model = load_model(small.model_folder, tmp_path / "cache")
        answers.append((predict_cases(model, cases), [imaging(model).tokens(case) for case in cases]))
    assert imaging(model).cache.made == 0 < imaging(model).cache.found
    for predictions, tokens in answers[1:]:
        for found, expected in zip(predictions, answers[0][0], strict=True):
            for curves in ("cumulative_incidence", "low", "high"):
                for cause, curve in getattr(expected, curves).items():
                    assert np.array_equal(getattr(found, curves)[cause], curve)
            assert found.cautions == expected.cautions
            assert found.modalities_missing == expected.modalities_missing
        for mine, theirs in zip(tokens, answers[0][1], strict=True):
            assert [(t.name, t.source, t.time, t.age_days) for t in mine] == [
                (t.name, t.source, t.time, t.age_days) for t in theirs
            ]
            assert all(np.array_equal(a.vector, b.vector) for a, b in zip(mine, theirs, strict=True))


def test_who_else_is_asked_about_changes_no_bit_of_a_patients_evidence(small: Simulated) -> None:
    evidence, cases = imaging(small.model), small.complete[:6]
    together = evidence.summarise(cases).evidence
    for row, case in enumerate(cases):
        assert np.array_equal(evidence.summarise([case]).evidence[0], together[row])


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-7],
        lambda content: content[:40],
        lambda content: content.replace(b"0.", b"1.", 1),
        lambda content: content + b" ",
    ],
    ids=["empty", "cut", "cut in the checksum", "altered", "longer"],
)
def test_a_damaged_entry_is_made_again_and_never_used(
    small: Simulated, archive: Archive, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    evidence, cache = cached(small, tmp_path / "cache")
    before = evidence.encoding(archive.studies[0])
    (entry,) = entries(cache)
    entry.write_bytes(damage(entry.read_bytes()))
    again = evidence.encoding(archive.studies[0])
    assert (cache.made, cache.found) == (2, 0)
    assert np.array_equal(again.members, before.members)
    evidence.encoding(archive.studies[0])
    assert (cache.made, cache.found) == (2, 1)


def test_another_studys_entry_put_in_a_studys_place_is_not_used(
    small: Simulated, archive: Archive, tmp_path: Path
) -> None:
    evidence, cache = cached(small, tmp_path / "cache")
    first, second = archive.studies[:2]
    own = evidence.encoding(first)
    (entry,) = entries(cache)
    other = evidence.encoding(second)
    (foreign,) = set(entries(cache)) - {entry}
    assert not np.array_equal(own.members, other.members)
    shutil.copy(foreign, entry)
    assert np.array_equal(evidence.encoding(first).members, own.members)
    assert cache.made == 3


def test_another_model_another_header_and_another_record_each_make_a_new_key(
    small: Simulated, archive: Archive, tmp_path: Path
) -> None:
    evidence, cache = cached(small, tmp_path / "cache")
    study = archive.studies[0]
    evidence.encoding(study)
    retrained = StudyCache(cache.folder, encoder_digest("weights of another training"))
    retrained.kept(study, evidence._encode)
    assert (retrained.made, retrained.found) == (1, 0)

    path = archive.files(study)
    film = dcmread(path)
    film.BodyPartExamined = "ABDOMEN"
    film.save_as(path)
    changed = read(archive.folder)
    (same,) = [each for each in changed.studies if each.study_uid == study.study_uid]
    evidence.encoding(same)
    assert (cache.made, cache.found) == (2, 0)


def test_files_that_did_not_change_are_not_read_again_and_a_change_without_trace_in_the_clock_is_seen(
    small: Simulated, archive: Archive, tmp_path: Path
) -> None:
    evidence, cache = cached(small, tmp_path / "cache")
    study = archive.studies[0]
    path = archive.files(study)
    before = evidence.encoding(study)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns

    content = bytearray(path.read_bytes())
    content[-2000:] = bytes(2000)
    path.write_bytes(content)
    os.utime(path, ns=times)  # as a program that copies files does: same path, size and time of writing
    after = evidence.encoding(study)
    assert (cache.made, cache.found) == (2, 0)
    assert not np.array_equal(after.members, before.members)

    os.utime(path)  # written anew with the same bytes
    evidence.encoding(study)
    assert (cache.made, cache.found) == (2, 1)


def test_a_study_that_changes_while_it_is_read_is_not_kept(
    small: Simulated, archive: Archive, tmp_path: Path
) -> None:
    _, cache = cached(small, tmp_path / "cache")
    path = archive.files(archive.studies[0])

    def changing(_: ImagingStudy) -> Encoding:
        path.write_bytes(path.read_bytes() + b"\0")
        return Encoding(np.zeros((1, 1, 1)))

    cache.kept(archive.studies[0], changing)
    assert entries(cache) == []


def test_a_refused_film_is_remembered_with_its_reason_and_a_file_that_cannot_be_read_is_not(
    small: Simulated, archive: Archive, tmp_path: Path
) -> None:
    blank, damaged, good = archive.studies
    film = dcmread(archive.files(blank))
    film.PixelData = bytes(len(film.PixelData))
    film.save_as(archive.files(blank))
    whole = archive.files(damaged).read_bytes()
    archive.files(damaged).write_bytes(whole[: len(whole) // 2])

    for made, found in ((2, 0), (0, 2)):
        evidence, cache = cached(small, tmp_path / "cache")
        account = encode_studies(evidence, cache, archive.studies)
        assert (account.studies, account.encoded, account.found) == (3, made, found)
        assert dict(account.refused) == {"film is blank": 1}
        assert [each.reference for each in account.quarantine] == [
            f"ImagingStudy/{damaged.study_uid}#{damaged.series[0].series_uid}"
        ]
    with pytest.raises(StudyError):
        evidence.encoding(damaged)
    archive.files(damaged).write_bytes(whole)
    assert encode_studies(evidence, cache, archive.studies).encoded == 1
    assert evidence.encoding(good).refusal == ""


def test_an_encoding_that_was_killed_is_gone_on_with_and_nothing_is_encoded_twice(
    small: Simulated, archive: Archive, tmp_path: Path
) -> None:
    evidence, cache = cached(small, tmp_path / "cache")

    def killed(_: str, done: int, total: int) -> None:
        if done == total - 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_studies(evidence, cache, archive.studies, killed)
    (cache.folder / "studies" / "ab").mkdir(exist_ok=True)
    (cache.folder / "studies" / "ab" / "tmp1234").write_bytes(b"half of an ent")  # what a kill can leave
    account = encode_studies(*cached(small, tmp_path / "cache"), archive.studies)
    assert (account.encoded, account.found) == (1, FILMS - 1)


def test_the_cache_holds_no_name_id_date_or_path_and_only_its_owner_may_read_it(
    small: Simulated, archive: Archive, tmp_path: Path
) -> None:
    evidence, cache = cached(small, tmp_path / "cache")
    encode_studies(evidence, cache, archive.studies)
    kept = [path for path in cache.folder.rglob("*") if path.is_file()]
    machines = [path for path in kept if "machines" in path.parts]  # what networks are run by
    assert len(kept) - len(machines) == 2 * FILMS
    assert len(machines) <= 1
    whole = b"".join(path.read_bytes() + path.relative_to(cache.folder).as_posix().encode() for path in kept)
    for study in archive.studies:
        header = dcmread(archive.files(study))
        private = (header.PatientID, header.StudyInstanceUID, header.SeriesInstanceUID, header.StudyDate)
        assert not [value for value in (*private, archive.files(study).name) if str(value).encode() in whole]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in cache.folder.rglob("*") if path.is_dir()} == {0o700}
    assert cache.folder.stat().st_mode & 0o777 == 0o700
    assert max(path.stat().st_size for path in kept) < 4096


@pytest.mark.parametrize("opened", ["", "studies", "files"])
def test_a_cache_that_others_may_write_is_refused(tmp_path: Path, opened: str) -> None:
    (tmp_path / opened).mkdir(exist_ok=True)
    (tmp_path / opened).chmod(0o777)
    with pytest.raises(InputError, match="may be written by others"):
        StudyCache(tmp_path, "encoder")


def test_a_cache_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="no folder"):
        StudyCache(tmp_path / "file", "encoder")


FROM_CACHE = """
import sys
from datetime import UTC, datetime
from prognosis.cli.sources import read_records
from prognosis.cohort import Case
from prognosis.fusion import load_model
from prognosis.record import Quarantine
model, cache, films = sys.argv[1:]
evidence = load_model(model, cache).evidence["imaging"]
records = read_records([f"dicom-folder:{films}"], None, Quarantine())
summary = evidence.summarise([Case(record, datetime(2100, 1, 1, tzinfo=UTC)) for record in records])
assert summary.present.all() and evidence.cache.made == 0
print(*sorted({"torch", "monai", "transformers"} & set(sys.modules)))
"""


def test_what_was_encoded_needs_no_engine_of_networks(
    small: Simulated, archive: Archive, tmp_path: Path
) -> None:
    encode_studies(*cached(small, tmp_path / "cache"), archive.studies)
    paths = [str(path) for path in (small.model_folder, tmp_path / "cache", archive.folder)]
    ran = subprocess.run(
        [sys.executable, "-c", FROM_CACHE, *paths], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    imported = ran.stdout.split()
    assert imported == [] or not version("torch").endswith("+cpu")
