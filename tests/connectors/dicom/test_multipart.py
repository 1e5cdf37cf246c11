"""Multipart bodies: parts are views of the body, and a body that was cut off is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dicom.multipart import boundary_of, parts
from prognosis.errors import StudyError

KIND = 'multipart/related; type="application/dicom"; boundary="b 1"'


def body(*contents: bytes, end: bytes = b"\r\n", preamble: bytes = b"", closing: bool = True) -> bytes:
    """A body of parts with one header each."""
    made = preamble
    for content in contents:
        made += b"--b 1" + end + b"Content-Type: application/dicom" + end + end + content + end
    return made + b"--b 1--" * closing


def contents(whole: bytes) -> list[bytes]:
    return [bytes(part.content) for part in parts(whole, KIND, "x")]


def test_a_part_is_a_view_of_the_body_and_no_copy() -> None:
    whole = body(b"DICM" * 10)
    (part,) = parts(whole, KIND, "x")
    assert part.content.obj is whole
    assert part.headers == {"content-type": "application/dicom"}


@given(st.lists(st.binary(max_size=60), max_size=5), st.sampled_from([b"\r\n", b"\n"]), st.booleans())
def test_any_bytes_come_back_as_they_went(pieces: list[bytes], end: bytes, preamble: bool) -> None:
    whole = body(*pieces, end=end, preamble=(b"to be ignored" + end) * preamble) + end + b"epilogue"
    assert contents(whole) == pieces


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5), st.data())
def test_a_body_cut_off_anywhere_is_refused(pieces: list[bytes], data: st.DataObject) -> None:
    whole = body(*pieces)
    with pytest.raises(StudyError):
        parts(whole[: data.draw(st.integers(0, len(whole) - 2))], KIND, "x")


def test_the_boundary_within_a_line_is_content() -> None:
    piece = b"a --b 1\r\n and --b 1-- and \r\n--b 10\r\n"
    assert contents(body(piece)) == [piece]


def test_folded_headers_and_a_part_without_any_are_read() -> None:
    whole = b"--b 1\r\nContent-Type: application/octet-stream;\r\n  transfer-syntax=1.2\r\nX:\r\n\r\nA\r\n"
    first, second = parts(whole + b"--b 1 \t\r\n\r\nB\r\n--b 1--", KIND, "x")
    assert first.headers == {"content-type": "application/octet-stream; transfer-syntax=1.2", "x": ""}
    assert (bytes(first.content), second.headers, bytes(second.content)) == (b"A", {}, b"B")


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ("multipart/related; boundary=abc", "abc"),
        ("Multipart/Related;BOUNDARY = abc; start=x", "abc"),
        (r'multipart/related; boundary="a\:b c"; type="application/dicom"', "a:b c"),
    ],
)
def test_a_boundary_is_read_quoted_or_not(kind: str, boundary: str) -> None:
    assert boundary_of(kind, "x") == boundary


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/dicom",
        "multipart/related",
        'multipart/related; boundary=""',
        "multipart/x; boundary=é",
        f"multipart/related; boundary={'x' * 71}",
        'multipart/related; boundary="x "',
    ],
)
def test_a_type_without_a_usable_boundary_is_refused(kind: str) -> None:
    with pytest.raises(StudyError):
        boundary_of(kind, "x")


def test_what_is_wrong_with_a_body_is_said() -> None:
    with pytest.raises(StudyError, match="cut off"):
        parts(body(b"A", closing=False), KIND, "x")
    with pytest.raises(StudyError, match="does not hold its boundary"):
        parts(b"<html>", KIND, "x")
    with pytest.raises(StudyError, match="headers do not end"):
        parts(b"--b 1\r\nContent-Type: x\r\n--b 1--", KIND, "x")
