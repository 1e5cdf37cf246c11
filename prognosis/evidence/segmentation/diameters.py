"""The largest distances within a mask, exactly, without comparing every point with every other.

A mask's border is taken where it crosses the lines between neighbouring voxel centres, halfway between a
voxel inside and one outside: the points of marching squares and marching cubes at the level 0.5, so that
lengths are those of the outline and neither of voxel centres (too short) nor of voxel corners (too long).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Chord:
    """A straight line between two points of a border.

    Attributes:
        start: (d,) one end, d = 2 or 3.
        end: (d,) the other end.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]

    @property
    def length(self) -> float:
        """In the unit of its ends."""
        return float(np.linalg.norm(self.end - self.start))


@dataclass(frozen=True, slots=True)
class Axes:
    """The longest diameter of a flat shape and the longest line across it, as RECIST 1.1 measures a lesion.

    Attributes:
        long: The two border points farthest from each other.
        short: The longest line at a right angle to it whose ends lie on the shape's convex hull.
    """

    long: Chord
    short: Chord


def outer_border(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The border points that can lie on the convex hull: the outermost two on every line of voxels.

    Args:
        mask: (..., y, x) with at least one voxel; beyond the array's edge is outside.

    Returns:
        (points, d) voxel coordinates in the order of the mask's axes reversed: (x, y) or (x, y, z).
    """
    found = []
    for axis in range(mask.ndim):
        lines = np.moveaxis(mask, axis, -1)
        places = np.argwhere(lines.any(axis=-1))
        crossed = lines[tuple(places.T)]
        first = crossed.argmax(axis=-1) - 0.5
        last = crossed.shape[-1] - crossed[:, ::-1].argmax(axis=-1) - 0.5
        found += [np.insert(places.astype(np.float64), axis, end, axis=1) for end in (first, last)]
    return np.concatenate(found)[:, ::-1]


def flat_axes(points: NDArray[np.float64]) -> Axes:
    """The longest diameter and the short axis of a flat shape, by rotating calipers around its convex hull.

    Takes O(n log n) for n points (Shamos 1978; the farthest two points are antipodal on the hull).

    Args:
        points: (n, 2) border points, not all on one line, in a unit that is the same along both axes.
    """
    from scipy.spatial import ConvexHull

    hull = points[ConvexHull(points).vertices]
    first, last = _antipodal_farthest(hull)
    return Axes(Chord(hull[first], hull[last]), _across(hull, hull[first], hull[last]))


def longest_chord(points: NDArray[np.float64]) -> Chord:
    """The two of n points in space that are farthest from each other.

    The hull takes O(n log n). Its corners are then taken outermost first, each beside those that lie farther
    from the centre, until no pair left can be longer than the longest found. The corners of a shape of voxels
    are few (about the square root of n for a ball), so that their pairs cost less than the hull.

    Args:
        points: (n, 3), not all in one plane, in a unit that is the same along all axes.
    """
    from scipy.spatial import ConvexHull

    hull = points[ConvexHull(points).vertices]
    reach = np.linalg.norm(hull - (hull.max(axis=0) + hull.min(axis=0)) / 2, axis=1)
    order = np.argsort(-reach, kind="stable")
    hull, reach = hull[order], reach[order]
    longest, pair = 0.0, (0, 0)
    for place in range(1, len(hull)):
        if reach[place] + reach[0] <= longest:
            break
        distances = np.linalg.norm(hull[:place] - hull[place], axis=1)
        other = int(distances.argmax())
        if distances[other] > longest:
            longest, pair = float(distances[other]), (other, place)
    return Chord(hull[pair[0]], hull[pair[1]])


def _antipodal_farthest(hull: NDArray[np.float64]) -> tuple[int, int]:
    """The indices of the two corners farthest apart; corners run counter-clockwise."""
    corners = [(float(x), float(y)) for x, y in hull]
    count = len(corners)

    def height(edge: int, corner: int) -> float:
        (x, y), (to_x, to_y) = corners[edge], corners[(edge + 1) % count]
        at_x, at_y = corners[corner % count]
        return (to_x - x) * (at_y - y) - (to_y - y) * (at_x - x)

    farthest, pair, opposite = -1.0, (0, 0), 1
    for edge in range(count):
        while height(edge, opposite + 1) > height(edge, opposite):
            opposite += 1
        for near in (edge, (edge + 1) % count):
            for far in (opposite % count, (opposite + 1) % count):  # the second where two edges are parallel
                (x, y), (far_x, far_y) = corners[near], corners[far]
                distance = (far_x - x) ** 2 + (far_y - y) ** 2
                if distance > farthest:
                    farthest, pair = distance, (near, far)
    return pair


def _across(hull: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> Chord:
    """The longest chord of a convex polygon at a right angle to its diameter from `start` to `end`.

    The chord's length is concave and piecewise linear along the diameter, so it is longest at a corner.
    """
    length = np.linalg.norm(end - start)
    along = (end - start) / length
    normal = np.array([-along[1], along[0]])
    places, sides = (hull - start) @ along, (hull - start) @ normal
    heights = []
    for side in (1.0, -1.0):
        here = np.flatnonzero(side * sides > 0)
        here = here[np.argsort(places[here])]
        heights.append(np.interp(places, np.r_[0.0, places[here], length], np.r_[0.0, sides[here], 0.0]))
    longest = int((heights[0] - heights[1]).argmax())
    foot = start + places[longest] * along
    return Chord(foot + heights[0][longest] * normal, foot + heights[1][longest] * normal)
