"""A WADO-RS answer of many instances cut into its parts."""

from __future__ import annotations

import email.parser
import email.policy
from collections.abc import Iterator

import numpy as np

from benchmarks.speed.timing import OURS, Comparison, in_turn
from connectors.dicom.multipart import parts

PACKAGES = ()
BOUNDARY = "prognosis-boundary-0123456789"
KIND = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'


def _body(instances: int, size: int) -> bytes:
    rng = np.random.default_rng(0)
    pieces = []
    for _ in range(instances):
        pieces.append(f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode())
        pieces += [rng.bytes(size), b"\r\n"]
    return b"".join([*pieces, f"--{BOUNDARY}--\r\n".encode()])


def _compare(instances: int, size: int) -> Comparison:
    body = _body(instances, size)
    message = f"Content-Type: {KIND}\r\n\r\n".encode() + body
    parser = email.parser.BytesParser(policy=email.policy.HTTP)

    def by_email() -> list[bytes]:
        return [part.get_payload(decode=True) for part in parser.parsebytes(message).iter_parts()]

    run = {OURS: lambda: parts(body, KIND, "body"), "email.parser": by_email}
    timings, values = in_turn(run, {OURS: 9, "email.parser": 3})
    ours = [bytes(part.content) for part in values[OURS]]
    if ours != values["email.parser"]:
        raise AssertionError("the parts differ")
    return Comparison(
        task=f"multipart/related answer of {instances} instances, {len(body) / 1e6:.0f} MB, into its parts",
        timings=timings,
        goals={"email.parser": 50.0},
        equality="every byte of every part equals",
    )


def comparisons(*, quick: bool, threads: int) -> Iterator[Comparison]:
    """200 instances of 512 x 512 x 16 bits."""
    yield _compare(*((20, 10_000) if quick else (200, 525_000)))
