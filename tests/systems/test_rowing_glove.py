"""The phase of a stroke closes a glove, once each time it enters its window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import commands, control
from workbench.control import ControlLaw
from workbench.errors import BadValue
from workbench.recording import RunFile
from workbench.systems import rowing_glove, simulate
from workbench.systems.rowing_glove import PULL, SYSTEM


def test_the_law_waits_for_the_pull_and_keeps_the_limits_of_the_glove():
    law, profile = simulate(SYSTEM).task.law, control.load(SYSTEM.effector)
    assert control.check_law(law, control.profile_limits(profile), profile) is law
    assert (law.law, law.phase_window) == ("stride_gated", PULL)
    assert [law.window_at(phase) == "" for phase in (0.0, 0.2, 0.4, 0.9)] == [True, True, False, False]


def test_a_decoder_of_classes_or_a_law_without_a_window_is_refused_before_anything_starts():
    task = SYSTEM.tasks[0]
    classes = replace(task, decoder_params=lambda signal: {**task.decoder_params(signal), "channel": None})
    with pytest.raises(BadValue, match="cycle_rest decides on phase, and this decoder gives probabilities"):
        simulate(replace(SYSTEM, tasks=(classes,)))
    with pytest.raises(BadValue, match="decides on phase; a law with a phase window, and no other"):
        replace(task, law=ControlLaw("hold"))


@pytest.mark.release
@pytest.mark.timeout(240)
def test_each_stroke_closes_the_glove_in_its_window_and_the_run_replays_with_its_commands(
    tmp_path, monkeypatch, capsys
):
    fewer = replace(SYSTEM.tasks[0], trials=(4, 2))
    monkeypatch.setattr(rowing_glove, "SYSTEM", replace(SYSTEM, tasks=(fewer,)))
    folder = tmp_path / "rowing"
    options = ["--system", "rowing_glove", "--speed", "8", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *options]) == 0
    assert capsys.readouterr().out.count("commands recomputed, equal") == 2
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    assert (run.evidence.kind, run.evidence.names, run.evidence.unit) == ("phase", ("phase", "rate"), "cycle, Hz")
    decided = {decision.sample: decision for decision in run.decisions()}
    begun = {
        command.sample: decided[command.sample].values[0]
        for command in run.commands()
        if command.action == "close" and command.reason in ("evidence rose", "the phase entered its window")
    }
    # Some strokes in each of two bouts, each within the window; heartbeats repeat the order and its reason.
    assert len(begun) >= 6
    assert all(PULL[0] <= phase < PULL[1] for phase in begun.values())
    assert {decided[sample].label for sample in begun} == {"pull"}
