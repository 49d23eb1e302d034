"""One life: a session with its people and its bad luck, then the reckoning."""

from __future__ import annotations

import gc
import os
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from workbench import live, runs, world
from workbench.devices import lsl, simulated_participant
from workbench.errors import WorkbenchError
from workbench.live import SessionPlan
from workbench.runs import approve, fitting, grant
from workbench.runs.replaying import replay_study
from workbench.simulation import disk as disks
from workbench.simulation.scheduler import NS, Process, Stuck
from workbench.simulation.virtual_world import VirtualWorld
from workbench.simulation.watcher import Broken, Watcher
from workbench.study import Study, uuid7
from workbench.vocabulary import Participant, Session, Visit

FAST = {"attempt_s": 2.0, "rest_s": 2.5, "jitter_s": 0.2, "lead_in_s": 1.0}


LUCK = (
    "kill engine",
    "kill engine when moved",
    "freeze engine when moved",
    "kill simulated_participant",
    "kill simulated_glove",
    "freeze engine",
    "freeze simulated_participant",
    "freeze simulated_glove",
    "disk full",
    "disk failing",
    "disk slow",
    "clock step",
    "stranger",
    "second amplifier",
    "hostile",
)
"""What may happen in a life beside what its people do."""


@dataclass(frozen=True)
class Lived:
    """What came of a life.

    Attributes
    ----------
    seed : that replays it.
    seconds : of world time.
    trace : hash of everything that happened.
    broken : rules that did not hold.
    story : world time in s, and what happened.
    """

    seed: int
    seconds: float
    trace: str
    broken: tuple[Broken, ...]
    story: tuple[tuple[float, str], ...]
    orders: int
    events: int


