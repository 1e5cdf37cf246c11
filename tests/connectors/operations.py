"""What is asked of servers, each as one act through a way on which things go wrong, with its account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.dicom import DicomWeb
from connectors.dicom.web.waiting import Patience as ArchivePatience
from connectors.fhir import FhirServer, FhirWriter
from connectors.fhir.bulk_export.export import BulkExport
from connectors.fhir.http.limits import Limits
from connectors.fhir.http.login import GivenToken
from connectors.fhir.http.retry import RetryPolicy
from prognosis.record import Quarantine
from tests.connectors.dicom.films import slices, write
from tests.connectors.dicom.web.double import SERIES, archive, asked_for
from tests.connectors.dicom.web.test_writing_back import result
from tests.connectors.fhir.bulk_export.depot import AT_ONCE, Depot
from tests.connectors.fhir.ledger import ledger
from tests.connectors.fhir.test_writing import ANSWERS
from tests.connectors.fhir.ward import FACTS, PATIENTS, Ward, opened

DEADLINE_S = 0.8
POLICY = RetryPolicy(attempts=3, deadline_s=DEADLINE_S, first_wait_s=0.001, longest_wait_s=0.01)
LIMITS = Limits(silence_s=0.25)
ARCHIVE = ArchivePatience(attempts=3, deadline_s=DEADLINE_S, silence_s=0.25, first_wait_s=0.001)
SLICES = [0.0, 5.0, 2.5]


@dataclass(frozen=True, slots=True)
class Came:
    """The account of an act that ended without an error."""

    expected: int
    received: int
    quarantined: int = 0


Act = Callable[[int], Came]
"""At a port of loopback."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that is asked of a server.

    Attributes:
        to: Whether a method and a path are what is to go wrong.
        ready: Opens the honest server: its port, and the act; to be done again after it failed.
    """

    to: Callable[[str, str], bool]
    ready: Callable[[Path], AbstractContextManager[tuple[int, Act]]]


def port_of(address: str) -> int:
    return int(address.split(":")[2].split("/", maxsplit=1)[0])


@contextmanager
def pulling(_: Path) -> Iterator[tuple[int, Act]]:
    """All records of a small ward, two patients in a group and two matches on a page."""

    def pull(port: int) -> Came:
        quarantine = Quarantine()
        server = FhirServer(
            f"http://127.0.0.1:{port}/fhir",
            "fhir-server:x",
            policy=POLICY,
            limits=LIMITS,
            patients_at_once=2,
        )
        records = list(server.records(quarantine))
        assert [len(each.events) for each in records] == [3, 3, 3]
        repeated = quarantine.notices["resource occurs more than once with the same content: used once"]
        return Came(len(PATIENTS) + len(FACTS), quarantine.accepted.total() - repeated, len(quarantine))

    with opened(Ward([*PATIENTS, *FACTS])) as ward:
        yield port_of(ward.address), pull


@contextmanager
def exporting(folder: Path) -> Iterator[tuple[int, Act]]:
    """Two files of an export, into one folder however often it takes."""
    depot = Depot([], polls=2)
    expected = {kind: content.count(b"\n") for kind, _, content in depot.files.values()}

    def export(port: int) -> Came:
        depot.address = f"http://127.0.0.1:{port}/fhir"
        quarantine = Quarantine()
        ran = BulkExport(
            depot.address,
            folder / "out",
            login=GivenToken(lambda: "secret"),
            policy=POLICY,
            limits=LIMITS,
            patience=replace(AT_ONCE, total_s=DEADLINE_S, file_s=DEADLINE_S),
        ).run(quarantine)
        assert dict(ran.resources) == expected
        files = sorted((folder / "out").glob("*.ndjson"))
        received = sum(path.read_bytes().count(b"\n") for path in files)
        return Came(sum(expected.values()), received, len(quarantine))

    with opened(depot):
        yield port_of(depot.address), export


def studies(folder: Path) -> dict[str, list[Path]]:
    return {
        "2.25.1": [write(folder / "one.dcm", 1, "p1")],
        "2.25.2": [write(folder / "two.dcm", 2, "p2")],
        SERIES: sorted(slices(folder / "ct", SLICES).iterdir()),
    }


def web(port: int) -> DicomWeb:
    return DicomWeb(f"http://127.0.0.1:{port}/dicom-web", "dicomweb:x", patience=ARCHIVE)


@contextmanager
def searching(folder: Path) -> Iterator[tuple[int, Act]]:
    """Which studies an archive has."""

    def search(port: int) -> Came:
        quarantine = Quarantine()
        found = web(port).study_patients(quarantine)
        return Came(3, len(found), len(quarantine))

    with archive(studies(folder)) as pacs:
        yield pacs.port, search


@contextmanager
def retrieving(folder: Path) -> Iterator[tuple[int, Act]]:
    """The instances of two studies, one after the other."""

    def retrieve(port: int) -> Came:
        quarantine, source = Quarantine(), web(port)
        source.study_patients(quarantine)
        assert source.volumes(asked_for(SERIES))[0].voxels.shape == (len(SLICES), 3, 4)
        assert source.volumes(asked_for("2.25.1"))[0].voxels.shape == (1, 3, 4)
        return Came(len(SLICES) + 1, quarantine.accepted["DICOM instance"], len(quarantine))

    with archive(studies(folder)) as pacs:
        yield pacs.port, retrieve


@contextmanager
def writing(_: Path) -> Iterator[tuple[int, Act]]:
    """An answer of three resources in one transaction."""
    held = ledger()

    def put(port: int) -> Came:
        writer = FhirWriter(f"http://127.0.0.1:{port}/fhir", "fhir-server:x", policy=POLICY, limits=LIMITS)
        written = writer.write(ANSWERS)
        assert {each.version.rpartition("/")[2] for each in written} == {"1"}  # never written twice
        return Came(len(ANSWERS), len(held.held.keys() & {each.name for each in written}))

    with opened(held):
        yield port_of(held.address), put


@contextmanager
def storing(folder: Path) -> Iterator[tuple[int, Act]]:
    """A result beside the images of its study."""
    content = result(folder)

    def store(port: int) -> Came:
        done = web(port).write_back("2.25.1", {"report.dcm": content})
        kept = [path for path in pacs.files["2.25.1"] if path.read_bytes() == content]
        assert len(done.stored) + len(done.held) == 1
        return Came(1, len(kept))

    with archive(studies(folder)) as pacs:
        pacs.inbox = folder / "inbox"
        pacs.inbox.mkdir()
        yield pacs.port, store


OPERATIONS = {
    "search": Operation(lambda _, path: path.endswith("/Observation/_search"), pulling),
    "page": Operation(lambda method, path: (method, path) == ("GET", "/fhir/Observation"), pulling),
    "bulk kick-off": Operation(lambda _, path: path.endswith("$export"), exporting),
    "bulk status": Operation(lambda method, path: (method, path) == ("GET", "/fhir/jobs/1"), exporting),
    "bulk file": Operation(lambda _, path: path.endswith("o.ndjson"), exporting),
    "QIDO": Operation(lambda _, path: path == "/dicom-web/studies", searching),
    "WADO": Operation(lambda _, path: path == f"/dicom-web/studies/{SERIES}", retrieving),
    "write FHIR": Operation(lambda method, path: method == "POST" and path.endswith("/fhir"), writing),
    "write STOW": Operation(lambda method, path: method == "POST" and "/studies/" in path, storing),
}
