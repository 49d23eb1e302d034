"""Whole sessions in virtual time: the same seed lives the same life, and what is planted is found."""

from __future__ import annotations

import os
import re
import shutil
import signal
from dataclasses import replace

import pytest

from tests.shares import some
from tests.simulation.conftest import QUIET
from workbench import commands, simulation, systems
from workbench.commands.simulate import TABLE
from workbench.control import SafeStep
from workbench.devices._glove import GloveModel
from workbench.engine.grants import GrantGate
from workbench.errors import BadValue, Refused
from workbench.runs.replaying import replay_study
from workbench.simulation import Life, lives, template
from workbench.simulation.life import SHORT_S
from workbench.simulation.people import STEADY
from workbench.simulation.scene import ADAPTING
from workbench.simulation.scheduler import NS
from workbench.study import Study

KILLED_WHEN_MOVED = ((1.0, "kill engine when moved"),)
MOVING = range(1, 25)
"""Seeds, in some of which the device moves within 14 s."""
SEEDS = range(600, 608)
"""Short lives in the suite."""


@pytest.fixture(scope="module")
def lived(made):
    """The life of one seed."""
    return Life(11, seconds=12.0, template=made).live()


@pytest.mark.job
def test_a_seed_breaks_no_rule_and_orders_were_given(lived):
    assert lived.broken == ()
    assert lived.orders > 0


@pytest.mark.job
def test_the_same_seed_lives_the_same_life(made, lived):
    again = Life(11, seconds=12.0, template=made).live()
    assert (again.trace, again.events, again.story) == (lived.trace, lived.events, lived.story)


