"""What a verb did, noted in a service's audit where one is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def noted(verb: str, state: Path | None) -> Iterator[Callable[[Mapping[str, object]], None]]:
    """Note a verb's beginning and what came of it; nothing where no folder is named.

    Raises:
        ConfigError: The folder cannot be used, or a service uses it.
        AuditError: The audit is not what was written, or cannot be written.
    """
    if state is None:
        yield lambda _: None
        return
    from prognosis.serve.audit.acts import audited
    from prognosis.serve.state_folder import StateFolder

    with audited(verb, StateFolder(state)) as tell:
        yield tell
