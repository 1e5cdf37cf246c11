"""The service killed and under load, in small: what the benchmarks count, and that they can find a loss."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import killed_server, service_load
from tests.simulated import Simulated


def named(small: Simulated) -> list[str]:
    return ["--model", str(small.model_folder), *(word for uri in small.uris for word in ("--source", uri))]


@pytest.mark.slow
def test_a_service_killed_under_load_loses_nothing_that_it_acknowledged(
    small: Simulated, capsys: pytest.CaptureFixture[str]
) -> None:
    assert killed_server.main(["--kills", "2", "--clients", "4", *named(small)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kills"] == 2
    assert found["answers_lost"] == found["feedback_lost"] == 0


def test_an_answer_or_a_feedback_that_is_gone_would_be_counted(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "scores")) as db:
        db.execute("CREATE TABLE feedback (card TEXT)")
        db.execute("INSERT INTO feedback VALUES ('a')")
        db.commit()
    told = killed_server.Acknowledged(feedback={"a", "b"})
    assert told.feedback - killed_server.feedback_in(tmp_path / "scores") == {"b"}


@pytest.mark.slow
def test_under_load_nobody_is_given_the_answer_of_another(
    small: Simulated, capsys: pytest.CaptureFixture[str]
) -> None:
    assert service_load.main(["--requests", "150", "--connections", "16", *named(small)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mix_ups"] == 0
    assert found["statuses"] == {"200": 150}
    assert {row["what"] for row in found["rows"]} == {
        "FastAPI echo",
        "patient-view",
        "risk",
        "feedback",
        "the mix",
    }


def test_a_card_of_another_patient_would_be_seen() -> None:
    own = {
        "cards": [{"detail": "progression 31%\nFrom what was known; the record was last read 3 hours ago."}]
    }
    later = {
        "cards": [{"detail": "progression 31%\nFrom what was known; the record was last read 4 hours ago."}]
    }
    other = {
        "cards": [{"detail": "progression 32%\nFrom what was known; the record was last read 3 hours ago."}]
    }
    assert service_load.mark(own) == service_load.mark(later)
    assert service_load.mark(own) != service_load.mark(other)
