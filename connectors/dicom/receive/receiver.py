"""A storage SCP (PS3.4 annex B): known senders only, images only, an instance on disk before its answer."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from connectors.dicom.guard import COMPRESSED, UNCOMPRESSED
from connectors.dicom.receive.inbox import OUT_OF_RESOURCES, Bounds, Inbox, WholeStudy
from prognosis.errors import MissingDependencyError, SourceError

if TYPE_CHECKING:
    from pynetdicom.ae import ApplicationEntity
    from pynetdicom.events import Event
    from pynetdicom.transport import ThreadedAssociationServer

STORED = (
    "1.2.840.10008.5.1.4.1.1.1",  # Computed radiography
    "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-ray for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-ray for processing
    "1.2.840.10008.5.1.4.1.1.2",  # CT
    "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
    "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy converted enhanced CT
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
    "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy converted enhanced MR
    "1.2.840.10008.5.1.4.1.1.128",  # PET
    "1.2.840.10008.5.1.4.1.1.130",  # Enhanced PET
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary capture, as films that were scanned are
)
"""The storage SOP classes that are read as evidence; a sender of others is told so as it connects."""

VERIFICATION = "1.2.840.10008.1.1"
REJECTED, BY_USER, CALLER_UNKNOWN = 1, 1, 3
SILENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Callers:
    """Who may send.

    Attributes:
        titles: AE titles of the senders; at least one.
        peers: Addresses of their machines; at least one.
        at_once: Associations at one time.
    """

    titles: tuple[str, ...]
    peers: tuple[str, ...] = ("127.0.0.1",)
    at_once: int = 4


class Receiver:
    """Receives while it is open (`with`); ask it for the studies that became whole.

    Memory holds one instance for each association that is open at one time.

    Args:
        folder: Where studies are kept, see `Inbox`.
        title: Its own AE title; a caller of another title is refused.
        host: Address to listen on.
        port: To listen on; 0 for a free one.
        callers: Who may send.
        bounds: What it may cost.

    Raises:
        SourceError: The folder, the title or the port cannot be used, or nobody may send.
        MissingDependencyError: pynetdicom is not installed.
    """

    def __init__(
        self, folder: Path, *, title: str, host: str, port: int, callers: Callers, bounds: Bounds
    ) -> None:
        for each in (title, *callers.titles):
            if not 0 < len(each) <= 16 or not each.isascii() or not each.isprintable() or "\\" in each:
                raise SourceError(f"AE title {each!r}", "is none", "give 1 to 16 characters")
        if not callers.titles or not callers.peers:
            raise SourceError("the receiver", "was told of no sender", "name the AE titles that may send")
        self.callers = callers
        self.inbox = Inbox(folder, bounds, time.monotonic)
        self._coming: dict[int, int] = {}
        try:
            self._server = self._listening(title, host, port)
        except BaseException:
            self.inbox.close()
            raise

    @property
    def port(self) -> int:
        """That it listens on."""
        return int(self._server.server_address[1])

    def whole_studies(self) -> tuple[WholeStudy, ...]:
        """Those that became whole since it was asked last."""
        return self.inbox.settle()

    def close(self) -> None:
        """Take no more; what is on its way is held for the next start."""
        self._server.ae.shutdown()
        self._server.server_close()
        self.inbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listening(self, title: str, host: str, port: int) -> ThreadedAssociationServer:
        try:
            from pynetdicom import evt
        except ImportError as error:
            raise MissingDependencyError(
                "pynetdicom", "is not installed", "run make install, or pip install '.[serve]' in the clone"
            ) from error
        # What pynetdicom logs quotes titles, addresses and data sets.
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
        handlers: list[Any] = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_ESTABLISHED, self._opened),
            (evt.EVT_PDU_RECV, self._came),
            (evt.EVT_C_ECHO, lambda _event: 0x0000),
            (evt.EVT_C_STORE, self._stored),
            (evt.EVT_RELEASED, self._released),
            (evt.EVT_ABORTED, self._broken_off),
            (evt.EVT_CONN_CLOSE, self._broken_off),
        ]
        entity = _entity(title, self.callers)
        try:
            return cast(
                "ThreadedAssociationServer",
                entity.start_server((host, port), block=False, evt_handlers=handlers),
            )
        except OSError as error:
            problem = f"cannot be listened on ({error.strerror})"
            raise SourceError(f"port {port}", problem, "stop what uses it, or name another") from error

    def _requested(self, event: Event) -> None:
        if event.assoc.requestor.address not in self.callers.peers:
            self.inbox.counts["connections refused"] += 1
            event.assoc.acse.send_reject(REJECTED, BY_USER, CALLER_UNKNOWN)
            event.assoc.kill()

    def _opened(self, event: Event) -> None:
        number = id(event.assoc)
        self._coming[number] = 0
        self.inbox.opened(number)

    def _came(self, event: Event) -> None:
        """Break off what sends more than an instance may hold, before memory holds it."""
        number = id(event.assoc)
        if number not in self._coming:
            return
        self._coming[number] += len(event.pdu)
        if self._coming[number] > self.inbox.bounds.largest_bytes + 2**20:
            self.inbox.counts["broken off for their size"] += 1
            if event.assoc.dul.socket is not None:
                event.assoc.dul.socket.close()

    def _stored(self, event: Event) -> int:
        number = id(event.assoc)
        self._coming[number] = 0
        try:
            content = event.encoded_dataset()
        except MemoryError:
            return OUT_OF_RESOURCES
        named = getattr(event.request, "AffectedSOPInstanceUID", "")
        return self.inbox.keep(number, str(named), content)

    def _released(self, event: Event) -> None:
        self._ended(event, released=True)

    def _broken_off(self, event: Event) -> None:
        self._ended(event, released=False)

    def _ended(self, event: Event, *, released: bool) -> None:
        """Whatever is told first is how it ended; a closed connection follows a release too."""
        number = id(event.assoc)
        if self._coming.pop(number, None) is not None:
            self.inbox.closed(number, released=released)


def _entity(title: str, callers: Callers) -> ApplicationEntity:
    from pynetdicom import AE

    entity = AE(ae_title=title)
    entity.require_called_aet = True
    entity.require_calling_aet = list(callers.titles)
    entity.maximum_associations = callers.at_once
    entity.network_timeout = entity.acse_timeout = entity.dimse_timeout = SILENT_SECONDS
    entity.add_supported_context(VERIFICATION)
    syntaxes = sorted(UNCOMPRESSED) + sorted(COMPRESSED)
    for kind in STORED:
        entity.add_supported_context(kind, syntaxes)
    return entity
