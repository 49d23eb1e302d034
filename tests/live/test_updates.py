"""A worker that hangs, dies or is late blocks no hop: alarm and row say so; a replay ends where the run did."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.doors import SteppedClock
from tests.live import plans
from workbench import decoders, paradigms, runs, world
from workbench.decode import decode
from workbench.decoding.blocks import AtHand, Blocks
from workbench.engine.adaptation import Adaptation
from workbench.engine.process import LOOP, Engine
from workbench.engine.updates import UPDATE_LIMIT_S, UpdateWorker
from workbench.recording import RunFile, RunWriter
from workbench.vocabulary import Decision, Marker, Montage, Snapshot, StreamSpec, Trial

FS, N = 200.0, 6000
LINE = StreamSpec("Amp", "EEG", FS, ("a", "b", "c", "d"), source_id="amp-1")
SHORT = {"conditions": ("rest", "grasp"), "attempt_s": 2.0, "rest_s": 2.0, "start_s": 0.5, "stop_s": 1.5}
ADAPT = {"rule": "blocks", "bound": 50.0, "block_s": 4.0, "delay_s": 2.0}
CUES = [Marker("cue", at, at / FS, label, {"duration_s": 2.0, "trial": 0})
        for at, label in zip(range(0, N - 400, 400), ("rest", "grasp") * N, strict=False)]  # fmt: skip


def paradigm():
    return paradigms.load("left_right")(**SHORT)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with a decoder that learns in blocks."""
    folder = tmp_path_factory.mktemp("study")
    labels = np.array(["grasp", "rest"])[np.arange(40) % 2]
    x = np.random.default_rng(1).normal(0.0, 10.0, (40, 4, 80))
    x[labels == "grasp", 1] *= 0.6
    made = decoders.load("rew_pls")(FS, window_s=0.4, reference="none", model={"stretches": 2}, adapt=ADAPT)
    made.fit(x, labels)
    scratch = folder / "decoders" / "new"
    sha256 = decoders.save(made, scratch, montage=Montage(LINE.channels, FS))
    scratch.rename(folder / "decoders" / sha256[:12])
    return folder, decoders.read(folder / "decoders" / sha256[:12])


@pytest.fixture(scope="module")
def recorded(study):
    """What a run took in, whose second channel is quiet in every other cue."""
    return RunFile(written(study[0] / "recordings" / "taken-in.xdf", study, []))


@pytest.fixture
def engine(study):
    """The engine of a session whose threads only the test looks at, by a clock in hand."""
    folder, plan = plans.planned(study[0], contract=(LINE,))
    with world.entered(clock=SteppedClock(100.0)):
        world.disk.save(folder.plan, plan.to_json().encode())
        made = Engine(folder)
        yield made
        made.session.close()
        made.supervisor.close()


def stretches():
    """Each cue, and the samples up to the next."""
    for marker, after in zip(CUES, [*(cue.sample for cue in CUES[1:]), N], strict=True):
        yield marker, slice(marker.sample, after)


def decided(study, recorded, worker):
    return list(decode(recorded.items(block=100), paradigm(), study[1], fs=FS, worker=worker))


def snapshots(made):
    return [item for item in made if isinstance(item, Snapshot)]


def written(path, study, made):
    """The recording of a run in which this was decided."""
    plan = {
        "run": "r1", "kind": "online", "paradigm": "left_right", "params": paradigm().params(), "number": 1,
        "decoder_sha256": study[1].sha256_, "adapts": "blocks", "classes": list(study[1].class_names),
    }  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    samples, stamps = np.random.default_rng(2).normal(0.0, 11.0, (N, 4)).astype(np.float32), np.arange(N) / FS
    for first in range(400, N, 800):
        samples[first : first + 400, 1] *= 0.5
    with RunWriter(path, plan=plan, stamp=0.0, signal=LINE) as writer:
        for marker, rows in stretches():
            writer.marker(marker)
            writer.signal(samples[rows], stamps[rows])
        writer.marker(Marker("end", N, N / FS))
        for item in made:
            if isinstance(item, Decision):
                writer.decision(item)
            elif isinstance(item, Snapshot):
                writer.snapshot(item, stamp=item.sample / FS)
            else:
                writer.trial(item)
    return path


def looked(engine, seconds):
    """So much time in which the loop comes round and looks at all others."""
    for _ in range(round(seconds * 10)):
        world.clock.now_s += 0.1
        engine.supervisor.beat(LOOP)
        engine.supervisor.look(LOOP)


