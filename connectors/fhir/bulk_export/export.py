"""An export from its request to verified files in a folder, going on where it was stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio

from connectors.fhir.bulk_export.deletions import deleted_ids, set_aside_issues, without
from connectors.fhir.bulk_export.download import Download
from connectors.fhir.bulk_export.manifest import ExportFile, Manifest, restored
from connectors.fhir.bulk_export.request import ExportRequest
from connectors.fhir.bulk_export.state import STATE_FILE, ExportState, claimed, saved_state
from connectors.fhir.bulk_export.waiting import Patience, Progress, kicked_off, manifest_when_ready
from connectors.fhir.http.client import FhirClient
from connectors.fhir.http.limits import Limits
from connectors.fhir.http.login import Login
from connectors.fhir.http.origin import Origin
from connectors.fhir.http.retry import RetryPolicy
from prognosis.errors import SourceError
from prognosis.record import Quarantine

FORGOTTEN = frozenset({200, 202, 204, 404, 410})
"""What a server may answer to DELETE of an export that is done."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export brought.

    Attributes:
        transaction_time: As the server states it; `since` of the next export.
        resources: How many by type, before deletions were applied.
        deleted: Resources that the server says were deleted.
        removed: Those of them that were in the files.
        issues: What the server could not export.
        requested: The address that was asked.
    """

    transaction_time: str
    resources: Mapping[str, int]
    deleted: int
    removed: int
    issues: int
    requested: str


class BulkExport:
    """An export of one server into one folder.

    Args:
        base: The address of the FHIR service.
        folder: New, empty, or of the same export that was stopped.
        request: What is asked for.
        login: Gives the token, sent to the server's own origin only; None where none is asked for.
        also: Addresses whose origins may hold the files; the token never goes there.
        policy: When a request is made again.
        limits: Bounds on answers, silence and requests at once.
        patience: How long the server may take.

    Raises:
        SourceError: An address cannot be used.
    """

    def __init__(
        self,
        base: str,
        folder: Path,
        request: ExportRequest | None = None,
        *,
        login: Login | None = None,
        also: Iterable[str] = (),
        policy: RetryPolicy | None = None,
        limits: Limits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.origin = Origin(base, also=also)
        self.folder = Path(folder)
        self.request = request or ExportRequest()
        self.patience = patience or Patience()
        self._client = FhirClient(self.origin, login=login, policy=policy, limits=limits)

    def run(self, quarantine: Quarantine, on_progress: Progress | None = None) -> ExportSummary:
        """Ask, wait, download, verify, and have the server forget the export.

        Stopped at any moment, it goes on when it is run again with the same request and folder.

        Args:
            quarantine: Where goes what the server says it could not export.
            on_progress: Told (what, done, of how many).

        Raises:
            SourceError: The server cannot be used, the export fails or takes too long, a file is not what the
                manifest says, or the folder is of something else.
        """
        from anyio.from_thread import start_blocking_portal

        told = on_progress or (lambda *_: None)
        with claimed(self.folder):
            state = self._state()
            if state.finished is None:
                with start_blocking_portal() as portal, portal.wrap_async_context_manager(self._client):
                    portal.call(self._ran, state, quarantine, told)
            else:
                told("already here", 1, 1)
            finished = state.finished or {}
            return ExportSummary(**finished)

    def _state(self) -> ExportState:
        asked = str(self.origin.resolved(self.request.link))
        state = saved_state(self.folder)
        if state is None:
            if any(path.name != f"{STATE_FILE}.new" for path in self.folder.iterdir()):
                problem = "is not empty, and is no export that was stopped"
                raise SourceError(str(self.folder), problem, "give a new or empty folder")
            return ExportState(asked)
        if state.request != asked:
            problem = "holds an export that was asked for otherwise"
            raise SourceError(str(self.folder), problem, "give a new or empty folder")
        return state

    async def _ran(self, state: ExportState, quarantine: Quarantine, told: Progress) -> None:
        client, folder = self._client, self.folder
        if not state.status_url:
            state.status_url = await kicked_off(client, self.request, self.patience, told)
            state.save(folder)
        if state.manifest is None:
            found = await manifest_when_ready(client, state.status_url, self.patience, told)
            state.manifest = found.stated()
            state.save(folder)
        manifest = restored(state.manifest)
        for file in manifest.files:
            self._check_place(file)
        await self._downloaded(manifest, state, told)
        state.finished = asdict(self._settled(manifest, state, quarantine))
        try:
            await client.answer("DELETE", state.status_url, "export status", accepted=FORGOTTEN)
        except SourceError:
            quarantine.notice(
                "the server would not delete its copy of the export: it may keep it for a while"
            )
        # The addresses may carry signatures by which anyone could fetch the files.
        state.manifest, state.status_url, state.validators = None, "", {}
        state.save(folder)

    def _check_place(self, file: ExportFile) -> None:
        """Refuse a file elsewhere before anything is asked for."""
        try:
            self.origin.reached(file.url)
        except SourceError as error:
            problem = f"lays {file.name} at an origin that was not named"
            remedy = "name the origin (--allow-origin) if it is to be trusted"
            raise SourceError(f"{self.origin.name} manifest", problem, remedy) from error

    async def _downloaded(self, manifest: Manifest, state: ExportState, told: Progress) -> None:
        """Every file that is not here yet, several at a time, as many as the client asks at once."""
        missing = [file for file in manifest.files if file.name not in state.files]
        turns = anyio.CapacityLimiter(self._client.limits.requests_at_once)

        async def one(file: ExportFile) -> None:
            def begun(validator: str) -> None:
                state.validators[file.name] = validator
                state.save(self.folder)

            download = Download(
                self._client,
                file,
                self.folder,
                needs_token=manifest.needs_token,
                patience=self.patience,
                validator=state.validators.get(file.name, ""),
                on_begun=begun,
            )
            async with turns:  # before the file's own time begins to run
                state.files[file.name] = await download.finished()
            state.save(self.folder)
            told("files", len(state.files), len(manifest.files))

        try:
            async with anyio.create_task_group() as downloads:
                for file in missing:
                    downloads.start_soon(one, file)
        except ExceptionGroup as failed:
            first = failed.exceptions[0]
            raise first from first.__cause__

    def _settled(self, manifest: Manifest, state: ExportState, quarantine: Quarantine) -> ExportSummary:
        def paths(part: str) -> list[Path]:
            return [self.folder / file.name for file in manifest.files if file.part == part]

        resources: Counter[str] = Counter()
        for file in manifest.files:
            if file.part == "output":
                resources[file.name.partition(".")[0]] += state.files[file.name]
        gone: dict[str, set[Any]] = deleted_ids(paths("deleted"))
        return ExportSummary(
            manifest.transaction_time,
            dict(resources),
            sum(map(len, gone.values())),
            without(self.folder, gone),
            set_aside_issues(paths("error"), quarantine),
            state.request,
        )
