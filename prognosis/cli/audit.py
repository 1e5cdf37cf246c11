"""`prognosis audit`: is it what was written, and does it come out the same again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from prognosis.cli.console import print_json, stdout
from prognosis.cli.sources.patients import SourcePatients
from prognosis.errors import ConfigError
from prognosis.fusion import load_model
from prognosis.serve.audit.replay import replay_audit
from prognosis.serve.audit.verify import verify_audit
from prognosis.serve.pseudonyms import SiteKey
from prognosis.serve.scores import ScoreStore
from prognosis.serve.state_folder import StateFolder


def run_verify(state: Path, head: Path | None, *, json_output: bool) -> None:
    """Verify an audit and say how many entries it has.

    Raises:
        AuditError: It is not what was written.
        ConfigError: There is none.
    """
    folder = audit_folder(state, head)
    found = verify_audit(folder.audit, folder.audit_head, SiteKey.of(folder.key))
    if json_output:
        print_json(asdict(found))
        return
    beyond = f", {found.beyond_head} of them not acknowledged when it was killed" if found.beyond_head else ""
    stdout.print(f"{found.entries} entries, each as written{beyond}", highlight=False)
    stdout.print(f"last hash {found.last_hash}", highlight=False)


def run_replay(
    state: Path,
    head: Path | None,
    folder: Path,
    sources: Sequence[str],
    cache: Path | None,
    *,
    json_output: bool,
) -> int:
    """Score again what was answered; the exit status.

    Raises:
        AuditError: The audit is not what was written.
        PrognosisError: The model or the sources cannot be used.
    """
    place = audit_folder(state, head)
    key = SiteKey.of(place.key)
    verify_audit(place.audit, place.audit_head, key)
    model = load_model(folder, cache)
    records = SourcePatients(sources, model.task)
    found = replay_audit(place.audit, ScoreStore(place.scores), key, model, records)
    if json_output:
        print_json(asdict(found))
    else:
        for name, value in asdict(found).items():
            stdout.print(f"{name.replace('_', ' ')}: {value}", highlight=False)
    return int(bool(found.differing))


def audit_folder(state: Path, head: Path | None) -> StateFolder:
    """The folder of a service that has an audit.

    Raises:
        ConfigError: There is none in it.
    """
    folder = StateFolder(state, head)
    if not folder.audit.is_file() or not folder.key.is_file():
        raise ConfigError(str(state), "holds no audit", "name the folder that prognosis serve was given")
    return folder
