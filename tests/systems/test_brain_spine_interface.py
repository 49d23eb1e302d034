"""The cortex stimulates the hot-spot of the joint that was meant, in a harness, and the run replays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.stimulation.worked import measure, rules, signed
from workbench import commands, control, decoders
from workbench.devices._physiology import LEGS
from workbench.devices.simulated_participant import SimParticipant
from workbench.errors import Refused
from workbench.paradigms.leg_states import JOINTS, STILL
from workbench.recording import RunFile
from workbench.stimulation import Setup, StimulationSupervisor, Wearer
from workbench.stress.states import Person, StateFigures, states
from workbench.study import Study
from workbench.systems import brain_spine_interface, simulate
from workbench.systems.brain_spine_interface import SURE, SYSTEM
from workbench.vocabulary import Participant, Visit


def test_each_joint_stimulates_the_hot_spot_of_its_name_alone_and_keeping_still_none():
    law, programme = SYSTEM.task().law, SYSTEM.stimulation.programme
    names = [channel.name for channel in programme.channels]
    for joint in JOINTS:
        (channel,) = np.flatnonzero(law.pattern(joint))
        assert names[channel] == joint.replace("_", " ")
    assert set(law.conditions) == set(SYSTEM.task().params["conditions"]) - {STILL}
    contacts = [contact for channel in programme.channels for contact in channel.contacts]
    assert len(contacts) == len(set(contacts))


def test_the_gate_has_seven_states_and_learns_every_fifteen_seconds():
    bound = simulate(SYSTEM)
    made = decoders.load(bound.decoder)(**bound.decoder_params)
    assert len(set(made.model_settings.states.values())) == 7
    assert made.adapt_settings.block_s == 15.0
    assert made.evidence_type.kind == "probabilities"


def test_no_current_begins_until_somebody_answers_for_the_harness():
    (example,) = SYSTEM.stimulation.example
    setup = Setup(SYSTEM.stimulation.programme, (signed(example, "chen", "lin"),), Wearer("T10"))
    one = StimulationSupervisor(setup)
    measure(one, 0.0)
    one.tick(0.0)
    knee = (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    assert rules(one.order(knee, now=0.0)) == ["support"]
    one.person.take_holder("Chen L.")
    assert one.order(knee, now=0.1, ramp_s=0.5).consequence == ""
    one.person.take_holder("")
    assert rules(one.tick(0.2)) == ["support"]


def test_no_session_begins_without_signed_limits_and_the_system_has_none_of_its_own(tmp_path):
    assert SYSTEM.limits is None
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as study:
        visit = study.append(Visit(study.append(Participant("P01", simulated=True)), "V1"))
        with pytest.raises(Refused, match="paddle-16 has no limits"):
            simulate(SYSTEM).new_session(study, visit=visit, operator="Chen L.")
        assert study.rows("session") == []


def test_the_parameters_of_the_legs_are_frozen_and_the_other_hemisphere_leads():
    assert LEGS.sha256() == "048b9520d594f2677b8b67cf15b738114f26bf5988b6bede8712155206961291"
    patterns = {name: np.array(weights) for name, weights in LEGS.patterns}
    assert set(patterns) == set(JOINTS)
    for name, weights in patterns.items():
        left, right = weights[:16].sum(), weights[16:].sum()
        assert (right > left) == name.startswith("left")
        assert weights.max() <= 1.0


def test_a_cue_to_keep_still_changes_nothing_of_the_cortex():
    resting, cued = (SimParticipant(3, physiology="legs") for _ in range(2))
    assert cued.cue(0.2, STILL, 1.0) is None
    np.testing.assert_array_equal(resting.step(500), cued.step(500))


@pytest.mark.job
def test_a_decoder_learns_each_fifteen_seconds_and_decodes_again_the_same():
    figures = states(1, 5, trials=(14, 7))
    (person,) = figures.people
    assert (figures.states, person.cues) == (7, 7)
    assert (person.updates, person.gaps_s, person.taken_back) == (1, (), 0)
    assert person.acted <= person.right
    assert person.unsure > 0
    assert person.acted + person.unsure + person.other <= person.cues
    assert figures.passed


def test_a_participant_is_above_chance_where_its_interval_is_and_updates_are_counted():
    people = (Person(14, 21, 12, 4, 2, 3, (15.0, 15.0), 0, True), Person(3, 21, 2, 9, 8, 2, (15.5,), 1, False))
    figures = StateFigures(7, 300.0, people)
    assert not figures.passed
    said = figures.text()
    assert "likeliest state as cued 0.40" in said
    assert "chance 0.14, above chance in 1 of 2" in said
    assert "decided as cued 14, no state sure enough to act 13, another joint decided than cued 10" in said
    assert "5 updates, 15.00 to 15.50 s apart, 1 taken back or late; 1 runs decoded again otherwise" in said


def test_figures_hold_with_seven_states_and_updates_fifteen_seconds_apart_alone():
    right = Person(14, 21, 12, 4, 2, 3, (15.0, 15.0), 0, True)
    assert StateFigures(7, 300.0, (right,)).passed
    assert not StateFigures(6, 300.0, (right,)).passed
    assert not StateFigures(7, 300.0, (replace(right, gaps_s=(15.0, 15.5)),)).passed
    assert not StateFigures(7, 300.0, (replace(right, updates=0, gaps_s=()),)).passed


@pytest.mark.release
@pytest.mark.timeout(240)
def test_the_cortex_stimulates_in_a_harness_visits_follow_and_the_run_replays(tmp_path, monkeypatch, capsys):
    fewer = replace(SYSTEM.tasks[0], trials=(28, 14))
    monkeypatch.setattr(brain_spine_interface, "SYSTEM", replace(SYSTEM, tasks=(fewer,)))
    folder = tmp_path / "bsi"
    asked = ["--system", SYSTEM.name, "--speed", "8", "--no-browser", "--study", str(folder)]
    assert commands.main(["demo", *asked]) == 0
    said = capsys.readouterr().out
    assert said.count("commands recomputed, equal") == 2
    assert "Endpoint   walking_speed, without_current: 10mwt, stimulation on, preferred_speed " in said
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    updates = [snapshot.sample for snapshot in run.snapshots()]
    assert {after - before for before, after in zip(updates, updates[1:])} == {round(15.0 * LEGS.fs)}
    # A state that is not more likely than all others together has no name, and moves nothing.
    assert all((max(one.probabilities) >= SURE) == bool(one.label) for one in run.decisions() if one.valid)
    given = control.given(run.control(), run.decisions())
    assert [one for one in given if any(one.asked_ma)]
    # One hot-spot at a time, and none above its approved current.
    assert all(sum(ma > 0.0 for ma in one.given_ma) <= 1 for one in given)
    assert all(
        ma <= most for one in given for ma, most in zip(one.given_ma, SYSTEM.stimulation.programme.approved_ma)
    )
    with Study.open(folder, actor="tests") as study:
        assert [row["name"] for row in study.rows("visit")] == [visit.name for visit in SYSTEM.visits]
