"""A program that is started on this machine, waited for, and stopped again by its process id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prognosis.errors import SourceError

READY_S = 120.0
LAST_WORDS_S = 10.0
"""For a program that was asked to end; then it is killed."""

LOOK_EVERY_S = 0.1


@contextmanager
def started(
    command: Sequence[str],
    log: Path,
    is_ready: Callable[[], bool],
    *,
    environment: Mapping[str, str] | None = None,
    gently: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ready, ended when this is left, whatever the reason.

    It is given a session of its own: what is typed at the terminal reaches this program only, which then ends
    the other; and what the other starts itself is ended with it.

    Args:
        command: Program and arguments.
        log: Where what it prints goes; its folder is where it runs.
        is_ready: Asked again and again, until it says so.
        environment: The program's variables; this process's own where None.
        gently: Whether it is asked to end and given time, rather than killed.

    Raises:
        SourceError: It ends by itself, or is not ready in time.
    """
    with log.open("wb") as told:
        process = subprocess.Popen(  # noqa: S603 - a program that this package names, without a shell
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            cwd=log.parent,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
    try:
        _wait(process, Path(command[0]).name, log, is_ready)
        yield process
    finally:
        stop(process, gently=gently)


def _wait(process: subprocess.Popen[bytes], name: str, log: Path, is_ready: Callable[[], bool]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        if process.poll() is not None:
            problem = f"ended with status {process.returncode} before it was ready"
            raise SourceError(name, problem, f"see {log}")
        if is_ready():
            return
        time.sleep(LOOK_EVERY_S)
    raise SourceError(name, f"was not ready within {READY_S:.0f} s", f"see {log}")


def stop(process: subprocess.Popen[bytes], *, gently: bool) -> None:
    """End a program that `started` began, and what it began itself."""
    if gently and process.poll() is None:
        _send(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LAST_WORDS_S)
    _send(process.pid, signal.SIGKILL)
    process.wait()


def _send(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # all of them have ended
        os.killpg(group, number)


def answers(url: str, token: str | None = None) -> bool:
    """Whether an address gives status 200."""
    import httpx

    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        return httpx.get(url, headers=headers, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
