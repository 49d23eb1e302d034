"""What a process compiled for a run it does not compile again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.engine import process, run_start
from workbench.engine.run_request import parse_run_request
from workbench.errors import BadValue
from workbench.vocabulary import StreamSpec

LINE = StreamSpec("Amp", "EEG", 100.0, ("C3", "C4"), source_id="amp-1")
ASKED = {"kind": "calibration", "paradigm": "left_right", "n_trials": 2}


@pytest.fixture
def rehearsed(monkeypatch):
    """What was rehearsed from here on, in a process that has compiled nothing."""
    done = []
    for room in (process, run_start):
        monkeypatch.setattr(room, "rehearse", lambda request, **_: done.append(request))
    monkeypatch.setattr(run_start, "_REHEARSED", set())
    monkeypatch.setattr(process, "_COMPILED", set())
    return done


def test_an_engine_compiles_once_in_a_process_for_streams_alike(rehearsed):
    process.compile_kernels(LINE, told=print)
    n = len(rehearsed)
    assert n > 0
    process.compile_kernels(replace(LINE, source_id="amp-2"), told=print)
    assert len(rehearsed) == n
    process.compile_kernels(replace(LINE, fs=200.0), told=print)
    assert len(rehearsed) == 2 * n


def test_a_run_like_one_before_is_not_rehearsed_again(rehearsed):
    def start(line=LINE, **more):
        request = parse_run_request({**ASKED, **more}, signal=line)
        run_start._rehearse_once(request, signal=line, beside=())

    start()
    start(replace(LINE, source_id="amp-2"))
    assert len(rehearsed) == 1
    start(replace(LINE, fs=200.0))
    start(paradigm="grasp_rest")
    start(params={"rest_s": 3.5}, paradigm="grasp_rest")
    assert len(rehearsed) == 4


def test_a_run_whose_rehearsal_failed_is_rehearsed_again(rehearsed, monkeypatch):
    def fails(*_, **__):
        raise BadValue("never")

    request = parse_run_request(ASKED, signal=LINE)
    with monkeypatch.context() as patched:
        patched.setattr(run_start, "rehearse", fails)
        with pytest.raises(BadValue):
            run_start._rehearse_once(request, signal=LINE, beside=())
    run_start._rehearse_once(request, signal=LINE, beside=())
    assert rehearsed == [request]
