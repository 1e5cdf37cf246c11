"""Hostile files: each is loaded or refused with a StudyError, and none swells or stops who asked for it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz_dicom import KINDS, mutant, run
from connectors.dicom import reader
from connectors.dicom.guard import MEMORY_BUDGET, processor_time_limited
from connectors.dicom.reader import Reader, shared_reader
from prognosis.errors import StudyError
from tests.connectors.dicom.films import write

SAMPLE = 200


def test_mutants_load_or_are_refused_and_no_reader_dies(tmp_path: Path) -> None:
    found = run(1_000_000, SAMPLE, tmp_path)
    assert found["reader_deaths"] == 0
    outcomes = found["outcomes"]
    assert isinstance(outcomes, dict)
    assert sum(outcomes.values()) == SAMPLE
    assert outcomes["loaded"] > 0
    assert len(outcomes) > len(KINDS)


def test_a_mutant_is_the_same_file_in_every_run() -> None:
    assert [mutant(number) for number in range(20)] == [mutant(number) for number in range(20)]
    assert len({mutant(number) for number in range(20)}) == 20


def test_a_dead_reader_is_replaced_and_the_next_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", 1)
    with_deaths = Reader()
    assert with_deaths.fields(path, "a") is not None
    process = with_deaths._process
    assert process is not None
    process.kill()
    process.wait()
    fields = with_deaths.fields(path, "a")
    assert fields is not None
    assert fields["PatientID"] == "p1"
    assert with_deaths.deaths == 1
    with_deaths.close()


def test_a_file_that_kills_even_a_fresh_reader_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PROGRAM", "import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 9)")
    doomed = Reader()
    with pytest.raises(StudyError, match="its reader was killed by signal 9"):
        doomed.fields(write(tmp_path / "a.dcm", 1), "a")
    assert doomed.deaths == 1
    doomed.close()


def test_a_reader_that_does_not_answer_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PROGRAM", "import time; time.sleep(60)")
    monkeypatch.setattr(reader, "ANSWER_SECONDS", 0.2)
    silent = Reader()
    with pytest.raises(StudyError, match=r"took longer than 0\.2 seconds"):
        silent.fields(write(tmp_path / "a.dcm", 1), "a")
    silent.close()


def test_frames_other_than_those_stated_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", 1)
    small = [np.empty((2, 2), dtype=np.float32)]
    with pytest.raises(StudyError, match="found other frames than it states"):
        shared_reader().pixels(path, small, "a")


def test_a_length_of_gigabytes_costs_the_reader_an_answer_and_not_its_life(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", 1)
    content = path.read_bytes()
    place = content.index(b"\x10\x00\x20\x00LO")
    path.write_bytes(
        content[:place] + struct.pack("<HH2sHI", 0x0010, 0x0020, b"UN", 0, 2**31 - 2) + content[place + 8 :]
    )
    deaths = shared_reader().deaths
    with pytest.raises(StudyError, match=f"needs more than {MEMORY_BUDGET // 2**20} MiB"):
        shared_reader().fields(path, "a")
    assert shared_reader().deaths == deaths


def test_a_block_that_uses_too_much_of_the_processor_is_stopped() -> None:
    def spin() -> None:
        with processor_time_limited(0.05, "a"):
            while True:
                pass

    with pytest.raises(StudyError, match=r"takes more than 0\.05 seconds"):
        spin()
