"""`prognosis retract-images`: results of a study marked as not to be used, in the archive that holds them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from prognosis.cli.console import print_json, stderr
from prognosis.cli.options import JsonOption
from prognosis.errors import InputError


def retract_images(
    study: Annotated[str, typer.Argument(help="Study instance UID.")],
    archive: Annotated[str, typer.Option("--archive", help="dicomweb:URL, where the results are.")],
    model_id: Annotated[
        str | None, typer.Option("--model-id", help="Only results of this model in this version.")
    ] = None,
    reason: Annotated[
        str, typer.Option(help="safety: to be hidden from every reader; or quality.")
    ] = "safety",
    *,
    json_output: JsonOption = False,
) -> None:
    """Mark the results that were written beside a study's images as not to be used (a rejection note)."""
    from prognosis.cli.sources import images_archive
    from prognosis.outputs.dicom_files import encoded
    from prognosis.outputs.dicom_rejection import rejection_note

    place = images_archive(archive)
    results = [
        each
        for each in place.results_of(study, "prognosis")
        if model_id is None or str(each.get("SoftwareVersions", "")) == model_id
    ]
    if not results:
        raise InputError(
            f"study {study}", "has no such results in the archive", "check its UID and the model"
        )
    note = rejection_note(results, reason, made_at=datetime.now(UTC))
    written = place.write_back(study, {"rejection note": encoded(note)})
    stderr.print(
        f"{len(results)} results of study {study} retracted"
        + ("" if written.stored else ", as they were before"),
        markup=False,
        highlight=False,
    )
    if json_output:
        uids = [str(each.SOPInstanceUID) for each in results]
        print_json({"study": study, "retracted": uids, "note": str(note.SOPInstanceUID)})
