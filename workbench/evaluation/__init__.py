"""Decoders on recordings of known labels: data set × decoder × split → counts with their intervals.

The folder is the register of data sets: a file is a data set, it defines ``DATASET``, and reads recordings
that the user has on disk; nothing is downloaded and nothing is copied. Defaults of each paradigm are in
:mod:`workbench.evaluation._defaults` and were fixed before the first evaluation.
"""

from __future__ import annotations

from workbench import registry
from workbench.evaluation._contract import ContinuousRun, ContinuousRuns, Dataset, Epochs
from workbench.evaluation._defaults import DEFAULTS, Default, all_of, chosen, default_of
from workbench.evaluation._judge import Judged, judge
from workbench.evaluation._peers import PEERS, Peer
from workbench.evaluation._stream import StreamJudged, judge_stream
from workbench.evaluation._table import (
    as_csv,
    as_text,
    figure,
    streams_as_csv,
    streams_as_text,
    streams_figure,
    streams_to_records,
    to_records,
)

__all__ = [
    "DEFAULTS",
    "PEERS",
    "ContinuousRun",
    "ContinuousRuns",
    "Dataset",
    "Default",
    "Epochs",
    "Judged",
    "Peer",
    "StreamJudged",
    "all_of",
    "as_csv",
    "as_text",
    "available",
    "chosen",
    "default_of",
    "figure",
    "judge",
    "judge_stream",
    "load",
    "streams_as_csv",
    "streams_as_text",
    "streams_figure",
    "streams_to_records",
    "to_records",
]


def available() -> tuple[str, ...]:
    """Names of the data sets."""
    return registry.available(__name__)


def load(name: str) -> Dataset:
    """The data set of that name. Raises UnknownName with the names there are."""
    dataset: Dataset = registry.load(__name__, name, "DATASET")
    return dataset
