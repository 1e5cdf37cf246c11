"""What the imaging evidence keeps of one study once its pixels have been read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Encoding:
    """All that evidence is made from, without pixels: a thousand numbers at most.

    Attributes:
        members: (members, causes, regions) each member's evidence, averaged over the fold models, each about
            its training mean; of a study that is not read, no number.
        distance: From the training images, over its 99th percentile there.
        caution: What is doubtful about the film; "" for nothing.
        refusal: Why the study is not read; "" when it is.
    """

    members: NDArray[np.float64]
    distance: float = 0.0
    caution: str = ""
    refusal: str = ""

    @classmethod
    def refused(cls, reason: str) -> Encoding:
        """Of a study that is opened and not read."""
        return cls(np.zeros((0, 0, 0)), refusal=reason)


@dataclass(frozen=True, slots=True)
class EncodedFilm:
    """One film of a case.

    Attributes:
        encoding: Its own.
        time: When it was taken.
        source: "ImagingStudy/<uid>".
    """

    encoding: Encoding
    time: datetime
    source: str

    @property
    def caution(self) -> str:
        """What is doubtful about it, else ""."""
        return self.encoding.caution
