"""The receiver of studies that scanners and archives push."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.dicom.receive.receiver import Receiver


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a receiver listens, to whom, and what it may cost.

    Attributes:
        title: Its own AE title.
        host: Address to listen on.
        port: To listen on.
        senders: AE titles that may send.
        peers: Addresses that they may send from.
        quiet_seconds: Without an instance of a study, after which it is whole.
        largest_mib: Of one instance.
        free_mib: What is left free on the disk.
    """

    title: str
    host: str
    port: int
    senders: Sequence[str]
    peers: Sequence[str]
    quiet_seconds: float
    largest_mib: int
    free_mib: int


def open_receiver(folder: Path, listening: Listening) -> Receiver:
    """A receiver that listens and keeps what comes in a folder, until it is closed.

    Raises:
        SourceError: The folder, a title or the port cannot be used, or nobody may send.
        MissingDependencyError: pynetdicom is not installed.
    """
    from connectors.dicom.receive.inbox import Bounds
    from connectors.dicom.receive.receiver import Callers, Receiver

    return Receiver(
        folder,
        title=listening.title,
        host=listening.host,
        port=listening.port,
        callers=Callers(tuple(listening.senders), tuple(listening.peers)),
        bounds=Bounds(listening.largest_mib * 2**20, listening.free_mib * 2**20, listening.quiet_seconds),
    )