class Life:
    """One session in a world of its own.

    Parameters
    ----------
    seed : of everything.
    seconds : of the session, s of world time.
    template : folder with a study and an approved decoder, see :func:`template`.
    strokes : world time in s and kind of each stroke of bad luck; drawn by default.
    """

    def __init__(
        self,
        seed: int,
        *,
        seconds: float,
        template: Path,
        strokes: Sequence[tuple[float, str]] | None = None,
    ) -> None:
        self.seed, self.seconds = seed, seconds
        self.random = random.Random(f"life {seed}")
        drawn = [
            (self.random.uniform(0.5, seconds), self.random.choice(LUCK))
            for _ in range(self.random.randrange(0, 5))
        ]
        self.strokes = drawn if strokes is None else strokes
        self.folder = Path(tempfile.mkdtemp(prefix="life-", dir=_memory()))
        self.study_folder = self.folder / "study"
        shutil.copytree(template / "study", self.study_folder)
        shutil.copytree(template / "keys", self.folder / "keys")
        self.world = VirtualWorld(seed)
        self.watcher = Watcher(self.world.scheduler)
        self.world.air.heard = self.watcher.heard
        self.world.disk.before = self._disk_luck
        self._failing: str = ""
        self._slow_s = 0.0
        self._over = False

    # -------------------------------------------------------------------------------- luck
    def _disk_luck(self, what: str, path: str) -> None:
        if self._slow_s and what in ("sync", "write"):
            self.world.scheduler.wait(None, self.random.random() * self._slow_s)
        if self._failing and what in ("write", "open", "sync") and "/recordings/" in path:
            raise disks.full() if self._failing == "full" else disks.failing()

    def _processes(self, name: str) -> list[Process]:
        return [p for p in self.world.scheduler.processes.values() if p.alive and p.name == name]

    def strike(self, kind: str) -> None:
        """One stroke of bad luck, of :data:`LUCK`."""
        scheduler, watcher = self.world.scheduler, self.watcher
        kind, _, moved = kind.partition(" when ")
        if moved and self.watcher.level < 0.2:
            scheduler.after(0.05, partial(self.strike, f"{kind} when moved"))
            return
        act, _, whom = kind.partition(" ")
        if act in ("kill", "freeze"):
            for process in self._processes(whom)[:1]:
                if act == "kill":
                    watcher.note(f"{whom} is killed")
                    if whom == "engine":
                        watcher.may_move = False
                    scheduler.end(process, -9)
                else:
                    pause = self.random.choice((0.02, 0.1, 0.4, 1.5, 6.0))
                    watcher.note(f"{whom} stands still for {pause:g} s")
                    self._freeze(process, pause)
        elif act == "disk":
            lasts = self.random.uniform(0.1, 4.0)
            watcher.note(f"the disk is {whom} for {lasts:.1f} s")
            if whom == "slow":
                self._slow_s = self.random.choice((0.01, 0.1, 0.6))
            else:
                self._failing = whom

            def well() -> None:
                self._failing, self._slow_s = "", 0.0

            scheduler.after(lasts, well)
        elif kind == "clock step":
            step = self.random.choice((-3600.0, -2.0, 0.5, 40.0, 86400.0))
            watcher.note(f"the calendar clock steps by {step:g} s")
            self.world.desk.wall_ns += round(step * NS)
        elif kind in ("stranger", "second amplifier"):
            watcher.note(f"{kind}: somebody announces a stream of that name")
            self.world.start("stranger", lambda: self._stranger(commands=kind == "stranger"))
        else:
            watcher.note("garbage is sent to the engine's door")
            self.world.start("hostile", self._hostile)

    def _freeze(self, process: Process, seconds: float) -> None:
        """A process gets no turn for a while."""
        scheduler, watcher = self.world.scheduler, self.watcher
        is_device = process.name == "simulated_glove"
        scheduler.freeze(process)
        watcher.device_frozen = watcher.device_frozen or is_device

        def thaw() -> None:
            scheduler.thaw(process)
            if is_device:
                watcher.device_resumed()

        scheduler.after(seconds, thaw)

    def _stranger(self, *, commands: bool) -> int:
        """A process that uses a name of ours."""
        outlets = [o for o in self.world.air.outlets.values() if o.process.alive]
        fitting = [o for o in outlets if (o.info.name() == "wb-commands") == commands and o.info.type() != "Acks"]
        if not fitting:
            return 0
        info = self.random.choice(fitting).info
        from workbench.vocabulary import StreamSpec

        channels = tuple(f"{k}" for k in range(info.channel_count())) if info.nominal_srate() else ()
        spec = StreamSpec(info.name(), info.type(), info.nominal_srate(), channels, source_id=info.source_id())
        outlet = lsl.Outlet(spec)
        end = world.clock.monotonic() + self.random.uniform(0.2, 6.0)
        while world.clock.monotonic() < end:
            if channels:
                outlet.push(
                    np.full((10, len(channels)), 1e4), lsl.local_clock() + np.arange(10) / info.nominal_srate()
                )
            else:
                outlet.push_text('{"action": "close", "level": 5.0}', lsl.local_clock())
            world.clock.sleep(0.05)
        outlet.close()
        return 0

    def _hostile(self) -> int:
        import zmq

        context = world.network.context()
        for endpoint in list(self.world.network.bound):
            socket = context.socket(zmq.REQ)
            socket.connect(endpoint)
            for _ in range(self.random.randrange(1, 30)):
                size = self.random.choice((0, 1, 30, 3000))
                socket.send_multipart([self.random.randbytes(size) for _ in range(self.random.randrange(1, 4))])
        return 0

    # ------------------------------------------------------------------------------ people
    def _operator(self) -> int:
        """Runs the session: starts, arms, stops, clicks again, reloads; keeps on after whatever happens."""
        study = Study.open(self.study_folder, actor="simulation")
        issue = grant.issuer(study, study.script_signer("simulation"))
        decoder = self.study_folder / "decoders" / str(study.rows("decoder")[0]["sha256"])[:12]
        client: live.Client | None = None
        while not self._over:
            try:
                if client is None:
                    plan = planned(study, self.study_folder, seed=self.seed % 1000)
                    client = live.start(plan)
                    client.use_grants(issue)
                    self.watcher.note(f"a session starts: {plan.session_id}")
                self._click(client, decoder)
            except WorkbenchError as error:
                self.watcher.note(f"the operator reads: {self._without_place(error)}")
                if live.find(self.study_folder) is None:
                    client = None
                    world.clock.sleep(self.random.choice((0.0, 1.0, 8.0)))
            except (OSError, TimeoutError) as error:
                self.watcher.note(f"the operator's program meets: {self._without_place(error)}")
            world.clock.sleep(self.random.choice((0.05, 0.3, 1.0, 2.0)))
        with suppress(WorkbenchError, OSError):
            if client is not None:
                client.shutdown()
        study.close()
        return 0

    def _page(self) -> int:
        """A page that somebody looks at, and reloads."""
        client: live.Client | None = None
        while not self._over:
            try:
                if client is None:
                    client = live.attach(self.study_folder, timeout=1.0)
                self.watcher.screen(client.status())
                if self.random.random() < 0.02:
                    client.close()
                    client = None
            except WorkbenchError:
                client = None
            world.clock.sleep(0.25)
        return 0

    def _click(self, client: live.Client, decoder: Path) -> None:
        """One act of the operator."""
        status = client.status()
        run, effector = status["run"], status["effector"]
        busy = run is not None and run["state"] in ("compiling", "running", "paused")
        latched = effector is not None and effector["state"] in ("ESTOP", "FAULT_SAFE")
        act = self.random.choice(
            ("arm", "arm", "wait", "wait", "wait", "stop", "disarm", "pause", "end", "note", "start")
            if busy
            else ("start", "start", "start", "note", "arm", "stop")
        )
        if latched and self.random.random() < 0.7:
            act = "reset"
        if act == "start":
            n = self.random.randrange(1, 5)
            client.start_run("online", "grasp_rest", FAST, n_trials=n, seed=1, decoder_folder=decoder)
            self.watcher.note(f"an online run of {n} trials starts")
        elif act == "arm":
            client.arm("simulation")
            self.watcher.may_move = True
            self.watcher.note("the effector is armed")
        elif act == "stop":
            client.stop("bad luck")
            self.watcher.stopped()
            self.watcher.note("STOP was taken")
        elif act == "reset":
            self.watcher.stop_left()
            client.reset_stop()
            self.watcher.note("the stop was left")
        elif act == "disarm":
            client.disarm("simulation")
            self.watcher.may_move = False
        elif act == "pause":
            client.pause()
            world.clock.sleep(0.5)
            client.resume()
        elif act == "end":
            client.end_run()
        elif act == "note":
            client.note("tired")

    def _without_place(self, error: Exception) -> str:
        """An error's sentence, the same wherever the files of this life lie."""
        return str(error).replace(str(self.folder), "")[:160]

    # ------------------------------------------------------------------------------- living
    def live(self) -> Lived:
        """Live it to its end, and reckon."""
        scheduler, watcher = self.world.scheduler, self.watcher
        # Garbage is collected between lives: what it closes would else be closed at another moment each time.
        gc.collect()
        gc.disable()
        try:
            with _keys(self.folder / "keys"), self.world.entered():
                operator = self.world.start("operator", self._operator)
                self.world.start("page", self._page)
                for at_s, kind in self.strokes:
                    scheduler.after(at_s, partial(self.strike, kind))

                def over() -> None:
                    self._over = True

                scheduler.after(self.seconds, over)
                try:
                    scheduler.run(until_s=self.seconds + 300.0, done=lambda: not operator.alive)
                except Stuck as stuck:
                    watcher.breaks("somebody always has a turn", str(stuck))
                if operator.alive:
                    watcher.breaks("every act of the operator comes to an end", "the operator still waits")
                for process, thread, error in scheduler.defects:
                    watcher.breaks(
                        "no thread ends by a defect",
                        f"{process.name} {thread.name}: {type(error).__name__}: {error}",
                    )
                for process in scheduler.processes.values():
                    if process.name == "engine" and process.code == 1:
                        watcher.breaks(
                            "no engine ends by a defect",
                            (self.study_folder / "engine" / "outcome.json").read_text()[:300],
                        )
                # The device goes on for as long as it needs to become safe.
                scheduler.run(until_s=scheduler.now / NS + 5.0, done=lambda: False) if self._processes(
                    "simulated_glove"
                ) else None
                if watcher.level > 1e-6 and self._processes("simulated_glove"):
                    watcher.breaks("a device is safe in the end", f"level {watcher.level:.3f}")
                self._reckon()
        finally:
            gc.enable()
            shutil.rmtree(self.folder, ignore_errors=True)
        return Lived(
            self.seed,
            scheduler.now / NS,
            watcher.trace,
            tuple(watcher.broken),
            tuple(watcher.story),
            watcher.orders,
            watcher.n_events,
        )

    def _reckon(self) -> None:
        """After everything is over: the record takes in what is there, the chain verifies, every run replays."""
        said: list[str] = []

        def reckoning() -> int:
            with Study.open(self.study_folder, actor="reckoning") as study:
                said.extend(runs.ingest_pending(study))
                found = study.verify()
                if not found.ok:
                    self.watcher.breaks("the chain verifies", str(found)[:400])
                listed = {Path(str(row["path"])).name for row in study.rows("recording")}
                for path in sorted((self.study_folder / "recordings").glob("*.xdf")):
                    if path.name not in listed:
                        self.watcher.breaks("no recording is forgotten", f"{path.name}: {said}")
            with suppress(WorkbenchError):
                for result in replay_study(self.study_folder):
                    if not result.equal:
                        self.watcher.breaks("replay equals", str(result.sentence))
            return 0

        process = self.world.start("reckoning", reckoning)
        self.world.scheduler.run(until_s=self.world.scheduler.now / NS + 100.0, done=lambda: not process.alive)
        for process, _thread, error in self.world.scheduler.defects:
            if process.name == "reckoning":
                self.watcher.breaks("the record can be reckoned", f"{type(error).__name__}: {error}")


