"""Asking the reader process: one for all files, started when first needed, started again when it dies.

A file that crashes its parser, takes all memory it may, or answers too late costs that process and nothing
else: the file gets a StudyError and the next file a new process. A death is blamed on a file only if it
happens in a process that read nothing before it, so a file is asked for at most twice.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from connectors.dicom.fields import Fields
from connectors.dicom.worker import FRAME, HEAD, JSON
from prognosis.errors import StudyError

if TYPE_CHECKING:
    from io import FileIO

ANSWER_SECONDS = 120.0
RENEWED_AFTER = 5_000
LARGEST_ANSWER = 256 * 2**20
PROGRAM = "from connectors.dicom.worker import main; main()"


class ReaderDiedError(Exception):
    """The process ended, answered nonsense or was stopped; says which."""


class Reader:
    """A process that reads files, and its replacement each time it dies.

    Attributes:
        deaths: How many processes died or were stopped.
    """

    def __init__(self) -> None:
        self.deaths = 0
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._answered = 0

    def fields(self, path: Path, reference: str) -> Fields | None:
        """What a file states, None when it says that it is no image.

        Raises:
            StudyError: The file cannot be read, or killed the process that read it.
        """
        found: Fields | None = self._ask("fields", path, reference, ())["fields"]
        return found

    def frame_fields(self, path: Path, reference: str) -> tuple[Fields, list[Fields]]:
        """What a file states, and for each frame what its functional groups state.

        Raises:
            StudyError: As for `fields`.
        """
        answer = self._ask("frames", path, reference, ())
        return answer["fields"], answer["groups"]

    def pixels(self, path: Path, out: Sequence[NDArray[np.float32]], reference: str) -> None:
        """Decode a file's frames into `out`, one contiguous (rows, columns) each.

        Raises:
            StudyError: As for `fields`, or the file has other frames than `out` expects.
        """
        self._ask("pixels", path, reference, out)

    def close(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()

    def _ask(
        self, question: str, path: Path, reference: str, out: Sequence[NDArray[np.float32]]
    ) -> dict[str, Any]:
        line = (
            json.dumps({"ask": question, "path": str(path.absolute()), "reference": reference}).encode()
            + b"\n"
        )
        with self._lock:
            while True:
                process = self._running()
                fresh = self._answered == 0
                try:
                    answer = _exchange(process, line, out)
                except ReaderDiedError as error:
                    self.deaths += 1
                    self.close()
                    if not fresh:
                        continue
                    raise StudyError(
                        reference, f"cannot be read: its reader {error}", "export it from the archive again"
                    ) from error
                except BaseException:
                    self.close()  # an answer half read would be taken for the next one's
                    raise
                self._answered += 1
                if self._answered == RENEWED_AFTER:  # whatever memory was lost to fragments comes back
                    self.close()
                if "problem" in answer:
                    raise StudyError(reference, answer["problem"], answer["remedy"])
                return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid():
            root = str(Path(__file__).resolve().parents[2])
            path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, on a fixed line
                [sys.executable, "-c", PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
            self._owner, self._answered = os.getpid(), 0
        return self._process


def _exchange(
    process: subprocess.Popen[bytes], line: bytes, out: Sequence[NDArray[np.float32]]
) -> dict[str, Any]:
    try:
        cast("FileIO", process.stdin).write(line)
    except OSError as error:
        raise ReaderDiedError(_ending(process)) from error
    frames = iter(out)
    while True:
        head = bytearray(HEAD.size)
        _receive(process, memoryview(head))
        kind, length = HEAD.unpack(head)
        if kind == JSON and length <= LARGEST_ANSWER:
            body = bytearray(length)
            _receive(process, memoryview(body))
            answer: dict[str, Any] = json.loads(body)
            if "problem" not in answer and next(frames, None) is not None:
                raise ReaderDiedError("found fewer frames than it states")
            return answer
        frame = next(frames, None)
        if kind != FRAME or frame is None or frame.nbytes != length:
            raise ReaderDiedError("found other frames than it states")
        _receive(process, frame.data.cast("B"))


def _receive(process: subprocess.Popen[bytes], place: memoryview) -> None:
    """Fill `place` from the process, which must not be silent for longer than `ANSWER_SECONDS`."""
    pipe = cast("FileIO", process.stdout)
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    got = 0
    while got < len(place):
        if not poll.poll(1000.0 * ANSWER_SECONDS):
            raise ReaderDiedError(f"took longer than {ANSWER_SECONDS:g} seconds")
        count = pipe.readinto(place[got:])
        if not count:
            raise ReaderDiedError(_ending(process))
        got += count


def _ending(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(1.0)
    except subprocess.TimeoutExpired:
        return "stopped answering"
    return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"


_SHARED = Reader()
atexit.register(_SHARED.close)


def shared_reader() -> Reader:
    """The reader of this program."""
    return _SHARED
