"""The contract of every system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from workbench import control, decoders, devices, paradigms, systems
from workbench.errors import BadValue, UnknownName
from workbench.messages import Message, translate
from workbench.stimulation import Setup, Signature, SignedLimits
from workbench.study import Study, stimulation_limits
from workbench.study.changes.stimulating import AdoptStimulationLimits
from workbench.systems import replay_recordings
from workbench.vocabulary import Participant, Visit

SYSTEMS = {name: systems.load(name) for name in systems.available()}
SIMULATED = [(name, task.name) for name, system in SYSTEMS.items() if system.simulator for task in system.tasks]


@pytest.fixture(scope="module")
def bound(shared_data):
    """Every task of every system that can be bound without hardware."""
    files = [shared_data / "eegmmidb" / name for name in ("S001R06.edf", "S001R10.edf")]
    made = {(name, task): systems.simulate(SYSTEMS[name], task=task) for name, task in SIMULATED}
    recorded = replay_recordings.play(files, {"T1": "hands", "T2": "feet"})
    return made | {(recorded.system.name, recorded.task.name): recorded}


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_a_system_says_is_said_in_both_languages(name):
    system = SYSTEMS[name]
    texts = [system.title, system.published, *system.checks, *(one.words for one in system.inputs)]
    texts += [task.title for task in system.tasks] + [*system.not_supplied, *system.out_of_scope]
    texts += [text for one in system.planned for text in (one.title, one.variable, one.summary) if text]
    texts += [text for one in system.price_items for text in (one.title, one.per)]
    texts += [text for form in system.own_forms for text in (form.title, *(item.label for item in form.items))]
    texts += [system.simulator.source] if system.simulator else []
    assert all(isinstance(text, Message) and translate(text, language="zh-CN") != text for text in texts)


def test_every_task_that_runs_plans_a_calibration_and_an_online_run_or_decodes_nothing(bound):
    for one in bound.values():
        assert len(one.trials) == len(one.durations) >= (2 if one.decoder else 1)
        assert min(one.trials) > 0
        assert one.seconds == sum(one.durations)
        assert one.source.simulated is ("simulated" in one.source.text)
        assert one.source.player["device"] in devices.available()
        assert f"simulated_{one.effector}" in devices.available() or one.effector is None


def test_two_sessions_of_a_system_never_share_a_stream_and_name_the_description_they_follow(bound, tmp_path):
    with Study.create(tmp_path / "study", code="T", title="t", actor="test") as study:
        visit = study.append(Visit(study.append(Participant("P01", simulated=True)), "V1"))
        for one in bound.values():
            adopt_examples(study, one.system)
        for one in bound.values():
            plans = [one.new_session(study, visit=visit, operator="Chen L.") for _ in range(2)]
            ids = [line.source_id for plan in plans for line in plan.contract]
            assert len(set(ids)) == len(ids)
            stored = study.get("session", plans[0].session_id)["plan"]
            assert stored["source"] == one.source.text
            assert stored["system"] == {**systems.provenance(one.system), "task": one.task.name}
            assert len(stored["system"]["sha256"]) == 64
            assert type(plans[0]).from_json(plans[0].to_json()) == plans[0]


def adopt_examples(study, system):
    """Limits of what a system stimulates with, in force; those of another task of it may be already."""
    for limits in system.stimulation.example if system.stimulation else ():
        if limits.electrode in stimulation_limits.in_force(study):
            continue
        signers = [study.script_signer(name).confirm() for name in ("Chen L.", "Lin Q.")]
        study.apply(AdoptStimulationLimits(limits.definition()), signers, "tests")


@pytest.mark.parametrize("name", [name for name, system in SYSTEMS.items() if system.stimulation])
def test_what_a_system_stimulates_with_is_allowed_by_limits_that_override_no_usual_one(name):
    system = SYSTEMS[name]
    assert all(limits.overrides == () for limits in system.stimulation.example)
    people = (("Chen", "investigator"), ("Lin", "engineer"))
    signed = [
        SignedLimits(
            limits, tuple(Signature(who, role, "2026-11-26T08:00:00Z", limits.sha256) for who, role in people)
        )
        for limits in system.stimulation.example
    ]
    control.check_stimulation(control.load(system.effector), Setup(system.stimulation.programme, tuple(signed)))
    with pytest.raises(BadValue, match="belong together"):
        replace(system, stimulation=None)


@pytest.mark.parametrize("name", [name for name, system in SYSTEMS.items() if system.effector])
def test_no_system_weakens_a_limit_of_its_effector(name):
    system = SYSTEMS[name]
    profile = control.profile_limits(control.load(system.effector))
    limits = system.limits or profile
    for limit in ("level_max", "hold_limit_s", "dose_s"):
        assert getattr(limits, limit) <= getattr(profile, limit)
        wider = replace(profile, **{limit: 1.01 * getattr(profile, limit)})
        with pytest.raises(BadValue, match=limit):
            replace(system, limits=wider)
    assert all(task.law.trigger_s <= limits.hold_limit_s for task in system.tasks)
    longer = control.ControlLaw(
        "trigger", system.tasks[0].law.conditions or ("grasp",), profile.hold_limit_s + 0.1
    )
    with pytest.raises(BadValue, match="longer than"):
        control.check_law(longer, limits, control.load(system.effector))


def test_what_decides_an_onset_sees_it_in_a_whole_window_before_it_no_longer_counts(bound):
    for (name, task), one in bound.items():
        limit = paradigms.hit_window_s(one.paradigm, one.params_of("online"))
        if limit is None or not one.decoder:
            continue
        members = one.decoder_params.get("members") or {
            "signal": {"decoder": one.decoder, "params": one.decoder_params}
        }
        # With a gate the signal alone decides; of streams that are weighed the fastest may.
        deciding = members if one.decoder == "late_fusion" else {"signal": members["signal"]}
        lines = {line.role: line for line in one.contract}
        windows = [window_s(member, lines[role]) for role, member in deciding.items()]
        assert min(windows) <= limit, (name, task)


def window_s(member, line):
    decoder = decoders.load(member["decoder"])(**{"fs": line.fs, **member.get("params", {})})
    return decoder.prepare(len(line.channels)).settings.window_s


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_entry_has_a_test_of_its_own(name):
    assert (Path(__file__).parents[1] / "systems" / f"test_{name}.py").is_file()


def test_an_unknown_system_lists_those_there_are():
    with pytest.raises(UnknownName, match="no entry 'arm'; available: .*neo_hand, replay_recordings"):
        systems.load("arm")


def test_procedures_that_move_an_effector_need_one_and_a_mapping_needs_settings():
    glove, speller = SYSTEMS["neo_hand"], SYSTEMS["speller_p300"]
    with pytest.raises(BadValue, match="needs an effector"):
        replace(speller, procedures=("calibration", "online", "sham"))
    with pytest.raises(BadValue, match="needs settings"):
        replace(glove, settings=())
    with pytest.raises(BadValue, match="fractions 0–1"):
        replace(glove, settings=(1.5,))
    bound = systems.simulate(glove)
    assert bound.paradigm_of("mapping") == "effector_settings"
    assert bound.params_of("mapping") == {"levels": [0.25, 0.5, 0.75, 1.0]}
    assert bound.params_of("sham") == bound.params_of("online")
