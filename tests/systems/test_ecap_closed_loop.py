"""The evoked response is held by the stimulator's own loop below a limited ceiling, beside bouts with it open."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from workbench import commands, control
from workbench.control import EcapLaw
from workbench.errors import BadValue
from workbench.physiology._dorsal import DECAY, TEMPLATE
from workbench.recording import RunFile
from workbench.stimulation import Setup, Signature, SignedLimits, StimulationSupervisor
from workbench.study import Study
from workbench.systems import described, draft, ecap_closed_loop, simulate
from workbench.systems.ecap_closed_loop import (
    CLOSED,
    LOOP,
    OPEN,
    SYSTEM,
    TARGET_UV,
    TITRATION,
    TURNS,
    WINDOW,
    entries,
    held,
)
from workbench.vocabulary import Marker

PEOPLE = (("Chen", "investigator"), ("Lin", "engineer"))
PROGRAMME = SYSTEM.stimulation.programme


class Recorded:
    """A run of pulses at 50 Hz with responses of these sizes, µV, and these currents, mA, with bouts of 4 s."""

    def __init__(self, label, amplitudes, currents, cues=(0.0,)):
        sweeps = np.outer(amplitudes, TEMPLATE) + np.outer(currents, 10.0 * DECAY)
        values = np.column_stack([sweeps, currents]).astype(np.float32)
        names = (*(f"t{n}" for n in range(48)), "pulse_ma")
        self.signal = SimpleNamespace(channels=names, values=values)
        self.path = Path("run-3.xdf")
        self._label, self._n, self._cues = label, len(values), cues

    def stamped(self):
        return 10.0 + np.arange(self._n) / 50.0, self.signal.values.astype(np.float64)

    def markers(self):
        cues = [Marker("cue", 0, 10.0 + at, self._label, {"duration_s": 4.0}) for at in self._cues]
        return [*cues, Marker("cue", 200, 14.0, "rest", {})]


def test_error_and_window_count_the_pulses_after_the_current_was_found_up_to_the_end_of_the_cue():
    sizes = np.full(250, 50.0)
    sizes[:TITRATION] = 5.0
    sizes[100:150] = 70.0
    # After the cue's end: the ramp, which belongs to no bout.
    sizes[200:] = 0.0
    currents = np.full(250, 4.0)
    currents[:2] = 0.0
    (one,) = held(Recorded(OPEN, sizes, currents))
    assert (one.kind, one.bouts, one.pulses, one.unread) == (OPEN, 1, 198 - TITRATION, 0)
    assert one.error_uv == pytest.approx(20.0 * 50 / one.pulses, abs=0.5)
    assert one.in_window == pytest.approx(1.0 - 50 / one.pulses)
    assert (one.least_ma, one.most_ma) == (4.0, 4.0)


def test_a_sweep_that_cannot_be_read_is_outside_the_window_and_in_no_error():
    run = Recorded(CLOSED, np.full(200, 50.0), np.full(200, 4.0))
    run.signal.values[60:70, 5] = np.nan
    (one,) = held(run)
    assert (one.pulses, one.unread) == (150, 10)
    assert one.in_window == pytest.approx(140 / 150)
    assert one.error_uv < 1.0


def test_a_bout_whose_current_did_not_flow_is_no_bout_that_counts_and_is_said():
    currents = np.full(400, 4.0)
    currents[200 + TITRATION - 5 :] = 0.0
    run = Recorded(OPEN, np.full(400, 50.0), currents, cues=(0.0, 4.0))
    (one,) = held(run)
    assert (one.bouts, one.missing, one.pulses) == (1, 1, 150)
    assert "(1 bout, " in one.line(50.0)
    assert one.line(50.0).endswith("; bouts without a pulse to count: 1")
    assert "without a pulse" not in replace(one, missing=0).line(50.0)


def test_a_figure_enters_the_record_as_it_was_calculated_and_is_rounded_where_it_is_shown_alone():
    run = Recorded(CLOSED, np.linspace(50.0, 80.0, 250), np.full(250, 4.0 + 1.0 / 3.0))
    (one,), ((_, values),) = held(run), entries(run)
    assert values["error"] == one.error_uv != round(one.error_uv, 4)
    assert values["in_window"] == 100.0 * one.in_window
    assert values["current"] == one.most_ma == np.float32(4.0 + 1.0 / 3.0)
    assert values["run"] == "run-3"


def test_a_stream_without_the_current_of_its_pulses_has_no_figure():
    run = Recorded(CLOSED, np.full(200, 50.0), np.full(200, 4.0))
    run.signal.channels = tuple(f"t{n}" for n in range(49))
    assert held(run) == ()


def test_closed_and_open_bouts_differ_in_their_channel_alone():
    law, first, second = SYSTEM.task().law, *PROGRAMME.channels
    assert law.pattern(CLOSED)[:2] == (1.0, 0.0)
    assert law.pattern(OPEN)[:2] == (0.0, 1.0)
    assert replace(first, name=second.name) == second
    assert (LOOP["closed"], LOOP["open"]) == (first.name, second.name)
    options = simulate(SYSTEM).source.player["options"]
    assert options["postures"][CLOSED] == options["postures"][OPEN] == [list(turn) for turn in TURNS]


def test_the_loop_can_ask_for_no_more_than_its_channel_and_the_channel_for_no_more_than_its_limits():
    loop = EcapLaw(**{key: value for key, value in LOOP.items() if key not in ("closed", "open")})
    assert loop.ceiling_ma <= min(PROGRAMME.approved_ma)
    (limits,) = SYSTEM.stimulation.example
    signed = tuple(Signature(who, role, "2026-11-26T08:00:00Z", limits.sha256) for who, role in PEOPLE)
    StimulationSupervisor(Setup(PROGRAMME, (SignedLimits(limits, signed),)))
    assert max(PROGRAMME.approved_ma) < limits.limits["current_ma"]
    assert SYSTEM.limits is None
    profile = control.load(SYSTEM.effector)
    assert SYSTEM.task().law.trigger_s < profile.hold_limit_s


@pytest.mark.parametrize("procedure", ["calibration", "online", "sham"])
def test_a_procedure_about_a_decoder_is_not_offered(procedure):
    with pytest.raises(BadValue, match="for which task posture names no decoder"):
        replace(SYSTEM, procedures=(procedure, "open_loop"))


def test_the_description_says_who_closes_the_loop_and_the_draft_has_both_figures_of_both_kinds():
    told = described(SYSTEM)
    assert told["tasks"][0]["decoder"] == ""
    assert "the stimulator's loop sets each pulse below it" in str(told["published"])
    estimands = {one["name"]: one["variable"] for one in draft(SYSTEM)["estimand"]}
    assert next(iter(estimands)) == "error"
    assert f"{WINDOW * 100:g} %" in estimands["in_window"]
    assert "open bouts of the same session" in estimands["against_open"]


@pytest.mark.release
@pytest.mark.timeout(400)
def test_the_response_is_held_through_lsl_below_the_ceiling_and_the_run_replays_with_its_commands(
    tmp_path, monkeypatch, capsys
):
    fewer = replace(SYSTEM.tasks[0], trials=(4,))
    monkeypatch.setattr(ecap_closed_loop, "SYSTEM", replace(SYSTEM, tasks=(fewer,)))
    folder = tmp_path / "ecap"
    asked = ["--system", SYSTEM.name, "--speed", "1", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *asked]) == 0
    said = capsys.readouterr().out
    assert said.count("commands recomputed, equal") == 1
    assert "Figures    ECAP, loop closed: mean error " in said
    assert "Figures    ECAP, loop open: mean error " in said
    (recording,) = (folder / "recordings").glob("*.xdf")
    run = RunFile(recording)
    assert run.decisions() == []
    closed, opened = held(run)
    # A busy computer arms after the first cue, or loses the stream: then it releases, and nobody arms again here.
    (armed,) = [marker.stamp for marker in run.markers() if marker.kind == "arm"]
    released = min((row.stamp for row in run.ledger() if row.kind == "fault"), default=np.inf)
    for one in (closed, opened):
        cues = [m for m in run.markers() if m.kind == "cue" and m.label == one.kind]
        whole = [armed < m.stamp and m.stamp + m.detail["duration_s"] < released for m in cues]
        begun = [armed < m.stamp < released for m in cues]
        assert sum(whole) <= one.bouts <= sum(begun)
        assert one.bouts + one.missing == len(cues) == 2
        assert one.pulses > 100 * one.bouts > 0
    assert closed.error_uv < 0.5 * opened.error_uv
    assert closed.in_window > opened.in_window
    pulses = run.signal.values[:, -1]
    given = control.given(run.control(), run.decisions())
    assert 0 < pulses.max() <= max(max(one.given_ma) for one in given) <= max(PROGRAMME.approved_ma)
    with Study.open(folder, actor="tests") as study:
        (row,) = study.rows("run")
        assert (row["kind"], row["decoder_sha256"]) == ("open_loop", "")
        pages = [path.read_text("utf-8") for path in (folder / "reports").glob("session-*.html")]
        assert all(one.line(TARGET_UV) in html.unescape(pages[0]) for one in (closed, opened))
        # The form of the protocol has the same figures, and the report of the study shows them.
        forms = study.rows("form")
        assert [row["values"]["loop"] for row in forms] == [CLOSED, OPEN]
        (report,) = [path.read_text("utf-8") for path in (folder / "reports").glob("participant-*.html")]
        for row, one in zip(forms, (closed, opened), strict=True):
            assert row["values"]["error"] == one.error_uv
            assert (row["values"]["pulses"], row["values"]["run"]) == (one.pulses, recording.stem)
            assert f"{one.error_uv:.4g}" in report
        assert [visit["name"] for visit in study.rows("visit")] == [visit.name for visit in SYSTEM.visits]
