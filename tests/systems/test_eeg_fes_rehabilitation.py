"""Imagery stimulates the extensors: what stands in the record comes from the record, and is what leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from workbench import commands, control, systems
from workbench.errors import BadValue, Refused
from workbench.live import SessionPlan
from workbench.recording import RunFile
from workbench.stimulation import as_sham
from workbench.study import Study
from workbench.study.changes.stimulating import AdoptStimulationLimits
from workbench.systems import eeg_fes_rehabilitation, simulate
from workbench.systems.eeg_fes_rehabilitation import SYSTEM
from workbench.vocabulary import Participant, Visit

BOUND = simulate(SYSTEM)
(EXAMPLE,) = SYSTEM.stimulation.example


def adopt(study, limits=EXAMPLE):
    signers = [study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
    study.apply(AdoptStimulationLimits(limits.definition()), signers, "tests")


@pytest.fixture
def study(tmp_path):
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as study:
        yield study


def visit(study, **about):
    return study.append(
        Visit(study.append(Participant(f"P{len(study.rows('participant'))}", simulated=True, **about)), "V1")
    )


def begin(study, of, **entries):
    return BOUND.new_session(study, visit=of, operator="Chen L.", **entries)


def test_without_limits_in_force_no_session_begins_and_the_sentence_says_what_to_do(study):
    with pytest.raises(Refused, match="skin-5x5 has no limits .*workbench stimulation adopt"):
        begin(study, visit(study))
    assert study.rows("session") == []


def test_a_plan_holds_programme_limits_signatures_and_person_of_the_record_and_comes_back_whole(study):
    adopt(study)
    plan = begin(study, visit(study, injury_level="C6"))
    stored = study.get("session", plan.session_id)["plan"]["stimulation"]
    (limits,) = stored["limits"]
    assert stored["programme"]["sha256"] == SYSTEM.stimulation.programme.sha256
    assert limits["sha256"] == EXAMPLE.sha256
    assert [one["person"] for one in limits["signatures"]] == ["Chen L.", "Lin Q."]
    assert (stored["wearer"]["lesion"], plan.stimulation.wearer.at_risk) == ("C6", True)
    assert not begin(study, visit(study, injury_level="T7")).stimulation.wearer.at_risk
    assert SessionPlan.from_json(plan.to_json()) == plan
    (player,) = [one for one in plan.players if one["device"] == "simulated_fes"]
    assert [one["name"] for one in player["options"]["programme"]] == ["wrist extensors", "finger extensors"]


def test_a_programme_that_a_limit_forbids_is_refused_before_the_session_is_entered(study):
    adopt(study)
    own = study.folder / "stimulation" / "eeg_fes_rehabilitation.toml"
    own.parent.mkdir()
    text = (Path(systems.__file__).parent / "stimulation" / own.name).read_text("utf-8")
    own.write_text(text.replace("approved_ma = 16", "approved_ma = 31"), "utf-8")
    of = visit(study)
    with pytest.raises(Refused, match="current of wrist extensors would be 31 mA, at most 30 mA"):
        begin(study, of)
    assert study.rows("session") == []
    own.write_text(text.replace("approved_ma = 16", "approved_ma = 5"), "utf-8")
    assert begin(study, of).stimulation.programme.approved_ma == (5.0, 14.0)
    own.write_text(text + '\nmode = "sham"', "utf-8")
    with pytest.raises(BadValue, match="cannot be used"):
        begin(study, of)


def test_limits_that_are_not_in_force_any_more_or_that_a_script_signed_serve_no_session_of_a_real_stimulator(
    study,
):
    adopt(study)
    of = visit(study)
    earlier = begin(study, of).stimulation
    with pytest.raises(Refused, match="a script signed the limits"):
        begin(study, of, effector_simulated=False)
    adopt(study, replace(EXAMPLE, version=2, replaces=EXAMPLE.sha256))
    with pytest.raises(Refused, match="not those in force"):
        begin(study, of, stimulation=earlier)
    assert begin(study, of, stimulation=as_sham(BOUND.set_up(study, study.get("visit", of)["participant_id"])))


@pytest.mark.job
@pytest.mark.timeout(240)
def test_imagery_stimulates_and_the_run_replays_with_its_commands(tmp_path, monkeypatch, capsys):
    fewer = replace(SYSTEM.tasks[0], trials=(24, 8))
    monkeypatch.setattr(eeg_fes_rehabilitation, "SYSTEM", replace(SYSTEM, tasks=(fewer,)))
    folder = tmp_path / "fes"
    asked = ["demo", "--system", "eeg_fes_rehabilitation", "--speed", "8", "--no-browser", "--study", str(folder)]
    assert commands.main(asked) == 0
    assert capsys.readouterr().out.count("commands recomputed, equal") == 2
    run = RunFile(sorted((folder / "recordings").glob("*.xdf"))[-1])
    given = control.given(run.control(), run.decisions())
    assert [one for one in given if any(one.asked_ma)]
    assert all(one.given_ma == one.asked_ma for one in given)
    assert run.plan["stimulation"]["limits"][0]["sha256"] == EXAMPLE.sha256
    assert commands.main(["verify", str(folder)]) == 0