def alarms(engine):
    return [alarm["what"] for alarm in engine.session.ledger.alarms.shown() if alarm["key"] == "thread_lost"]


def at_the_second(update, does):
    """``update`` of which the second call does something before it goes on."""
    calls = []

    def changed(self, rows, labels, alive=lambda: None):
        calls.append(1)
        if len(calls) == 2:
            does()
        return update(self, rows, labels, alive)

    return changed


def test_a_thread_that_learns_beside_the_loop_makes_what_the_loop_makes_at_hand(study, recorded, engine):
    worker = UpdateWorker(engine.supervisor.start, name="decoder-updates-1", wait_s=60.0)
    beside = decided(study, recorded, worker)
    assert engine.supervisor.names().count("decoder-updates-1") == 1
    worker.close()
    worker._thread.join(60.0)
    assert not worker._thread.is_alive()
    looked(engine, 1.0)
    assert alarms(engine) == []
    assert beside == decided(study, recorded, AtHand())
    assert len(snapshots(beside)) == 7


class Watched(UpdateWorker):
    """Asked once the work is done, or the thread hangs or has ended: however busy the computer is."""

    def __init__(self, engine):
        super().__init__(engine.supervisor.start, name="decoder-updates-1", wait_s=0.0)
        self.hung = threading.Event()

    def wait_for(self, done):
        over = (done.is_set, self.hung.is_set, lambda: not self._thread.is_alive())
        assert world.Clock().until(lambda: any(each() for each in over), 60.0)
        super().wait_for(done)


def replays(folder, study, recorded, made):
    """That the recording of a run in which this was decided is replayed, and that it is so by the recorded end."""
    found = runs.replay_run(
        written(folder / "run.xdf", study, made), study[0] / "decoders" / study[1].sha256_[:12]
    )
    assert found.equal, found.sentence
    assert snapshots(decided(study, recorded, AtHand()))[1:] != snapshots(made)[1:]
    return True


def test_a_worker_that_hangs_holds_no_hop_up_is_a_fault_and_replays(
    study, recorded, engine, monkeypatch, tmp_path
):
    worker, go_on = Watched(engine), threading.Event()

    def hangs():
        worker.hung.set()
        go_on.wait()

    try:
        with monkeypatch.context() as broken:
            broken.setattr(Blocks, "update", at_the_second(Blocks.update, hangs))
            made = decided(study, recorded, worker)
        assert [(shot.rule, shot.sample) for shot in snapshots(made)] == [("blocks", 1200), ("ended", 2000)]
        assert [item.end_sample for item in made if isinstance(item, Trial)][-1] > 2000
        looked(engine, UPDATE_LIMIT_S + 0.2)
        (why,) = alarms(engine)
        assert f"thread decoder-updates-1 has not reported for {UPDATE_LIMIT_S + 0.1:.1f} s" in why
    finally:
        go_on.set()
        worker.close()
        worker._thread.join(60.0)
    assert replays(tmp_path, study, recorded, made)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [OverflowError("int too large"), SystemExit()])
def test_a_worker_that_dies_is_a_fault_of_its_thread_and_not_of_the_loop(
    study, recorded, engine, monkeypatch, tmp_path, error
):
    def dies():
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(Blocks, "update", at_the_second(Blocks.update, dies))
        made = decided(study, recorded, Watched(engine))
    assert [(shot.rule, shot.sample) for shot in snapshots(made)] == [("blocks", 1200), ("ended", 2000)]
    looked(engine, 0.1)
    (why,) = alarms(engine)
    assert f"thread decoder-updates-1 ended: {type(error).__name__}" in why
    assert replays(tmp_path, study, recorded, made)


def test_the_end_of_the_adaptation_is_a_row_and_no_update():
    adapting = Adaptation("blocks", bound=3.0, head="fit")
    adapting.count(Snapshot(100, "blocks", "fit", "first", {}), stamp=1.0)
    row = adapting.count(Snapshot(200, "ended", "first", "second", {}), stamp=2.0)
    assert (row.kind, row.sample, row.priority) == ("adaptation_ended", 200, "medium")
    assert row.extent == "update 2 was not there in time"
    assert row.consequence == "the decoder stays as it is and adapts no more in this run"
    status = adapting.status(over=False)
    assert (status["updates"], status["rolled_back"], status["head"]) == (1, 0, "second")
    assert status["ended"]
