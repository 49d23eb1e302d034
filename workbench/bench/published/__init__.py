"""Published results of SAS and R beside ours: each number with its source, file and line.

The files are read in place and are no part of the package; where they are absent, nothing is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.bench.published._numbers import Number, records, summary, table

__all__ = ["Number", "compare", "folder", "records", "summary", "table"]

PLACE = ("shared", "data", "statistics")
"""Where the published results lie, in the working folder or beside a folder above it."""


def folder(given: Path | None = None) -> Path | None:
    """The folder of published results; None where there is none."""
    here = Path.cwd()
    places = [given] if given else [one.joinpath(*PLACE) for one in (here, *here.parents)]
    return next((place for place in places if (place / "fev_data.csv").is_file()), None)


def compare(root: Path, step: Callable[[str], object] = lambda name: None) -> Iterator[Number]:
    """Every number of every source.

    ``step`` : called with the name of each source before it is worked out.
    """
    from workbench.bench.published import camis, fitted, mmrm_sas, reference_based

    for module in (mmrm_sas, fitted, camis, reference_based):
        step(module.__name__.rsplit(".", 1)[-1])
        yield from module.numbers(root)
