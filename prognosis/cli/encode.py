"""`prognosis encode`: a model's imaging evidence of every study, made once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prognosis.cli.console import Bars, print_json, stderr
from prognosis.cli.loading import load_records, report_quarantine
from prognosis.errors import ScopeError
from prognosis.evidence.imaging.cohort_encoding import EncodingAccount, encode_studies
from prognosis.evidence.imaging.model import ImagingEvidence
from prognosis.fusion import load_model
from prognosis.record import Quarantine


def run_encode(sources: Sequence[str], folder: Path, cache: Path, *, json_output: bool) -> None:
    """Encode the sources' studies for a model and say what became of them.

    Raises:
        ScopeError: The model reads no images.
    """
    model = load_model(folder, cache)
    evidence = model.evidence.get("imaging")
    if not isinstance(evidence, ImagingEvidence) or evidence.cache is None:
        raise ScopeError(model.model_id, "reads no images", "name a model with imaging among its modalities")
    read = Quarantine()
    records = load_records(sources, model.task, read)
    studies = [study for record in records for study in record.studies]
    with Bars() as bars:
        account = encode_studies(evidence, evidence.cache, studies, bars)
    report_quarantine(account.quarantine)
    for reason, count in account.refused.most_common():
        stderr.print(f"{count} not read by the model: {reason}", markup=False, highlight=False)
    stderr.print(
        f"{account.studies} studies in {cache}: {account.encoded} encoded, {account.found} were there, "
        f"{account.other_views} of other views, {len(account.quarantine)} set aside",
        markup=False,
        highlight=False,
    )
    if json_output:
        print_json({"model_id": model.model_id, "cache": str(cache), **_stated(account, read)})


def _stated(account: EncodingAccount, read: Quarantine) -> dict[str, object]:
    return {
        "studies": account.studies,
        "encoded": account.encoded,
        "found": account.found,
        "other_views": account.other_views,
        "refused": dict(account.refused),
        "quarantined": [
            {"reference": each.reference, "problem": each.problem, "remedy": each.remedy}
            for each in (*read, *account.quarantine)
        ],
    }
