"""Small files with a checksum: several writers at once, and a reader that never sees half of one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from prognosis.evidence.imaging.cache.sealed import SealedFiles

NAME = "ab" * 32


def test_a_reader_beside_two_writers_of_one_name_sees_one_of_them_whole(tmp_path: Path) -> None:
    bodies = [bytes([number]) * 20_000 for number in (1, 2)]

    def written(body: bytes) -> None:
        own = SealedFiles(tmp_path)
        for _ in range(60):
            own.write(NAME, body)

    seen = set()
    with ThreadPoolExecutor(2) as writers:
        running = [writers.submit(written, body) for body in bodies]
        while not all(each.done() for each in running):
            seen.add(SealedFiles(tmp_path).read(NAME))
        for each in running:
            each.result()
    assert seen <= {None, *bodies}
    assert SealedFiles(tmp_path).read(NAME) in bodies
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [NAME]


@given(body=st.binary(max_size=40), place=st.integers(0, 103), flipped=st.integers(1, 255))
def test_no_flipped_byte_goes_unseen(tmp_path_factory: object, body: bytes, place: int, flipped: int) -> None:
    files = SealedFiles(tmp_path_factory.mktemp("sealed"))  # type: ignore[attr-defined]
    files.write(NAME, body)
    assert files.read(NAME) == body
    path = files.folder / NAME[:2] / NAME
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= flipped
    path.write_bytes(content)
    assert files.read(NAME) is None
