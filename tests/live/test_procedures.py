"""Passive, open-loop, sham and mapping runs: a schedule moves the glove, and the record says the procedure."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from workbench import control, runs, world
from workbench.engine.procedures import scheduled
from workbench.engine.run_request import parse_run_request
from workbench.errors import BadValue, Refused
from workbench.recording import RunFile
from workbench.reports._facts import read
from workbench.reports.blocks import Notice, Table
from workbench.reports.session import session_document
from workbench.reports.texts import Texts

pytestmark = pytest.mark.job
LEVELS = {"levels": [0.3, 0.6], "hold_s": 1.5}


@pytest.fixture(scope="module")
def done(make_room, fast):
    """A session with a run of each procedure, the sham run with a decoder that was fitted on the passive run."""
    room = make_room()
    plan = room.plan(glove=True)
    client = room.start(plan)
    client.make_ready()
    screens = {}

    def run(kind, *, n_trials=4, **how):
        run_id = client.start_run(kind, "grasp_rest", fast, n_trials=n_trials, seed=2, **how)
        client.wait("running")
        client.arm_when_ready("Dr. A")
        screens[kind] = client.wait("run", timeout=120)
        return run_id

    unarmed = client.start_run("calibration", "grasp_rest", fast, n_trials=2)
    client.wait("running")
    refused = refusal(client.arm)
    client.end_run()
    client.wait("run")
    passive = run("passive", n_trials=8)
    fitted = runs.run_fit(room.folder, [room.folder / "recordings" / f"{passive}.xdf"], "bandpower_lda")
    open_loop = run("open_loop")
    # Not approved: it decides, and moves nothing.
    sham = run("sham", decoder_folder=fitted["folder"])
    mapping = client.start_run("mapping", "effector_settings", LEVELS, n_trials=2)
    client.wait("running")
    before = refusal(client.apply_setting)
    client.arm_when_ready("Dr. A")
    asked = client.status()["run"]["setting"]
    client.apply_setting()
    twice = refusal(client.apply_setting)
    client.note_reaction("none")
    wait_for_trials(client, 1)
    client.wait("armed", timeout=30)
    client.apply_setting()
    client.note_reaction("flexion of the index finger")
    screens["mapping"] = client.wait("run", timeout=60)
    client.shutdown()
    said = runs.ingest_pending(room.study)
    files = {
        name: RunFile(room.folder / "recordings" / f"{run_id}.xdf")
        for name, run_id in (
            ("passive", passive),
            ("open_loop", open_loop),
            ("sham", sham),
            ("mapping", mapping),
        )
    }
    return SimpleNamespace(**locals())


def refusal(call, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    return str(caught.value)


def wait_for_trials(client, n):
    while client.status()["run"]["trials_done"] < n:
        world.clock.sleep(0.05)


def closings(file):
    return [command for command in file.commands() if command.action == "close"]


def test_the_recording_the_record_and_the_screen_name_the_procedure(done):
    kinds = {"passive": "passive", "open_loop": "open_loop", "sham": "sham", "mapping": "mapping"}
    assert {name: file.plan["kind"] for name, file in done.files.items()} == kinds
    assert [row["kind"] for row in done.room.study.rows("run")] == ["calibration", *kinds.values()]
    assert done.screens["sham"]["run"]["kind"] == "sham"
    for name, file in done.files.items():
        said = [row for row in file.ledger() if row.kind == "procedure"]
        assert [row.extent for row in said] == [kinds[name].replace("_", "-")]


@pytest.mark.parametrize("name", ["passive", "open_loop"])
def test_once_armed_the_effector_closes_and_opens_once_with_a_cue(done, name):
    file = done.files[name]
    (armed,) = [marker.stamp for marker in file.markers() if marker.kind == "arm"]
    cues = [trial.cue_stamp for trial in file.trials() if trial.cue_stamp > armed]
    moves = control.moves_of(cues, file.commands())
    # How soon depends on how busy the computer is; that each cue has its own move and no other does not.
    assert any(moves)
    assert max(map(len, moves)) == 1
    assert {command.decoder_sha256 for command in closings(file)} == {f"schedule:{name}"}


def test_a_passive_run_calibrates_a_decoder(done):
    assert done.fitted["metrics"]["accuracy"] > 0.7


def test_a_sham_run_records_what_the_decoder_decides_and_moves_by_its_own_schedule(done):
    file = done.files["sham"]
    assert file.decisions()
    assert file.plan["approved"] is False
    assert sum(map(len, file.plan["moves"])) == 3
    assert {command.decoder_sha256 for command in closings(file)} == {"schedule:sham"}


def test_a_yoked_run_repeats_the_moves_of_the_other(done, fast):
    plan, other = done.plan, done.files["open_loop"]
    args = {"kind": "sham", "paradigm": "grasp_rest", "params": fast, "yoked_to": done.open_loop}
    args["decoder_folder"] = done.fitted["folder"]
    began = control.moves_of([trial.cue_stamp for trial in other.trials()], other.commands())
    request = parse_run_request({**args, "n_trials": len(began)}, signal=plan.signal)
    assert scheduled(request, plan).moves == began
    with pytest.raises(Refused, match="to be repeated"):
        scheduled(parse_run_request({**args, "n_trials": len(began) + 1}, signal=plan.signal), plan)


def test_a_session_in_which_no_schedule_may_move_anything_refuses(done, fast):
    args = {"kind": "passive", "paradigm": "grasp_rest", "params": fast, "n_trials": 2}
    request = parse_run_request(args, signal=done.plan.signal)
    slow = control.ControlLaw("proportional", gain=1.0, slew_per_s=1.0)
    for changes, why in (
        ({"effector": None}, "this session has none"),
        ({"law": slow}, "follows a value or waits for a phase"),
        ({"cue_source": "page"}, "the engine itself must give them"),
    ):
        with pytest.raises(Refused, match=why):
            scheduled(request, replace(done.plan, **changes))


def test_each_setting_is_confirmed_and_its_reaction_noted(done):
    assert done.asked == {"label": "setting 1", "level": [0.3], "awaits_reaction": False}
    assert "ARMED" in done.before
    assert "reaction" in done.twice
    assert [dict(trial.result) for trial in done.files["mapping"].trials()] == [
        {"level": [0.3], "reaction": "none"},
        {"level": [0.6], "reaction": "flexion of the index finger"},
    ]
    assert {command.level for command in closings(done.files["mapping"])} == {(0.3,), (0.6,)}


def test_a_calibration_still_moves_nothing(done):
    assert "decoder" in done.refused


def test_each_run_replays_with_its_commands(done):
    results = runs.replay_study(done.room.folder)
    assert [result.sentence for result in results if not result.equal] == []
    assert [result.n_commands for result in results][1:] == [len(file.commands()) for file in done.files.values()]


def test_no_run_but_an_online_one_counts_as_online(done):
    assert read(done.room.study).online == ()


def test_the_report_names_the_procedures_and_shows_setting_and_reaction(done):
    document = session_document(read(done.room.study), Texts("en"))
    (notice,) = [block for block in document.blocks if isinstance(block, Notice) and "schedule" in block.text]
    assert all(word in notice.text for word in ("passive", "open loop", "sham", "mapping"))
    cells = [row for block in document.blocks if isinstance(block, Table) for row in block.rows]
    assert ("2", "60 %", "flexion of the index finger") in cells
    assert document.lead.startswith("No online run was recorded")


def test_requests_that_contradict_the_procedure_are_refused(done, fast):
    signal = done.plan.signal
    base = {"paradigm": "grasp_rest", "params": fast, "n_trials": 2}
    for args, why in (
        ({**base, "kind": "sham"}, "needs a decoder"),
        ({**base, "kind": "passive", "decoder_folder": "x"}, "has no decoder"),
        ({**base, "kind": "mapping"}, "paradigm effector_settings"),
        (
            {**base, "kind": "calibration", "paradigm": "effector_settings", "params": {}},
            "paradigm effector_settings",
        ),
        ({**base, "kind": "passive", "yoked_to": "run-1"}, "sham run only"),
    ):
        with pytest.raises(BadValue, match=why):
            parse_run_request(args, signal=signal)
