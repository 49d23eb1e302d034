"""Runs with a decoder that adapts: every update is in the recording, chained, and a replay gives the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.shares import some
from workbench import decoders, paradigms, runs
from workbench.decode import decode
from workbench.engine import run_request
from workbench.recording import RunFile
from workbench.recording.recover import recover
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Decision, Snapshot

pytestmark = pytest.mark.job
TIGHT = 0.001
RULES = ("blocks", "pmean", "recentre", "supervised")
QUICK = {"blocks": {"block_s": 4.0, "delay_s": 3.0, "bound": 50.0}}
CASES = {rule: (rule, QUICK.get(rule, {})) for rule in RULES} | {"tight": ("pmean", {"bound": TIGHT})}
"""Fits of the session: each rule with its own bound, and one whose bound every update passes."""
KINDS = {"blocks": "rew_pls", "pmean": "bandpower_lda", "recentre": "riemann_mdm", "supervised": "bandpower_lda"}


@pytest.fixture(scope="module")
def done(make_room, fast):
    """One session: a calibration, and an online run for every rule, each with its own fitted decoder."""
    room = make_room()
    client = room.start(room.plan(speed=16.0))
    calibration = client.start_run("calibration", "grasp_rest", fast, n_trials=8, seed=1)
    client.wait("run", timeout=120)
    path = room.folder / "recordings" / f"{calibration}.xdf"
    fitted, started, seen = {}, {}, {"calibration": [client.status()]}
    for case, (rule, more) in CASES.items():
        params = {"window_s": 1.0, "adapt": {"rule": rule, "longest_rest_s": 60.0, **more}}
        fitted[case] = runs.fit(room.folder, [path], KINDS[rule], params)
        started[case] = client.start_run(
            "online", "grasp_rest", fast, n_trials=8, seed=2, decoder_folder=fitted[case]["folder"]
        )
        seen[case] = []
        ended = client.wait("run", timeout=120, progress=seen[case].append)["run"]
        assert ended["state"] == "finished", ended["sentence"]
    heavy = client.status()["engine"]["heavy_modules"]
    client.shutdown()
    said = runs.ingest_pending(room.study)
    return SimpleNamespace(**locals())


def recording(done, rule):
    return RunFile(done.room.folder / "recordings" / f"{done.started[rule]}.xdf")


@pytest.mark.parametrize("rule", RULES)
def test_every_update_is_recorded_in_a_chain_that_begins_at_the_decoder(done, rule):
    run = recording(done, rule)
    made = run.snapshots()
    assert run.adapts == run.plan["adapts"] == rule
    assert len(made) >= 5
    heads = [done.fitted[rule]["sha256"], *(one.sha256 for one in made)]
    assert [one.previous for one in made] == heads[:-1]
    assert [one.sample for one in made] == sorted(one.sample for one in made)
    assert {one.rule for one in made} <= {rule, "roll_back"}
    assert all(0 < one.sample <= len(run.signal.stamps) for one in made)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("block", some([None, 1, 17, 1000], of=2))
def test_the_run_replays_with_its_updates_bit_for_bit(done, rule, block):
    run = recording(done, rule)
    found = runs.replay_run(run.path, done.fitted[rule]["folder"], block=block)
    assert found.equal, found.sentence
    assert f"{len(run.snapshots())} updates of the decoder" in found.sentence
    assert (found.n_updates, found.chain_head) == (len(run.snapshots()), run.snapshots()[-1].sha256)


@pytest.mark.parametrize("rule", RULES)
def test_the_updates_of_a_replay_carry_their_arrays_and_hash_to_the_recorded_chain(done, rule):
    run = recording(done, rule)
    decoder = decoders.read(Path(done.fitted[rule]["folder"]))
    paradigm = paradigms.from_params(run.plan["paradigm"], run.plan["params"])
    made = [m for m in decode(run.items(), paradigm, decoder, fs=run.signal.fs) if isinstance(m, Snapshot)]
    decoders.check_chain(made, decoder_sha256=decoder.sha256_)
    assert made == run.snapshots()
    assert all(one.arrays for one in made)
    assert not any(one.arrays for one in run.snapshots())


def test_a_supervised_decoder_learned_at_the_windows_of_the_cues(done):
    run = recording(done, "supervised")
    paradigm = paradigms.from_params(run.plan["paradigm"], run.plan["params"])
    cues, _ = locate_cues(run.items(), fs=run.signal.fs)
    named = paradigm.training_windows(cues, fs=run.signal.fs, window_s=1.0, hop_s=1.0)
    ends = {end for end, *_ in named}
    assert {one.sample for one in run.snapshots()} <= ends
    assert len(run.snapshots()) > len(ends) // 2


@pytest.mark.parametrize("rule", RULES)
def test_the_record_holds_rule_count_and_head_of_the_chain(done, rule):
    made = recording(done, rule).snapshots()
    summary = done.room.study.get("run", done.started[rule])["summary"]
    back = sum(one.rule == "roll_back" for one in made)
    assert summary["adaptation"] == {"rule": rule, "n": len(made), "rolled_back": back, "head": made[-1].sha256}
    assert summary["replay"]["equal"] is True


def test_the_study_replays_and_the_engine_stayed_light(done):
    assert all(found.equal for found in runs.replay_study(done.room.folder))
    assert done.heavy == []


@pytest.mark.parametrize("rule", RULES)
def test_the_status_counts_the_updates_of_the_run_and_ends_in_the_recorded_head(done, rule):
    made = recording(done, rule).snapshots()
    told = [status["run"]["adapting"] for status in done.seen[rule] if status["run"]["id"] == done.started[rule]]
    back = sum(one.rule == "roll_back" for one in made)
    end = {"rule": rule, "updates": len(made), "age_s": None, "rolled_back": back, "ended": False}
    assert told[-1] == end | {"head": made[-1].sha256}
    counts = [one["updates"] for one in told]
    assert counts == sorted(counts)
    heads = [done.fitted[rule]["sha256"], *(one.sha256 for one in made)]
    assert [one["head"] for one in told] == [heads[n] for n in counts]
    assert all((one["age_s"] is None) == (one["updates"] == 0) for one in told[:-1])
    assert any(one["age_s"] is not None and one["age_s"] >= 0.0 for one in told)


def test_an_update_that_went_back_to_the_fit_is_in_status_ledger_and_record(done):
    run, last = recording(done, "tight"), done.seen["tight"][-1]
    made = run.snapshots()
    assert {one.rule for one in made} == {"roll_back"}
    assert last["run"]["adapting"]["rolled_back"] == last["run"]["adapting"]["updates"] == len(made) > 0
    rows = [row for row in run.ledger() if row.kind == "roll_back"]
    assert [row.sample for row in rows] == [one.sample for one in made]
    assert rows[0].extent == f"update 1 passed the bound ({TIGHT:g})"
    assert {(row.priority, row.consequence) for row in rows} == {
        ("medium", "the decoder is as it was fitted again and adapts on from there")
    }
    assert "roll_back" in {row["kind"] for row in last["ledger"]}
    kept = done.room.study.rows("ledger", run_id=done.started["tight"], kind="roll_back")
    assert len(kept) == len(made)


def test_a_run_that_keeps_within_its_bound_leaves_no_such_row(done):
    within = [rule for rule in RULES if done.seen[rule][-1]["run"]["adapting"]["rolled_back"] == 0]
    assert within
    assert not [row for rule in within for row in recording(done, rule).ledger() if row.kind == "roll_back"]


def test_a_run_without_a_decoder_has_no_rule_in_its_status(done):
    (status,) = done.seen["calibration"]
    nothing = {"rule": "", "updates": 0, "age_s": None, "rolled_back": 0, "ended": False, "head": ""}
    assert status["run"]["adapting"] == nothing


@pytest.mark.parametrize(
    ("case", "bound"), [("blocks", 50.0), ("pmean", 3.0), ("recentre", 2.0), ("supervised", 3.0), ("tight", TIGHT)]
)
def test_a_fit_says_by_which_rule_and_bound_its_decoder_adapts(done, case, bound):
    assert done.fitted[case]["metrics"]["adapts"] == {"rule": CASES[case][0], "bound": bound}


def test_a_decoder_that_learns_in_blocks_does_so_on_a_thread_that_the_engine_watches_in_its_run_alone(done):
    number = 2 + list(CASES).index("blocks")
    during = [status["engine"] for status in done.seen["blocks"] if status["run"]["state"] == "running"]
    assert any(f"decoder-updates-{number}" in engine["supervised"] for engine in during)
    every = [status["engine"] for seen in done.seen.values() for status in seen]
    assert all(engine["unsupervised"] == [] and engine["lost"] == {} for engine in every)
    after = done.seen["supervised"][-1]["engine"]["supervised"]
    assert not [name for name in after if name.startswith("decoder-updates")]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "blocks"])
def test_the_rehearsal_of_a_run_updates_too_so_that_nothing_is_compiled_in_the_run(done, rule, monkeypatch):
    made = []

    def heard(*given, **named):
        for item in decode(*given, **named):
            made.append(item)
            yield item

    monkeypatch.setattr(run_request, "decode", heard)
    spec = done.room.plan().signal
    args = {
        "kind": "online",
        "paradigm": "grasp_rest",
        "n_trials": 3,
        "decoder_folder": done.fitted[rule]["folder"],
    }
    run_request.rehearse(run_request.parse_run_request(args, signal=spec), signal=spec)
    assert any(isinstance(item, Snapshot) and item.rule == rule for item in made)


def entry(snapshot):
    """The bytes of a snapshot in a recording."""
    content = {name: getattr(snapshot, name) for name in ("sample", "rule", "previous", "sha256")}
    return json.dumps(content).encode()


def changed(done, tmp_path, old, new):
    """A copy of the pmean run in which bytes of an entry of the snapshots are others."""
    path = recording(done, "pmean").path
    data = path.read_bytes()
    assert data.count(old) >= 1
    assert len(old) == len(new)
    other = tmp_path / "recordings" / path.name
    other.parent.mkdir()
    at = data.index(old)
    other.write_bytes(data[:at] + new + data[at + len(old) :])
    return other


@pytest.mark.parametrize("field", ["sha256", "previous", "rule", "sample"])
def test_a_changed_byte_of_an_update_is_found_and_placed(done, tmp_path, field):
    made = recording(done, "pmean").snapshots()
    value = getattr(made[2], field)
    other = value + 1 if field == "sample" else value[:-1] + ("0" if value[-1] != "0" else "1")
    wrong = replace(made[2], **{field: other})
    path = changed(done, tmp_path, entry(made[2]), entry(wrong))
    found = runs.replay_run(path, done.fitted["pmean"]["folder"])
    assert not found.equal
    assert found.first == 2
    assert f"update 3 of {len(made)} of the decoder (sample {wrong.sample}) differs" in found.sentence


def test_a_file_torn_in_the_run_keeps_the_updates_before_the_cut(done, tmp_path):
    run = recording(done, "pmean")
    made = run.snapshots()
    middle = made[len(made) // 2]
    data = run.path.read_bytes()
    at = data.index(middle.sha256.encode(), data.index(f'"sample": {middle.sample}, "rule"'.encode()))
    torn = tmp_path / "recordings" / run.path.name
    torn.parent.mkdir()
    torn.write_bytes(data[: at + 10])
    recover(torn)
    back = RunFile(torn)
    assert back.state == "recovered"
    assert back.snapshots() == made[: len(made) // 2]
    found = runs.replay_run(torn, done.fitted["pmean"]["folder"])
    assert found.equal, found.sentence
    assert found.n_updates == len(made) // 2


def test_a_run_whose_decoder_does_not_adapt_says_nothing_of_it(done):
    run = RunFile(done.path)
    assert run.adapts == ""
    assert run.snapshots() == []
    assert "wb.snapshots" not in run.names
    assert not [m for m in run.decisions() if isinstance(m, Decision)]
    assert "adaptation" not in done.room.study.get("run", done.calibration)["summary"]
    assert "updates" not in runs.replay_run(run.path).sentence
