"""Studies that were retrieved, in a folder that no one else may read and that goes with the program."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

MOST_BYTES = 4 * 2**30
"""What is held at most, unless a single study is larger: the study used longest ago goes first."""


class HeldStudies:
    """A folder a study, each filled when it is first asked for.

    Args:
        most_bytes: What is held at most, beside the study asked for last.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._root: Path | None = None

    def folder(self, study_uid: str, fill: Callable[[Path], object]) -> Path:
        """The study's folder, filled by `fill` unless it is held; nothing is held of one that fails."""
        folder = self._of(study_uid)
        if study_uid in self._sizes:
            self._sizes.move_to_end(study_uid)
            return folder
        folder.mkdir(mode=0o700)
        try:
            fill(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._sizes[study_uid] = sum(path.stat().st_size for path in folder.iterdir())
        while len(self._sizes) > 1 and sum(self._sizes.values()) > self._most_bytes:
            oldest, _ = self._sizes.popitem(last=False)
            shutil.rmtree(self._of(oldest), ignore_errors=True)
        return folder

    def _of(self, study_uid: str) -> Path:
        """Named by a digest: who may list temporary folders need not learn whose studies are open."""
        return self._rooted() / hashlib.sha256(study_uid.encode()).hexdigest()[:20]

    def _rooted(self) -> Path:
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="prognosis-dicomweb-"))  # of mode 0700
            weakref.finalize(self, _remove, self._root, os.getpid())
        return self._root


def _remove(root: Path, owner: int) -> None:
    """A forked process leaves its parent's files alone."""
    if os.getpid() == owner:
        shutil.rmtree(root, ignore_errors=True)