def template(folder: Path) -> Path:
    """A study with a simulated person and an approved decoder, made in a world without bad luck.

    Parameters
    ----------
    folder : empty; gets ``study`` and ``keys``.
    """
    quiet = VirtualWorld(0)
    at = folder / "study"

    def calibrate() -> int:
        study = Study.create(at, code="SIM", title="simulated lives", actor="simulation")
        person = study.append(Participant("SIM-01", simulated=True))
        study.append(Visit(person, "V1"))
        client = live.start(planned(study, at, seed=0))
        run = client.start_run("calibration", "grasp_rest", FAST, n_trials=8)
        client.wait("run", timeout=300.0)
        client.shutdown()
        runs.ingest_pending(study)
        fitted = fitting.fit(at, [at / "recordings" / f"{run}.xdf"], "bandpower_lda")
        sha256 = approve.enter(study, fitted)
        signed = study.script_signer("simulation").confirm()
        approve.approve(
            study, sha256, effector="glove", participant_id=person, by=signed, reason="simulated lives"
        )
        study.close()
        return 0

    with _keys(folder / "keys"), quiet.entered():
        process = quiet.start("calibration", calibrate)
        quiet.scheduler.run(until_s=600.0, done=lambda: not process.alive)
        for _, _, error in quiet.scheduler.defects:
            raise error
    return folder


def planned(study: Study, folder: Path, *, seed: int) -> SessionPlan:
    """A session of the simulated person with a simulated glove."""
    visit = str(study.rows("visit")[0]["id"])
    session = uuid7()
    study.append(Session(visit, "simulation", id=session, simulated=True))
    played = {"preset": "neo", "seed": 3, "source_id": f"sig-{session}"}
    return SessionPlan(
        study_folder=str(folder),
        study="SIM",
        participant="SIM-01",
        visit="V1",
        session_id=session,
        operator="simulation",
        contract=(simulated_participant.spec(played),),
        effector="glove",
        players=(
            {"device": "simulated_participant", "options": played},
            {"device": "simulated_glove", "options": {"loss": 0.0, "idle_s": 20.0}},
        ),
        seed=seed,
        simulated=True,
        script_present=True,
    )


@contextmanager
def _keys(folder: Path) -> Iterator[None]:
    """Keys of a world lie in a folder of its own."""
    before = os.environ.get("WORKBENCH_KEYS")
    os.environ["WORKBENCH_KEYS"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["WORKBENCH_KEYS"]
        else:
            os.environ["WORKBENCH_KEYS"] = before


def _memory() -> str | None:
    """Where files cost the least."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
