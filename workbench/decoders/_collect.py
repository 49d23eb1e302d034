"""Training data from a recording: the windows a paradigm names, filtered as the stream filters them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder
from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.vocabulary import Chunk, FloatArray, Marker


@dataclass(frozen=True)
class Training:
    """Summaries of windows, ready for ``fit_summaries``.

    Attributes
    ----------
    summaries : ``(n, …)`` float64, as the decoder's ``summarise`` gives them.
    labels : ``(n,)`` classes. blocks : ``(n,)`` int64; windows of a block are never split in a validation.
    ends : ``(n,)`` int64, exclusive end sample of each.
    skipped : windows left out because they were not valid (gap, flat or missing values, start of the run).
    """

    summaries: FloatArray
    labels: NDArray[Any]
    blocks: NDArray[np.int64]
    ends: NDArray[np.int64]
    skipped: int


def collect(
    decoder: WindowDecoder,
    source: Iterable[Chunk | Marker],
    wanted: Sequence[tuple[int, str, int]],
    *,
    n_channels: int,
) -> Training:
    """Run a recording through the decoder's filters and collect the wanted windows.

    Parameters
    ----------
    decoder : prepared for ``n_channels`` here if it has not been.
    source : chunks and markers; a ``"gap"`` marker restarts the filters.
    wanted : ``(exclusive end sample, class, block)`` of each window, in any order.
    n_channels : channels of the raw stream.

    Raises
    ------
    BadSignal
        When no wanted window is valid, or one ends after the recording.
    BadValue
        When one ends before the recording begins.
    """
    if not hasattr(decoder, "design_"):
        decoder.prepare(n_channels)
    stream = decoder.signal()
    waiting = sorted(wanted, key=lambda w: w[0])
    if waiting and waiting[0][0] <= 0:
        raise BadValue(Message("fit.wanted_window", got=waiting[0][0]))
    collected: list[tuple[FloatArray, tuple[int, str, int]]] = []
    i = 0
    for item in source:
        if isinstance(item, Marker):
            if item.kind == "gap":
                stream.reset()
            continue
        position = 0
        while position < len(item.samples):
            # A window can be read only while its last sample is the newest, so a chunk is cut at every wanted end.
            stop = len(item.samples)
            if i < len(waiting):
                stop = min(stop, max(waiting[i][0] - item.first, position))
            stream.step(item.samples[position:stop])
            position = stop
            # Several windows may end at one sample.
            while i < len(waiting) and waiting[i][0] == stream.n_seen:
                window, valid = stream.window(stream.n_seen)
                if valid:
                    collected.append((decoder.summarise(window), waiting[i]))
                i += 1
    if i < len(waiting):
        raise BadSignal(Message("fit.windows_after_end", n=str(len(waiting) - i), n_seen=str(stream.n_seen)))
    if not collected:
        raise BadSignal(Message("fit.no_valid_window", n=len(waiting)))
    return Training(
        np.array([summary for summary, _ in collected]),
        np.array([label for _, (_, label, _) in collected]),
        np.array([block for _, (_, _, block) in collected], dtype=np.int64),
        np.array([end for _, (end, _, _) in collected], dtype=np.int64),
        len(waiting) - len(collected),
    )
