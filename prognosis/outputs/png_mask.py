"""A segmentation of a film as a PNG, for everything that opens pictures."""

from __future__ import annotations

import io

from prognosis.outputs.segmentation_figures import COLOURS
from prognosis.record import Segmentation


def png_mask(segmentation: Segmentation) -> bytes:
    """The labels as the pixels of a PNG with a palette: 0 black, each structure in its outline's colour.

    A program that reads the pixels finds the labels; one that shows them, the structures.

    Args:
        segmentation: Of one slice.
    """
    from PIL import Image

    (labels,) = segmentation.labels
    image = Image.fromarray(labels, mode="P")
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(segmentation.structures))]
    image.putpalette(bytes(3) + b"".join(bytes.fromhex(colour[1:]) for colour in colours))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
