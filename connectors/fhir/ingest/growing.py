"""Arrays that grow at their end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Growing:
    """An array of rows; `rows` is it with room behind, `count` how many there are.

    Args:
        kind: Of its numbers.
        width: Numbers a row; 0 for rows that are single numbers.
        room: Rows to begin with.
    """

    def __init__(self, kind: type[np.generic], width: int = 0, room: int = 1024) -> None:
        self.rows: NDArray[Any] = np.zeros((room, width) if width else room, kind)
        self.count = 0

    def add(self, rows: ArrayLike) -> int:
        """Put rows at the end; the place of the first."""
        begun, more = self.count, np.asarray(rows, self.rows.dtype)
        self.leave(len(more))
        self.count += len(more)
        self.rows[begun : self.count] = more
        return begun

    def leave(self, room: int) -> None:
        """Have room behind for so many rows."""
        needed = self.count + room
        if needed > len(self.rows):
            larger = np.zeros((2 * needed, *self.rows.shape[1:]), self.rows.dtype)
            larger[: self.count] = self.rows[: self.count]
            self.rows = larger
