"""The decoder that was approved last, on the trials of a new calibration, beside the one that was made from it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench import analysis, decoders, messages
from workbench.decode import decode
from workbench.decoders import JoinedDecoder, WindowDecoder
from workbench.errors import BadValue, WorkbenchError
from workbench.messages import Message
from workbench.paradigms import Paradigm
from workbench.recording import RunFile
from workbench.runs.fitting import Votes, common_plan, decided, windows_of
from workbench.runs.joint_fitting import votes_of
from workbench.vocabulary import Trial


def compare(votes: Votes, last: Path, runs: Sequence[RunFile], paradigm: Paradigm) -> dict[str, Any]:
    """Both decoders on the same trials; the new one as its validation decided them, the last one as it is.

    Parameters
    ----------
    votes : of the new one, trial by trial.
    last : folder of the last one.
    runs, paradigm : of the calibration.

    Returns
    -------
    dict
        ``sha256`` of the last one; over the trials that both decided ``n``, ``correct``, ``interval``,
        ``last_correct``, ``last_interval``, ``only_new``, ``only_last``, ``p`` and ``verdict`` (``"better"``,
        ``"no different"``, ``"worse"``); or ``why`` the two cannot be compared.
    """
    sha256 = ""
    try:
        decoder = decoders.read(last)
        sha256 = decoder.sha256_
        before = _votes(decoder, runs, paradigm)
    except WorkbenchError as error:
        return {"sha256": sha256, "why": messages.of(error)}
    # A longer window may find no place in a short period: only what both decided is compared.
    both = sorted(votes.keys() & before.keys(), key=str)
    if not both:
        return {"sha256": sha256, "why": Message("compare.no_trial")}
    found = analysis.paired([votes[trial] for trial in both], [before[trial] for trial in both])
    return {
        "sha256": sha256,
        "n": found.n,
        "correct": found.first,
        "interval": list(found.first_interval),
        "last_correct": found.second,
        "last_interval": list(found.second_interval),
        "only_new": found.only_first,
        "only_last": found.only_second,
        "p": found.p,
        "verdict": found.verdict,
    }


def _votes(decoder: WindowDecoder | JoinedDecoder, runs: Sequence[RunFile], paradigm: Paradigm) -> Votes:
    """Every cued period or choice, and whether the decoder is right about it."""
    if isinstance(decoder, JoinedDecoder):
        if paradigm.selects:
            raise BadValue(Message("compare.joined"))
        return votes_of(decoder, runs, paradigm)
    decoders.check_montage(decoder, common_plan(runs)[0])
    return _of_choices(decoder, runs, paradigm) if paradigm.selects else _of_windows(decoder, runs, paradigm)


def _of_windows(decoder: WindowDecoder, runs: Sequence[RunFile], paradigm: Paradigm) -> Votes:
    """Every cued period, by the windows that the decoder wants."""
    windows = windows_of(decoder, runs, paradigm, n_channels=decoder.n_channels_in_)
    every = np.ones(len(windows.labels), dtype=bool)
    return {period: truth == guess for period, truth, guess in decided(decoder, windows, every)}


def _of_choices(decoder: WindowDecoder, runs: Sequence[RunFile], paradigm: Paradigm) -> Votes:
    """Every choice, decided as online."""
    votes: dict[Hashable, bool] = {}
    for run in runs:
        fs = run.signal.fs
        for item in decode(run.items(block=round(fs)), paradigm, decoder, fs=fs):
            if isinstance(item, Trial):
                votes[str(run.plan["run"]), item.cue_sample] = item.outcome == "correct"
    return votes
