"""A code square (QR) of the record's head, so that a printed page can be compared without typing 64 digits."""

from __future__ import annotations

import segno

from workbench.figures.palette import COLOURS
from workbench.reports.blocks import Picture

SIDE = 96.0
QUIET = 4
"""Light modules around it, as ISO/IEC 18004 asks for."""


def code_square(text: str, *, alt: str) -> Picture:
    """The square of a text, error correction M.

    Parameters
    ----------
    text : what a reader of such squares gives back.
    alt : what it holds, for screen readers.
    """
    rows = segno.make(text, error="m", micro=False).matrix
    n = len(rows) + 2 * QUIET
    path = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE:g}" height="{SIDE:g}" viewBox="0 0 {n} {n}" '
        f'shape-rendering="crispEdges"><rect width="{n}" height="{n}" fill="{COLOURS["surface"]}"/>'
        f'<path d="{path}" fill="{COLOURS["ink"]}"/></svg>'
    )
    return Picture(svg, SIDE, alt)
