"""The service under load, beside a bare FastAPI echo in the same run: throughput, p50, p99, mix-ups.

`OMP_NUM_THREADS=1 python -m benchmarks.service_load [--requests 100000] [--connections 16 64]
[--patients 120] [--model DIR --source URI ...] [--out FILE]`

Each of the two runs as a process of its own with one worker. The echo answers a small JSON body with itself.
The service answers a mix: a warm patient-view, /risk and feedback, every answer after its entry is on disk in
the audit. Every answer is held against the patient asked about: /risk by the id that it gives back, a card by
all that it said when that patient was asked about alone, but for its age. An answer of another is a mix-up.
Exit status 1 where there is one, or an answer of status 500 or above. The client has the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.keep_alive import KeepAlive
from benchmarks.killed_server import VIEW, command_of, feedback, start
from benchmarks.served_model import free_port, served_model, wait_until_ready

ECHO = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/ready")
async def ready() -> dict: return {}
@app.post("/echo")
async def echo(body: dict) -> dict: return body
uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False)
"""
Asking = Callable[[KeepAlive, int], Awaitable[str]]


@dataclass(slots=True)
class Seen:
    """What came back.

    Attributes:
        seconds: Of each request, by kind.
        statuses: How often each came.
        mix_ups: Answers about another patient than the one asked about.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    mix_ups: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result; times in milliseconds."""

    what: str
    connections: int
    requests: int
    per_second: float
    p50: float
    p99: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both; the exit status."""
    stated = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    stated.add_argument("--requests", type=int, default=100_000)
    stated.add_argument("--connections", type=int, nargs="+", default=[16, 64])
    stated.add_argument("--patients", type=int, default=120)
    stated.add_argument("--model", type=Path)
    stated.add_argument("--source", action="append", default=[])
    stated.add_argument("--out", type=Path)
    asked = stated.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        served = served_model(Path(name), asked.model, asked.source, asked.patients)
        state = Path(name) / "state"
        subprocess.run(  # noqa: S603 - this project's own program
            command_of("watch", served, state, "--once"), check=True, capture_output=True
        )
        rows = echoed(asked.requests // 10 or 1, asked.connections)
        process, port, _ = start(served, state)
        try:
            cards = expected_cards(port, served.patients)
            service = Patients(served.patients, cards)
            for connections in asked.connections:
                found = measure(port, service.ask, connections, asked.requests, service.seen)
                rows += found
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    report = {
        "rows": [asdict(row) for row in rows],
        "statuses": dict(service.seen.statuses),
        "mix_ups": service.seen.mix_ups,
    }
    told = json.dumps(report, indent=2)
    sys.stdout.write(told + "\n")
    if asked.out:
        asked.out.write_text(told + "\n", encoding="utf-8")
    return int(service.seen.mix_ups > 0 or any(status >= 500 for status in service.seen.statuses))


def echoed(requests: int, connections: Sequence[int]) -> list[Row]:
    """The echo's rows."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", ECHO, str(port)])  # noqa: S603 - the text above
    try:
        wait_until_ready(process, port)
        return [row for each in connections for row in measure(port, ask_echo, each, requests, Seen())]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


async def ask_echo(http: KeepAlive, number: int) -> str:
    """One request of the echo."""
    answer = await http.post("/echo", {"number": number})
    if answer.json() != {"number": number}:
        message = "the echo gave another's body"
        raise RuntimeError(message)
    return "FastAPI echo"


def expected_cards(port: int, patients: Sequence[str]) -> Mapping[str, str]:
    """The line of each patient's card that tells it from others: asked one at a time."""
    found = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as http:
        for patient in patients:
            found[patient] = mark(http.post(f"/cds-services/{VIEW}", json=call(patient)).json())
    return found


def call(patient: str) -> dict[str, object]:
    """One call of the patient-view service."""
    return {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": {"patientId": patient}}


def mark(answer: Mapping[str, Any]) -> str:
    """What a card says but for its age: the numbers, and what drives them with its sources."""
    cards = answer["cards"]
    detail: str = cards[0]["detail"]
    return "\n".join(line for line in detail.splitlines() if "the record was last read" not in line)


@dataclass(slots=True)
class Patients:
    """Requests about patients, each answer held against the patient asked about.

    Attributes:
        patients: Their ids.
        cards: What each one's card says.
        seen: What came back.
    """

    patients: Sequence[str]
    cards: Mapping[str, str]
    seen: Seen = field(default_factory=Seen)

    async def ask(self, http: KeepAlive, number: int) -> str:
        """One request of the mix; the kind of it."""
        patient = self.patients[(7919 * number) % len(self.patients)]
        kind = ("patient-view", "risk", "feedback")[number % 3]
        if kind == "risk":
            answer = await http.get(f"/risk/{patient}")
            mixed = answer.status == 200 and answer.json()["patient"] != patient
        elif kind == "patient-view":
            answer = await http.post(f"/cds-services/{VIEW}", call(patient))
            mixed = answer.status == 200 and mark(answer.json()) != self.cards[patient]
        else:
            answer = await http.post(f"/cds-services/{VIEW}/feedback", feedback(str(uuid.uuid4())))
            mixed = False
        self.seen.statuses[answer.status] += 1
        self.seen.mix_ups += mixed
        return kind


def measure(port: int, ask: Asking, connections: int, requests: int, seen: Seen) -> list[Row]:
    """Ask so many times over so many connections; a row for each kind and one for all."""
    seen.seconds.clear()
    began = time.perf_counter()
    asyncio.run(asked(port, ask, connections, requests, seen))
    took = time.perf_counter() - began
    every = [each for kind in seen.seconds.values() for each in kind]
    told = dict(seen.seconds) if len(seen.seconds) == 1 else {**seen.seconds, "the mix": every}
    return [
        Row(
            kind,
            connections,
            len(times),
            round(len(times) / took, 1),
            *(round(1000 * float(np.percentile(times, each)), 1) for each in (50, 99)),
        )
        for kind, times in told.items()
    ]


async def asked(port: int, ask: Asking, connections: int, requests: int, seen: Seen) -> None:
    """So many requests, as many at a time as there are connections."""
    numbers = iter(range(requests))

    async def work() -> None:
        async with KeepAlive(port) as http:
            for number in numbers:
                began = time.perf_counter()
                kind = await ask(http, number)
                seen.seconds.setdefault(kind, []).append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(work())


if __name__ == "__main__":
    sys.exit(main())
