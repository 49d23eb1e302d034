"""What a session with stimulation takes from its clients, without an engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.control.test_stimulation_status import armed, followed, setup
from tests.control.test_with_stimulator import STIMULATORS
from tests.live.plans import planned
from tests.stimulation.worked import signed
from workbench.engine import stimulating
from workbench.engine.session import Session
from workbench.errors import BadValue, Refused
from workbench.live import _wire
from workbench.recording import RunFile, RunWriter
from workbench.stimulation import Setup, StimulationSupervisor, Wearer, definition_of


def test_every_act_is_an_operation_of_the_door():
    assert set(stimulating.ACTS) <= set(_wire.OPERATIONS)


@pytest.mark.parametrize(
    ("act", "args"),
    [
        ("take_pressure", {"systolic": "120", "resting": True}),
        ("take_pressure", {"systolic": float("nan"), "resting": True}),
        ("take_pressure", {"systolic": 120.0, "resting": "yes"}),
        ("take_load", {"load_kg": True}),
        ("take_symptom", {}),
        ("set_ceiling", {"channel": 0.5, "current_ma": 3.0}),
    ],
)
def test_an_act_that_is_stated_badly_is_refused_in_one_sentence(act, args):
    with pytest.raises(BadValue, match=f"{act} needs .* as .*, got .*; correct it"):
        stimulating.arguments(act, args, by="Lin Q.")


def test_an_act_is_taken_with_who_did_it():
    pressure = {"systolic": 120, "resting": False}
    assert stimulating.arguments("take_pressure", pressure, by="Lin Q.") == {**pressure, "by": "Lin Q."}
    assert stimulating.arguments("take_holder", {"holder": "Chen L."}, by="Lin Q.") == {"by": "Chen L."}


def test_an_engine_begins_no_session_whose_effector_stimulates_and_has_no_set_up(tmp_path):
    folder, plan = planned(tmp_path, effector="fes")
    with pytest.raises(Refused, match="effector fes stimulates, and the session names no programme"):
        Session(folder, plan)
    module, known = STIMULATORS["fes"]
    of = Setup(module.PROGRAMME, (signed(known, "chen", "lin"),), Wearer("T10"))
    folder, plan = planned(tmp_path, effector="fes", stimulation=of)
    assert Session(folder, plan).effector.link is None
    folder, plan = planned(tmp_path, effector="glove", stimulation=of)
    with pytest.raises(BadValue, match="effector glove stimulates on 1 at most, or not at all"):
        Session(folder, plan)


def test_of_a_recording_that_was_cut_off_the_order_of_a_current_may_be_among_what_is_lost(tmp_path):
    # A power loss takes up to 1.5 s: here all from the intent on, with which the current began.
    folder, plan = planned(tmp_path, effector="epidural", stimulation=setup())
    about = {"participant": "P1", "classes": [], "effector": "epidural", "stimulation": definition_of(setup())}
    bench = armed(setup())
    entries, _ = followed(bench)
    before = entries[: next(n for n, (kind, _) in enumerate(entries) if kind == "on_decision")]
    path = folder.recordings / "run-1.xdf"
    with RunWriter(path, plan=about, stamp=10.0, signal=plan.signal) as writer:
        writer.control([(kind, args, 10.0) for kind, args in before])
        writer.journal.sync()
        assert RunFile(path).state == "unfinished"
        cut = stimulating.charge_of_today(tmp_path, participant="P1")
    least = StimulationSupervisor(setup()).most_uc(stimulating.LAPSE_S)
    assert all(cut[place] >= charge > 0 for place, charge in least.items())
    assert RunFile(path).state == "finished"
    assert not any(stimulating.charge_of_today(tmp_path, participant="P1").values())


def test_a_damaged_recording_counts_at_its_whole_length_and_one_that_cannot_be_read_forbids_the_session(tmp_path):
    module, known = STIMULATORS["fes"]
    of = Setup(module.PROGRAMME, (signed(known, "chen", "lin"),), Wearer("T10"))
    folder, plan = planned(tmp_path, effector="fes", stimulation=of)
    path = folder.recordings / "run-1.xdf"
    about = {"participant": "P1", "classes": [], "effector": "fes", "stimulation": definition_of(of)}
    with RunWriter(path, plan=about, stamp=10.0, signal=plan.signal) as writer:
        writer.signal(np.zeros((251, 1), np.float32), 10.0 + np.arange(251) / 250.0)
        writer.control([("state", {"version": 0}, 10.0)])
    assert stimulating.charge_of_today(tmp_path, participant="P2") == {}
    most = stimulating.charge_of_today(tmp_path, participant="P1")
    per_s = StimulationSupervisor(of).most_uc(1.0)
    assert most == pytest.approx({place: 6.0 * charge for place, charge in per_s.items()}, rel=0.01)
    # What the set-up states, such as the charge of a map, comes on top of what recordings have given.
    stated = replace(of, earlier_uc=tuple((place, 7.0) for place in most))
    day = dict(stimulating.set_up_of_today(stated, folder=tmp_path, participant="P1").earlier_uc)
    assert day == pytest.approx({place: 7.0 + charge for place, charge in most.items()})
    path.write_bytes(b"XDF:nothing")
    with pytest.raises(Refused, match=r"run-1\.xdf"):
        stimulating.set_up_of_today(of, folder=tmp_path, participant="P1")
