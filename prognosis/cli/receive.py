"""`prognosis receive`: studies that are pushed, kept in a folder that is read as dicom-folder:DIR."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from prognosis.cli.console import stderr
from prognosis.cli.options import JsonOption

LOOK_EVERY_SECONDS = 0.5


def receive(  # noqa: PLR0913 - one parameter an option
    out: Annotated[Path, typer.Option("--out", help="Where whole studies are kept.")],
    sender: Annotated[list[str], typer.Option("--sender", help="AE title that may send; several may.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="To listen on; 0 for a free one.")] = 11112,
    ae_title: Annotated[str, typer.Option("--ae-title", help="Its own.")] = "PROGNOSIS",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    peer: Annotated[
        list[str] | None, typer.Option(help="Address that may send; this machine alone by default.")
    ] = None,
    quiet: Annotated[
        float, typer.Option(min=0, help="Seconds without an image after which a study is whole.")
    ] = 60.0,
    *,
    largest_mib: Annotated[int, typer.Option(min=1, help="Of one image.")] = 512,
    keep_free_mib: Annotated[int, typer.Option(min=0, help="Left free on the disk.")] = 1024,
    json_output: JsonOption = False,
) -> None:
    """Take studies that scanners and archives push (C-STORE), until it is stopped; tell of each whole one."""
    from prognosis.cli.sources import Listening, open_receiver

    peers = tuple(peer or ("127.0.0.1",))
    listening = Listening(ae_title, host, port, sender, peers, quiet, largest_mib, keep_free_mib)
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with open_receiver(out, listening) as running:
            stderr.print(f"listening on {host}:{running.port} as {ae_title}", markup=False, highlight=False)
            while True:
                ending = stopped.wait(LOOK_EVERY_SECONDS)
                for whole in running.whole_studies():
                    said = {
                        "study": whole.study_uid,
                        "instances": whole.instances,
                        "folder": str(whole.folder),
                    }
                    plain = f"whole: {whole.study_uid}, {whole.instances} instances in {whole.folder}"
                    typer.echo(json.dumps(said) if json_output else plain)
                if ending:
                    break
            coming, interrupted = running.inbox.waiting()
        counts = ", ".join(f"{count} {name}" for name, count in sorted(running.inbox.counts.items()))
        stderr.print(f"instances: {counts or 'none'}", markup=False, highlight=False)
        stderr.print(
            f"{coming} studies held back, {interrupted} of them interrupted: have them sent again",
            markup=False,
            highlight=False,
        )
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
