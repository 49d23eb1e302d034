"""A run without a process or an amplifier: what a screen shows of it, and how long the loop may stand still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.live import plans
from workbench import decoders, world
from workbench.control import ControlLaw
from workbench.decoders import JoinedDecoder
from workbench.engine.adaptation import Adaptation
from workbench.engine.ledger import Ledger
from workbench.engine.live_source import LiveSource
from workbench.engine.process import IDLE_LIMIT_S, RUN_LIMIT_S, Engine
from workbench.engine.run import HISTORY_S, LiveRun
from workbench.engine.run_request import parse_run_request
from workbench.engine.streams import Stream
from workbench.errors import RecordingFault
from workbench.paradigms import from_params
from workbench.vocabulary import Decision, Evidence, Snapshot, StreamSpec

LINE = StreamSpec("Amp", "EEG", 200.0, ("a", "b"), source_id="amp-1")
HOP = 10
ASKED = {"kind": "calibration", "paradigm": "grasp_rest", "n_trials": 2}


def planned(folder):
    """The plan of a session in a folder."""
    return plans.planned(folder, contract=(LINE,))[1]


def started(request, plan, ledger):
    """A run under way, whose signal has not come yet."""
    made = LiveRun(
        request,
        plan=plan,
        number=1,
        signal=Stream(LINE),
        others=[],
        ledger=ledger,
        source=LiveSource(
            LINE.fs,
            record=lambda marker: None,
            present=lambda marker: None,
            watermark=lambda: np.inf,
            clock=lambda: 0.0,
            timed_out=lambda stamp: None,
        ),
    )
    made.state = "running"
    return made


@pytest.fixture
def run(tmp_path):
    """A run whose evidence must stay past 0.7, or below 0.4, for three hops."""
    (tmp_path / "recordings").mkdir()
    x = np.random.default_rng(0).normal(0.0, 10.0, (40, 2, 80))
    x[::2, 0] *= 2.5
    decoder = decoders.load("bandpower_lda")(fs=LINE.fs, window_s=0.4, reference="none")
    decoder.fit(x, np.array(["grasp", "rest"])[np.arange(40) % 2])
    params = {"activate": 0.7, "release": 0.4, "dwell": 3, "rejected_dwell": 3}
    request = parse_run_request({**ASKED, "params": params}, signal=LINE)
    made = started(replace(request, kind="online", decoder=decoder), planned(tmp_path), Ledger())
    yield made
    made.end("stopped", "tests")
    made.close()


def decided(run, said):
    """Each decision of the paradigm on evidence ``(p, valid, rejected)`` at each hop, with what counts it."""
    rule = run.request.paradigm.start(fs=LINE.fs, hop=HOP, classes=run.request.choices)
    run.decide_by(rule)
    for hop, (p, valid, rejected) in enumerate(said, start=1):
        both = tuple(p if name == "grasp" else 1.0 - p for name in run.request.choices)
        evidence = Evidence(hop * HOP, both, valid, rejected)
        for row in rule.decide(rule.due, stamp=hop * HOP / LINE.fs, evidence=evidence):
            if isinstance(row, Decision):
                yield row, rule


def meant(run, decision):
    return decision.probabilities[run.request.choices.index("grasp")]


def test_the_bar_counts_the_hops_that_the_paradigm_counts(run):
    rng = np.random.default_rng(2)
    # At a threshold too, where neither counts.
    levels = rng.choice([0.1, 0.4, 0.55, 0.7, 0.9], 400).repeat(rng.integers(1, 6, 400))
    said = zip(levels.tolist(), rng.random(len(levels)) > 0.1, rng.random(len(levels)) < 0.1, strict=True)
    assert run.evidence() is None
    changes, counts = [], set()
    for decision, rule in decided(run, said):
        run.record_decision(decision, decided=0.0, emitted=0.0)
        shown = run.evidence()
        if decision.change:
            changes.append(decision.change)
        assert (shown["dwell"], shown["dwell_needed"]) == rule.dwell()
        assert shown["active"] is (changes[-1:] == ["activate"])
        assert (shown["p"], shown["valid"]) == (meant(run, decision), decision.valid)
        counts.add((shown["active"], shown["dwell"]))
    assert len(changes) > 20
    assert counts == {(active, n) for active in (False, True) for n in range(3)}


GRASP, REST, STRANGE = (0.9, True, False), (0.1, True, False), (0.9, True, True)


@pytest.mark.parametrize("resets", [False, True])
def test_after_a_pause_or_a_gap_the_bar_counts_from_zero(run, resets):
    decision, rule = list(decided(run, [GRASP, GRASP]))[-1]
    run.record_decision(decision, decided=0.0, emitted=0.0)
    assert (run.evidence()["dwell"], run.evidence()["dwell_needed"]) == (2, 3)
    rule.interrupt(at=2 * HOP, reason="paused", resets=resets)
    assert (run.evidence()["dwell"], run.evidence()["dwell_needed"]) == (0, 3)


@pytest.mark.parametrize(
    ("said", "bar"),
    [
        ([STRANGE], (False, True, 0, 3)),
        ([GRASP] * 3 + [STRANGE] * 2, (True, True, 2, 5)),
        ([GRASP] * 3 + [STRANGE, REST], (True, False, 2, 3)),
        ([GRASP] * 3 + [STRANGE] * 5, (False, True, 0, 3)),
    ],
    ids=["before an activation", "in an activation", "in an activation, then rest", "until it was released"],
)
def test_what_is_far_from_the_training_data_counts_towards_its_own_dwell_on_the_bar(run, said, bar):
    params = {**run.request.paradigm.params(), "rejected_dwell": 5}
    run.request = replace(run.request, paradigm=from_params("grasp_rest", params))
    for decision, _ in decided(run, said):
        run.record_decision(decision, decided=0.0, emitted=0.0)
    shown = run.evidence()
    assert (shown["active"], shown["rejected"], shown["dwell"], shown["dwell_needed"]) == bar


STRIDES = 10.0 * np.sin(2 * np.pi * np.arange(800) / LINE.fs)


@pytest.fixture
def striding(tmp_path):
    """A run in which a phase is decided, and its decoder."""
    (tmp_path / "recordings").mkdir()
    x = np.random.default_rng(0).normal(0.0, 1.0, (40, 2, 800))
    x[::2, 0] += STRIDES
    decoder = decoders.load("cycle_phase")(fs=LINE.fs, channel=0, window_s=4.0, reference="none")
    decoder.fit(x, np.array(["pull", "rest"])[np.arange(40) % 2])
    law = ControlLaw("stride_gated", blocks=(("left", 0.9, 0.2),), patterns=(("left", (1.0,)),))
    request = parse_run_request({**ASKED, "paradigm": "cycle_rest"}, signal=LINE)
    plan = replace(planned(tmp_path), law=law)
    run = started(replace(request, kind="online", decoder=decoder), plan, Ledger())
    yield run, decoder
    run.end("stopped", "tests")
    run.close()


def test_a_phase_is_shown_as_it_is_with_the_windows_of_the_law_and_a_hole_where_nobody_knows_it(striding):
    run, _ = striding
    for hop, label, phase in ((1, "", 0.0), (2, "pull", 0.4)):
        decision = Decision(hop * HOP, hop * HOP / LINE.fs, label, kind="phase", values=(phase, 0.8))
        run.record_decision(decision, decided=0.0, emitted=0.0)
    shown = run.evidence()
    assert (shown["p"], shown["values"]) == (0.4, [0.4, 0.8])
    assert shown["history"] == [[-0.05, None], [0.0, 0.4]]
    assert shown["windows"] == [{"name": "left", "begin": 0.9, "end": 0.2}]
    assert shown["agreed"] == {}


def test_a_phase_that_another_stream_holds_back_is_shown_with_who_agreed_and_has_no_hole(striding):
    run, phase = striding
    x = np.random.default_rng(1).normal(0.0, 10.0, (40, 2, 200))
    x[::2, 0] *= 2.5
    muscle = decoders.load("bandpower_lda")(fs=LINE.fs, window_s=0.4, reference="none")
    muscle.fit(x, np.array(["pull", "rest"])[np.arange(40) % 2])
    members = {"signal": phase, "emg": muscle}
    stream = JoinedDecoder("gating", members, gates={"emg": ("pull", 0.9)}, critical=("signal",)).start()
    # The muscle says nothing.
    stream.advance(np.arange(1600) / LINE.fs)
    noise = np.random.default_rng(2).normal(0.0, 1.0, (1600, 2))
    stream.step(noise + np.outer(np.concatenate([STRIDES, STRIDES]), [1.0, 0.0]))
    evidence = stream.evidence(1600)
    run.decide_by(run.request.paradigm.start(fs=LINE.fs, hop=HOP, classes=("pull", "rest")), stream)
    decision = Decision(1600, 8.0, "", kind="phase", values=evidence.values)
    run.record_decision(decision, decided=0.0, emitted=0.0)
    shown = run.evidence()
    assert evidence.rejected
    assert (shown["agreed"], shown["rejected"]) == ({"signal": True, "emg": False}, True)
    assert shown["history"] == [[0.0, round(evidence.values[0], 4)]]


def test_the_bar_looks_back_ten_seconds(run):
    for decision, _ in decided(run, [(0.1, True, False)] * 300):
        run.record_decision(decision, decided=0.0, emitted=0.0)
    history = run.evidence()["history"]
    assert (history[0], history[-1]) == ([-HISTORY_S, 0.1], [0.0, 0.1])
    assert len(history) == 10.0 * LINE.fs / HOP + 1


def test_updates_and_returns_to_the_fit_are_counted_and_the_newest_is_named():
    adapting = Adaptation("pmean", bound=2.5, head="fit")
    assert adapting.status(over=False) == {
        "rule": "pmean", "updates": 0, "age_s": None, "rolled_back": 0, "ended": False, "head": "fit"
    }  # fmt: skip
    assert adapting.count(Snapshot(100, "pmean", "fit", "first", {}), stamp=1.0) is None
    row = adapting.count(Snapshot(200, "roll_back", "first", "second", {}), stamp=2.0)
    assert (row.kind, row.sample, row.stamp) == ("roll_back", 200, 2.0)
    assert row.extent == "update 2 passed the bound (2.5)"
    status = adapting.status(over=False)
    assert (status["updates"], status["rolled_back"], status["head"]) == (2, 1, "second")
    assert 0.0 <= status["age_s"] < 60.0
    assert adapting.status(over=True)["age_s"] is None
    assert Adaptation("", bound=2.5, head="fit").status(over=False)["head"] == ""


@pytest.mark.parametrize("ends", ["as asked", "by a fault"])
def test_the_loop_may_stand_still_for_less_time_in_a_run_than_before_and_after_it(tmp_path, monkeypatch, ends):
    folder, plan = plans.planned(tmp_path, contract=(LINE,))
    world.disk.save(folder.plan, plan.to_json().encode())
    engine = Engine(folder)
    engine.session.outlets.open("cues", {})
    run = started(parse_run_request(ASKED, signal=LINE), plan, engine.session.ledger)
    limits, real = [], engine.supervisor.limit

    def limit(name, limit_s):
        limits.append(limit_s)
        real(name, limit_s)

    def pump():
        assert limits == [RUN_LIMIT_S]
        if ends == "by a fault":
            raise RecordingFault("full")
        run.end("stopped", "tests")

    monkeypatch.setattr(engine.supervisor, "limit", limit)
    monkeypatch.setattr(engine._decoding, "_pump", pump)
    try:
        engine._decode(run)
        assert limits == [RUN_LIMIT_S, IDLE_LIMIT_S]
        assert run.state == ("failed" if ends == "by a fault" else "stopped")
        assert run.closed
    finally:
        engine.session.close()
        engine.supervisor.close()
