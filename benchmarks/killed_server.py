"""The service killed again and again under load: is its audit whole, is anything lost that it acknowledged?

`OMP_NUM_THREADS=1 python -m benchmarks.killed_server [--kills 100] [--clients 8] [--patients 120] [--seed 0]
[--model DIR --source URI ...]`

Every patient is scored ahead by `prognosis watch --once`. Then `prognosis serve` runs as a process of its own
while clients ask for risks and cards and send feedback. It is killed (SIGKILL) at a random moment and started
again on the same folder. After each kill every entry of the audit is verified; every answer that a client had
must be in it, by the sha256 of its bytes, and every feedback that was acknowledged must be in the store.
Without --model a cohort is simulated and a small model trained on it. Exit status 1 where anything is gone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from benchmarks.served_model import PROGRAM, Served, cpu_seconds, free_port, served_model, wait_until_ready
from prognosis.serve.audit import Entry, verify_audit
from prognosis.serve.pseudonyms import SiteKey
from prognosis.serve.state_folder import StateFolder

VIEW = "prognosis-patient-view"


@dataclass(slots=True)
class Acknowledged:
    """What clients were told.

    Attributes:
        answers: sha256 of each answer's bytes.
        feedback: Cards whose feedback was taken.
        failed: Requests that got no answer.
    """

    answers: Counter[str] = field(default_factory=Counter)
    feedback: set[str] = field(default_factory=set)
    failed: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, start again and compare; the exit status."""
    stated = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    stated.add_argument("--kills", type=int, default=100)
    stated.add_argument("--clients", type=int, default=8)
    stated.add_argument("--patients", type=int, default=120)
    stated.add_argument("--seed", type=int, default=0)
    stated.add_argument("--model", type=Path)
    stated.add_argument("--source", action="append", default=[])
    asked = stated.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        served = served_model(Path(name), asked.model, asked.source, asked.patients)
        report = killed(served, Path(name) / "state", asked.kills, asked.clients, asked.seed)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return int(bool(report["answers_lost"] or report["feedback_lost"]))


def killed(served: Served, state: Path, kills: int, clients: int, seed: int) -> dict[str, object]:
    """Kill so many times, once more start, and say what was found."""
    random = np.random.default_rng(seed)
    told, starts, cpu = Acknowledged(), [], []
    folder = StateFolder(state)
    beyond = 0
    subprocess.run(  # noqa: S603 - this project's own program
        command_of("watch", served, state, "--once"), check=True, capture_output=True
    )
    for struck in range(kills):
        process, port, seconds = start(served, state)
        starts.append(seconds)
        cpu.append(cpu_seconds(process))
        under_load(process, port, served.patients, told, clients, float(random.uniform(0.05, 2.0)))
        found = verify_audit(folder.audit, folder.audit_head, SiteKey.of(folder.key))
        beyond += found.beyond_head
        sys.stderr.write(f"kill {struck + 1}: {found.entries} entries whole\n")
    process, _, seconds = start(served, state)
    starts.append(seconds)
    cpu.append(cpu_seconds(process))
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    found = verify_audit(folder.audit, folder.audit_head, SiteKey.of(folder.key))
    return {
        "kills": kills,
        "clients": clients,
        "entries": found.entries,
        "entries_not_acknowledged": beyond,
        "answers_acknowledged": sum(told.answers.values()),
        "answers_lost": sum((told.answers - answers_in(folder.audit)).values()),
        "feedback_acknowledged": len(told.feedback),
        "feedback_lost": len(told.feedback - feedback_in(folder.scores)),
        "seconds_to_ready_median": round(float(np.median(starts)), 2),
        "seconds_to_ready_longest": round(max(starts), 2),
        "cpu_seconds_to_ready_median": round(float(np.median(cpu)), 2),
    }


def command_of(verb: str, served: Served, state: Path, *more: str) -> list[str]:
    """A command line of the program."""
    named = [word for source in served.sources for word in ("--source", source)]
    return [*PROGRAM, verb, "--model", str(served.model), "--state", str(state), *named, *more]


def start(served: Served, state: Path) -> tuple[subprocess.Popen[bytes], int, float]:
    """A service that is ready, its port, and the seconds from its start until then."""
    port = free_port()
    began = time.monotonic()
    command = command_of("serve", served, state, "--port", str(port))
    process = subprocess.Popen(  # noqa: S603 - this project's own program
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until_ready(process, port)
    return process, port, time.monotonic() - began


def under_load(
    process: subprocess.Popen[bytes],
    port: int,
    patients: Sequence[str],
    told: Acknowledged,
    clients: int,
    after_s: float,
) -> None:
    """Ask from several clients at once, and kill after some seconds."""
    lock, ended = threading.Lock(), threading.Event()
    threads = [
        threading.Thread(target=ask, args=(port, patients, told, lock, ended, number))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    ended.set()
    for thread in threads:
        thread.join()


def ask(
    port: int,
    patients: Sequence[str],
    told: Acknowledged,
    lock: threading.Lock,
    ended: threading.Event,
    number: int,
) -> None:
    """Risks, cards and feedback in turn, until there is no answer."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http:
        turn = number
        while not ended.is_set():
            turn += 1
            patient, card = patients[turn % len(patients)], str(uuid.uuid4())
            try:
                if turn % 3 == 0:
                    answer = http.get(f"/risk/{patient}")
                elif turn % 3 == 1:
                    answer = http.post(f"/cds-services/{VIEW}", json=call(patient))
                else:
                    answer = http.post(f"/cds-services/{VIEW}/feedback", json=feedback(card))
            except httpx.HTTPError:
                with lock:
                    told.failed += 1
                return
            with lock:
                told.answers[hashlib.sha256(answer.content).hexdigest()] += 1
                if turn % 3 == 2 and answer.status_code == 200:
                    told.feedback.add(card)


def call(patient: str) -> dict[str, object]:
    """One call of the patient-view service."""
    return {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": {"patientId": patient}}


def feedback(card: str) -> dict[str, object]:
    """Feedback on one card."""
    one = {"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-03-02T12:05:31Z"}
    return {"feedback": [one]}


def answers_in(audit: Path) -> Counter[str]:
    """sha256 of every answer that the audit has."""
    with closing(sqlite3.connect(audit)) as db:
        return Counter(
            Entry.read(number, text).answer for number, text in db.execute("SELECT number, entry FROM audit")
        )


def feedback_in(scores: Path) -> set[str]:
    """Every card that has feedback."""
    with closing(sqlite3.connect(scores)) as db:
        return {card for (card,) in db.execute("SELECT card FROM feedback")}


if __name__ == "__main__":
    sys.exit(main())
