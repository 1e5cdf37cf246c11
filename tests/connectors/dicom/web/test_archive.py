"""An archive that misbehaves costs an error that says so: never a study in part, never another's images."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from connectors.dicom import DicomFolder, DicomWeb
from connectors.dicom.web.address import address_of
from connectors.dicom.web.session import Session
from connectors.dicom.web.storing import store_study
from prognosis.errors import PrognosisError, SourceError, StudyError
from prognosis.record import Quarantine
from tests.connectors.dicom.films import slices
from tests.connectors.dicom.web.double import (
    MULTIPART,
    SERIES,
    Archive,
    Fault,
    Reply,
    asked_for,
    from_now_on,
    multipart,
    opened,
    to_the_study,
)


def test_records_and_pixels_are_those_of_the_files(pacs: Archive, tmp_path: Path) -> None:
    quarantine = Quarantine()
    web = list(DicomWeb(pacs.address, "dicomweb:x").records(quarantine))
    files = list(DicomFolder(tmp_path / "dicom", "dicom-folder:x").records(Quarantine()))
    assert [record.patient_id for record in web] == ["p1", "p2"]
    assert [record.studies for record in web] == [record.studies for record in files]
    for ours, theirs in zip(web, files, strict=True):
        assert (ours.birth_date, ours.sex) == (theirs.birth_date, theirs.sex)
        for study, other in zip(ours.studies, theirs.studies, strict=True):
            for volume, expected in zip(study.volumes(), other.volumes(), strict=True):
                np.testing.assert_array_equal(volume.voxels, expected.voxels)
                np.testing.assert_array_equal(volume.affine, expected.affine)
                assert (volume.source, volume.view) == (expected.source, expected.view)
    assert quarantine.accepted == {"DICOM study": 3, "DICOM instance": 5}


def test_no_instance_is_asked_for_before_its_study_is_opened_and_then_once(pacs: Archive) -> None:
    source = opened(pacs)
    assert {path for _, path, _, _ in pacs.asked} == {"/dicom-web/studies"}
    study = asked_for(SERIES)
    source.volumes(study), source.contents(study), source.volumes(study)
    assert [path for _, path, _, _ in pacs.asked].count(f"/dicom-web/studies/{SERIES}") == 1


def test_what_was_retrieved_lies_where_only_its_owner_reads_and_goes_with_the_source(pacs: Archive) -> None:
    source = opened(pacs)
    paths = source.contents(asked_for(SERIES))
    assert sorted(path.name for path in paths) == [f"2.25.99{place}.dcm" for place in range(3)]
    root = paths[0].parents[1]
    assert root.stat().st_mode & 0o077 == 0
    del source
    assert not root.exists()


def test_pages_are_asked_for_until_one_is_empty_though_they_are_shorter_than_asked(pacs: Archive) -> None:
    def one_each(path: str, reply: Reply) -> Reply:
        offset = int(pacs.asked[-1][2]["offset"][0])
        return pacs.honest(path, {"limit": ["1"], "offset": [str(offset)]})

    from_now_on(pacs, one_each)
    assert set(opened(pacs).study_patients(Quarantine())) == {"2.25.1", "2.25.2", SERIES}
    assert len(pacs.asked) == 4


def test_pages_that_go_round_end(pacs: Archive) -> None:
    from_now_on(pacs, lambda path, _: pacs.honest(path, {"limit": ["2"], "offset": ["0"]}))
    with pytest.raises(SourceError, match="the same page again"):
        opened(pacs)
    assert len(pacs.asked) == 2


def cut(_: str, reply: Reply) -> Reply:
    return Reply(200, reply.body[:-40], reply.headers)


def half_closed(_: str, reply: Reply) -> Reply:
    return Reply(200, reply.body[: len(reply.body) // 2], reply.headers, declared=len(reply.body))


def longer_than_it_is(_: str, reply: Reply) -> Reply:
    return Reply(200, reply.body, reply.headers, declared=len(reply.body) + 100)


def shorter_than_it_is(_: str, reply: Reply) -> Reply:
    return Reply(200, reply.body, reply.headers, declared=len(reply.body) - 100)


@pytest.mark.parametrize("fault", [cut, half_closed, longer_than_it_is, shorter_than_it_is])
def test_an_answer_that_broke_off_is_asked_for_again_and_is_never_a_study(
    pacs: Archive, fault: Fault
) -> None:
    source = opened(pacs)
    pacs.faults[:] = [to_the_study(fault)] * 2  # how many instances there are; the images, once
    assert source.volumes(asked_for(SERIES))[0].voxels.shape == (3, 3, 4)
    assert not pacs.faults
    source = opened(pacs)
    from_now_on(pacs, to_the_study(fault))
    with pytest.raises(SourceError, match=r"broke off .* 4 times"):
        source.volumes(asked_for(SERIES))


def fewer(_: str, reply: Reply) -> Reply:
    contents = reply.body.split(b"--a-boundary")[1:-1]
    return Reply(200, b"--a-boundary".join([b"", *contents[:-1], b"--\r\n"]), reply.headers)


def one_twice(_: str, reply: Reply) -> Reply:
    contents = reply.body.split(b"--a-boundary")[1:-1]
    return Reply(200, b"--a-boundary".join([b"", *contents[:-1], contents[0], b"--\r\n"]), reply.headers)


def another_boundary(_: str, reply: Reply) -> Reply:
    return Reply(200, reply.body, {"Content-Type": MULTIPART + "-that-is-not-there"})


def no_multipart(_: str, reply: Reply) -> Reply:
    return Reply(200, reply.body, {"Content-Type": "application/dicom"})


def gone(_: str, _reply: Reply) -> Reply:
    return Reply(404)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (fewer, "3 instances in the archive, and 2 came, 2 of them different"),
        (one_twice, "3 instances in the archive, and 3 came, 2 of them different"),
        (another_boundary, "does not hold its boundary"),
        (no_multipart, "no multipart answer"),
        (gone, "is not in the archive"),
    ],
)
def test_a_study_that_came_in_part_is_refused_whole(pacs: Archive, fault: Fault, problem: str) -> None:
    source = opened(pacs)
    from_now_on(pacs, to_the_study(fault))
    for ask in (source.volumes, source.contents, source.originals):
        with pytest.raises(StudyError, match=problem):
            ask(asked_for(SERIES))


def test_images_of_another_study_or_patient_are_refused(pacs: Archive) -> None:
    other = pacs.files["2.25.1"][0].read_bytes()
    source = opened(pacs)
    wrong = to_the_study(lambda _, reply: Reply(200, multipart([other]), reply.headers), "2.25.2")
    from_now_on(pacs, wrong)
    with pytest.raises(StudyError, match="another study or patient"):
        source.volumes(asked_for("2.25.2"))


def test_of_the_promised_instances_each_is_received_or_set_aside(pacs: Archive) -> None:
    damaged = pacs.files[SERIES][0]
    damaged.write_bytes(damaged.read_bytes()[:600])
    quarantine = Quarantine()
    whole = pacs.files[SERIES]
    pacs.files[SERIES] = [whole[1], whole[2]]
    source = opened(pacs, quarantine)

    def all_three(path: str, reply: Reply) -> Reply:
        if path.endswith(SERIES):
            return Reply(200, multipart([each.read_bytes() for each in whole]), reply.headers)
        return Reply(200, reply.body.replace(b'"Value": [2]', b'"Value": [3]'), reply.headers)

    from_now_on(pacs, all_three)
    source.contents(asked_for(SERIES))
    assert quarantine.accepted["DICOM instance"] + len(quarantine) == 3
    assert len(quarantine) == 1


def test_a_study_that_the_archive_does_not_know_is_told(pacs: Archive) -> None:
    with pytest.raises(StudyError, match="is not in the archive"):
        opened(pacs).volumes(asked_for("2.25.7"))


def test_what_was_stored_is_found_again_and_what_was_not_is_told(pacs: Archive, tmp_path: Path) -> None:
    session = Session(address_of(pacs.address), "dicomweb:x")
    sent = sorted(slices(tmp_path / "more", [0.0, 1.0], number=8).iterdir())
    with pytest.raises(StudyError, match="sent with 2 instances, and the archive holds 0"):
        store_study(session, "2.25.8", sent)
    pacs.inbox = tmp_path
    pacs.faults.append(lambda *_: Reply(503, b"", {"Retry-After": "0"}))
    assert store_study(session, "2.25.8", sent) == 2
    assert [path.read_bytes() for path in pacs.files["2.25.8"]] == [path.read_bytes() for path in sent]


def test_in_another_process_it_asks_for_itself(pacs: Archive) -> None:
    sent = pickle.loads(pickle.dumps(opened(pacs)))  # noqa: S301 - made on this line
    assert sent.volumes(asked_for(SERIES))[0].voxels.shape == (3, 3, 4)


def test_no_message_names_a_patient(pacs: Archive) -> None:
    source = opened(pacs)
    from_now_on(pacs, to_the_study(fewer))
    with pytest.raises(PrognosisError) as caught:
        source.volumes(asked_for(SERIES))
    assert "p1" not in str(caught.value)
