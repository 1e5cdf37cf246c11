"""The process that parses and decodes files nobody vouches for: little memory, one question at a time.

Questions come as lines of JSON on standard input. Each answer is a run of messages on standard output: a
letter, the length in 8 bytes, and the body. `J` is JSON and ends the answer, `F` is a frame of 32-bit floats.
What a decoder prints goes nowhere: it would break into the answers, and may quote the file.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from connectors.dicom.guard import MEMORY_BUDGET, faults_told
from prognosis.errors import StudyError

JSON, FRAME = b"J", b"F"
HEAD = struct.Struct("<cQ")


def answers(question: dict[str, str]) -> Iterator[tuple[bytes, memoryview]]:
    """The messages that answer one question: {"ask": fields | frames | pixels, "path", "reference"}."""
    from connectors.dicom.decoded import decoded_frames, read_frame_fields
    from connectors.dicom.parsed import read_fields

    path, reference = Path(question["path"]), question["reference"]
    try:
        with faults_told(reference):
            if question["ask"] == "fields":
                yield _json({"fields": read_fields(path, reference)})
            elif question["ask"] == "frames":
                fields, groups = read_frame_fields(path, reference)
                yield _json({"fields": fields, "groups": groups})
            else:
                for frame in decoded_frames(path, reference):
                    yield FRAME, frame.data.cast("B")
                yield _json({})
    except StudyError as error:
        yield _json({"problem": error.problem, "remedy": error.remedy})


def main() -> None:
    """Answer until standard input ends."""
    questions = sys.stdin.buffer
    channel = os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    _limit_memory()
    for line in questions:
        for kind, body in answers(json.loads(line)):
            channel.write(HEAD.pack(kind, body.nbytes))
            channel.write(body)
        channel.flush()


def _json(answer: dict[str, object]) -> tuple[bytes, memoryview]:
    return JSON, memoryview(json.dumps(answer).encode())


def _limit_memory() -> None:
    """Where the system can: it cannot on Windows."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BUDGET, MEMORY_BUDGET))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
