"""A multipart answer split while it arrives gives what the body held whole gives, however it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.dicom.multipart import parts
from connectors.dicom.web.session import Answer, AnswerCutOffError
from connectors.dicom.web.splitting import part_pieces, write_parts
from prognosis.errors import StudyError
from tests.connectors.dicom.test_multipart import KIND, body

# What delimiters are made of, so that contents nearly hold them.
SCRAPS = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--b 1", b" ", b"x", b"\t", b"--b 1--", b"\0" * 300]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for every example of a property."""
    return tmp_path_factory.mktemp("parts")


def arriving(whole: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return (whole[start:end] for start, end in pairwise(places))


def split(whole: bytes, cuts: list[int], folder: Path, kind: str = KIND) -> list[bytes]:
    for left in folder.iterdir():
        left.unlink()
    answer = Answer(200, {"Content-Type": kind}, arriving(whole, cuts))
    return [path.read_bytes() for path in write_parts(answer, folder, "x")]


def outcome(whole: bytes, cuts: list[int] | None, folder: Path) -> list[bytes] | str:
    """The parts, or what is wrong; of the body held whole where there are no cuts."""
    try:
        if cuts is None:
            return [bytes(part.content) for part in parts(whole, KIND, "x")]
        return split(whole, cuts, folder)
    except AnswerCutOffError:
        return "x: ends without its closing boundary: it was cut off; ask for it again"
    except StudyError as error:
        return str(error)


@settings(max_examples=60)
@given(
    st.lists(SCRAPS.map(b"".join), max_size=4),
    st.sampled_from([b"\r\n", b"\n"]),
    st.lists(st.integers(0, 5000), max_size=30),
    st.integers(0, 5000),
)
def test_however_a_body_is_cut_on_its_way_the_outcome_is_that_of_the_whole(
    folder: Path, pieces: list[bytes], end: bytes, cuts: list[int], lost: int
) -> None:
    whole = body(*pieces, end=end, preamble=(b"to be ignored" + end) * (lost % 2)) + end + b"epilogue"
    whole = whole[: len(whole) - (lost % len(whole)) * (lost % 3 == 0)]
    assert outcome(whole, cuts, folder) == outcome(whole, None, folder)


def test_a_part_that_never_ends_is_handed_on_as_it_comes() -> None:
    split_up = part_pieces(iter([b"--b 1\r\n\r\n", *[b"\n" * 65_536] * 64]), b"--b 1", "x")
    largest = max(len(next(split_up)[1]) for _ in range(64))
    assert largest < 2 * 65_536
    with pytest.raises(AnswerCutOffError):
        list(split_up)


def test_parts_come_in_order_and_each_in_one_run() -> None:
    whole = body(b"a" * 5000, b"b" * 5000)
    numbers = [number for number, _ in part_pieces(arriving(whole, [700, 6000]), b"--b 1", "x")]
    assert [number for number, _ in groupby(numbers)] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "whole", "problem"),
    [
        ("application/dicom", body(b"a"), "no multipart"),
        ("multipart/related; boundary=other", body(b"a"), "does not hold its boundary"),
        (KIND, b"--b 1\r\nX: " + b"y" * 70_000 + b"\r\n--b 1--", "headers do not end"),
        (KIND, b"--b 1\r\nX: y\r\n--b 1--", "headers do not end"),
    ],
)
def test_what_is_no_multipart_answer_is_refused(
    tmp_path: Path, kind: str, whole: bytes, problem: str
) -> None:
    with pytest.raises(StudyError, match=problem):
        split(whole, [9], tmp_path, kind)


def test_a_body_larger_than_allowed_is_refused_before_it_is_written(tmp_path: Path) -> None:
    answer = Answer(200, {"Content-Type": KIND}, arriving(body(b"a" * 5000), [1000, 2000]))
    with pytest.raises(StudyError, match="larger than 1500 bytes"):
        write_parts(answer, tmp_path, "x", most_bytes=1500)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1500
