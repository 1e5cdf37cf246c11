"""A network of its own for the demonstration, where this machine allows one: a loopback and nothing else.

Orthanc listens on every address, and its configuration cannot change that; here there is one address only.
What runs in it cannot reach anything outside either.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from types import FrameType

from prognosis.cli.console import stderr

INSIDE = "PROGNOSIS_LIVE_APART"
"""The environment variable that says whether this process is inside: "yes", or "no" where it shall not be."""

_PROGRAM = "from prognosis.cli.live.apart import inside; inside()"
_SET_FLAGS = 0x8914
"""SIOCSIFFLAGS and IFF_UP, netdevice(7)."""
_UP = 0x1


def run_apart() -> int | None:
    """Run this command again in a network of its own, and wait for it.

    Ctrl-C and SIGTERM are handed on, once each: the other process ends what it started and then itself.

    Returns:
        Its exit status; None where this process is to do the work: it is inside already, or cannot be.
    """
    if os.environ.get(INSIDE):
        return None
    made = _unshare()
    if made is None:
        told = "no network of its own can be made here: Orthanc refuses other machines by its configuration"
        stderr.print(told, soft_wrap=True)
        return None
    own = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(  # noqa: S603 - this interpreter, on this command's own arguments
        [*made, sys.executable, "-c", _PROGRAM, *sys.argv[1:]],
        env={**os.environ, INSIDE: "yes", "PYTHONPATH": path},
        start_new_session=True,
    )

    def hand_on(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def _unshare() -> list[str] | None:
    """The command that runs another in a network of its own; None where it is not allowed."""
    program = shutil.which("unshare")
    if program is None:
        return None
    for options in (["--net"], ["--map-root-user", "--net"]):
        tried = subprocess.run(  # noqa: S603 - a program of the system, on fixed options
            [program, *options, "true"], capture_output=True, check=False
        )
        if tried.returncode == 0:
            return [program, *options]
    return None


def inside() -> None:
    """What runs in the new network: its loopback is raised, then the command itself."""
    from fcntl import ioctl

    from prognosis.cli.main import run

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        ioctl(asked, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))
    run()
