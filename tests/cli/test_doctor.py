"""`prognosis doctor`: each red line comes with what mends it."""

from __future__ import annotations

import json

import pytest

from prognosis.cli.doctor import Finding, doctor, examine


def test_whatever_needs_mending_comes_with_a_remedy() -> None:
    findings = tuple(examine())
    assert {finding.what for finding in findings} >= {
        "Python",
        "torch",
        "device",
        "RLE lossless",
        "text encoder",
        "disk",
    }
    assert all(finding.remedy for finding in findings if finding.verdict != "good")


def test_the_findings_can_be_read_by_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    status = doctor(json_output=True)
    findings = [Finding(**line) for line in json.loads(capsys.readouterr().out)]
    assert status == int(any(finding.verdict == "bad" for finding in findings))


def test_the_table_ends_with_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    doctor(json_output=False)
    assert "mending" in capsys.readouterr().out.splitlines()[-1]