@pytest.mark.job
def test_the_command_tells_what_happened_in_each_life_and_enters_its_figures(capsys, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("\n".join(["# Figures", *TABLE, "", "the end", ""]), encoding="utf-8")
    asked = ["simulate", "--seed", "12", "--lives", "2", "--seconds", "3", "--story", "--jobs", "1"]
    assert commands.main([*asked, "--out", str(page)]) == 0
    said = capsys.readouterr().out
    figures = r"^2 lives from seed 12, .* session-hours in .* s \(\d+ × real time\), (.*): 0 broke a rule$"
    (cost,) = re.findall(figures, said, re.MULTILINE)
    assert re.fullmatch(r"\d+\.\d\d CPU s a life \(\d+ × CPU time\)", cost)
    assert said.count("a session of SIM-0") >= 2
    rows = page.read_text(encoding="utf-8").splitlines()
    row = r"\| signals \| neo_hand \| 12–13 \| 3 \| 0\.0 \| \d+ \| \d+ \| 0 \|"
    assert re.fullmatch(row, rows[1 + len(TABLE)])
    assert rows[2 + len(TABLE) :] == ["", "the end"]
    traces = re.findall(r"^seed 1[23]: .* trace (\w{16})$", said, re.MULTILINE)
    assert len(set(traces)) == 2


@pytest.mark.job
def test_a_run_of_a_long_life_that_did_not_replay_as_it_was_taken_in_breaks_a_rule(made):
    life = Life(1, seconds=SHORT_S + 1.0, template=made)
    with Study.open(life.study_folder, actor="test") as study:
        (calibration,) = study.rows("run")
    unequal = {**calibration, "summary": {**calibration["summary"], "replay": {"equal": False, "sentence": "no"}}}
    life._reckon_replays([calibration])
    assert life.watcher.broken == []
    life._reckon_replays([calibration, unequal])
    assert [(one.rule, one.why) for one in life.watcher.broken] == [("replay equals", "no")]
    shutil.rmtree(life.folder)


REFUSED = [
    ("--lives", "0"),
    ("--seconds", "0.5"),
    ("--hours", "-1"),
    ("--hours", "0"),
    ("--jobs", "0"),
    ("--jobs", "2000"),
]


@pytest.mark.parametrize(("option", "value"), REFUSED)
def test_lives_that_cannot_be_are_refused(option, value, capsys):
    assert commands.main(["simulate", option, value]) == 2
    assert f"{option} must be" in capsys.readouterr().err


@pytest.mark.release
def test_a_device_that_keeps_its_pressure_without_an_engine_is_found(made, monkeypatch):
    monkeypatch.setattr(GloveModel, "_safe_steps", lambda self: (SafeStep("hold", keep_level=True),))
    lived = (Life(seed, seconds=14.0, template=made, strokes=KILLED_WHEN_MOVED).live() for seed in MOVING)
    assert any("a device that hears nothing becomes safe" in {b.rule for b in life.broken} for life in lived)


@pytest.mark.job
@pytest.mark.parametrize("seed", some(SEEDS))
def test_a_very_short_life_breaks_no_rule(made, seed):
    assert Life(seed, seconds=2.0, template=made).live().broken == ()


def test_the_timer_of_a_far_device_is_as_coarse_in_a_long_life_as_that_of_the_desk(made):
    begun = [Life(seed, seconds=600.0, template=made) for seed in range(20)]
    far = [host for life in begun for host in life.world.places.values()]
    for life in begun:
        shutil.rmtree(life.folder)
    assert far
    assert {host.tick_ns for host in far} <= {round(tick_s * NS) for tick_s in STEADY.tick_s}


def test_a_long_life_in_which_evidence_is_drawn_has_the_coarser_timer(made):
    life = Life(2, seconds=600.0, template=replace(made, depth="evidence"))
    shutil.rmtree(life.folder)
    hosts = [life.world.desk, *life.world.places.values()]
    assert {host.tick_ns for host in hosts} == {round(max(STEADY.tick_s) * NS)}


@pytest.mark.release
def test_lives_on_two_processes_are_those_of_one(made):
    def lived(jobs):
        return [(one.seed, one.trace) for one in lives(made, first=30, n=3, seconds=1.0, jobs=jobs)]

    assert lived(2) == lived(1)


def test_lives_end_with_the_first_that_breaks_a_rule_where_that_is_asked(made, capsys, monkeypatch):
    monkeypatch.setattr(simulation, "template", lambda *_, **__: made)
    monkeypatch.setattr(GrantGate, "arming", lambda self, *_, **__: _refuse())
    asked = ["simulate", "--seed", str(QUIET), "--lives", "3", "--seconds", "8", "--jobs", "1", "--until-broken"]
    assert commands.main(asked) == 1
    said = capsys.readouterr().out
    assert "RULE BROKEN: what nothing disturbs works" in said
    assert said.splitlines()[-1].startswith("1 lives from seed 6")


def test_whoever_interrupts_gets_the_figures_so_far(made, capsys, monkeypatch, request):
    monkeypatch.setattr(simulation, "template", lambda *_, **__: made)
    real = Life.live

    def interrupted(self):
        if self.seed == 41:
            self.world.start("interrupt", _interrupt)
        return real(self)

    monkeypatch.setattr(Life, "live", interrupted)
    # Whoever starts the tests in the background lets them ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    assert commands.main(["simulate", "--seed", "40", "--lives", "3", "--seconds", "1", "--jobs", "1"]) == 130
    assert re.search(r"^1 lives from seed 40, .* until it was interrupted: 0 broke", capsys.readouterr().out, re.M)


def _interrupt():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.release
def test_drawn_evidence_moves_the_device_as_samples_do(tmp_path):
    lived = Life(3, seconds=40.0, template=template(tmp_path, depth="evidence"), strokes=()).live()
    assert lived.broken == ()
    assert lived.orders > 50


@pytest.mark.release
@pytest.mark.parametrize("rule", ADAPTING)
def test_a_decoder_that_adapts_lives_and_its_updates_replay(tmp_path, monkeypatch, rule):
    replayed = []

    def noted(*args, **more):
        results = replay_study(*args, **more)
        replayed.extend(results)
        return results

    monkeypatch.setattr("workbench.simulation.life.replay_study", noted)
    lived = Life(QUIET, seconds=20.0, template=template(tmp_path, adapts=rule)).live()
    assert lived.broken == ()
    assert sum(one.n_updates for one in replayed) > 0


def test_a_decoder_that_cannot_adapt_in_a_life_is_refused(tmp_path):
    for more in ({"adapts": "anyhow"}, {"adapts": "pmean", "depth": "evidence"}):
        with pytest.raises(BadValue, match="recentre, pmean, supervised"):
            template(tmp_path, **more)


OTHERS = sorted(set(systems.available()) - {simulation.HAND})


@pytest.mark.parametrize("system", OTHERS)
def test_evidence_of_another_system_is_not_drawn(system, tmp_path):
    with pytest.raises(BadValue, match=system):
        template(tmp_path, system=system, depth="evidence")


@pytest.mark.parametrize("system", [name for name in OTHERS if systems.load(name).effector is None])
def test_a_system_without_an_effector_cannot_be_lived(system, tmp_path):
    with pytest.raises(BadValue, match=system):
        template(tmp_path, system=system)


def _refuse():
    raise Refused("never")


@pytest.mark.job
def test_a_life_in_which_nothing_goes_wrong_breaks_no_rule(made):
    assert Life(QUIET, seconds=8.0, template=made).live().broken == ()
