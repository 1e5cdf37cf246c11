"""How far the audit goes, kept apart from it: without this, a chain cut short would still be a chain."""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

from prognosis.errors import AuditError
from prognosis.serve.audit.entry import START
from prognosis.serve.pseudonyms import SiteKey


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry that was acknowledged.

    Attributes:
        number: Of the entry; 0 before the first.
        hash: Of the entry.
    """

    number: int = 0
    hash: str = START


def write_head(path: Path, head: Head, key: SiteKey) -> None:
    """Put a head in its place, whole or not at all, signed with the site's key."""
    told = f"{head.number} {head.hash}"
    content = json.dumps({"number": head.number, "hash": head.hash, "mac": key.mac(told.encode())})
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_head(path: Path, key: SiteKey) -> Head | None:
    """The head; None where there is no file.

    Raises:
        AuditError: The file cannot be read, or was not written by a holder of the site's key.
    """
    remedy = "keep both files as they are and find out who wrote to them"
    try:
        stated = json.loads(path.read_bytes())
        head = Head(int(stated["number"]), str(stated["hash"]))
        mac = str(stated["mac"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AuditError(str(path), "cannot be read", remedy) from error
    if not hmac.compare_digest(mac, key.mac(f"{head.number} {head.hash}".encode())):
        raise AuditError(str(path), "was not written with this site's key", remedy)
    return head
