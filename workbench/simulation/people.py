"""Who takes part in a life: an operator, a second one, and a page that somebody looks at."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from workbench import live, world
from workbench.control import ARMED_OR_ENGAGED
from workbench.errors import Refused, WorkbenchError
from workbench.live import SessionPlan
from workbench.live.status import Status
from workbench.runs import grant
from workbench.simulation.scene import HAND, OTHER, PERSON, Scene, begin
from workbench.simulation.virtual_world import VirtualWorld
from workbench.simulation.watcher import MOVED, Watcher
from workbench.study import Study
from workbench.systems import Stimulation

BUSY = ("arm", "arm", "arm", "wait", "stop", "disarm", "pause", "end", "note", "start")
"""What an operator does while a run is under way and nothing is armed."""
ARMED = ("wait", "wait", "wait", "wait", "wait", "wait", "wait", "stop", "disarm", "pause", "end", "note", "arm")
"""What an operator does while the effector may move."""
IDLE = ("start", "start", "start", "start", "start", "note", "arm", "stop", "leave")
"""What an operator does between runs."""


OTHERS = 0.12
"""Share of sessions that are somebody else's, for whom no decoder is approved."""
SAID = ("held", "held", "held", "left", "symptom", "ceiling", "ceiling")
"""What is said of somebody who is stimulated: who holds, that nobody does, what is felt; a ceiling that is set."""
SAYS = 0.2
"""Share of an operator's acts that are one of these, where a system stimulates."""
KNOWN_S = 3.0
"""After which everything is known of the streams of a quiet session, s."""
QUIET_TRIALS = 3
"""Of the run in a session that nothing disturbs."""


@dataclass(frozen=True)
class Pace:
    """How fast things happen.

    Attributes
    ----------
    click_s : times between two acts of the operator, of which one is drawn, s.
    page_s : time between two looks of a page, s.
    n_trials : least and greatest number of trials of a run.
    block_s : length of a block of samples, s.
    tick_s : ticks of the computer's timer, of which one is drawn, s; 0 is exact.
    """

    click_s: tuple[float, ...]
    page_s: float
    n_trials: tuple[int, int]
    block_s: float
    tick_s: tuple[float, ...]


HASTY = Pace((0.05, 0.3, 1.0, 2.0), 0.25, (1, 6), 0.02, (0.0, 0.0, 0.0, 0.001, 0.015625))
"""Many acts in seconds, to a millisecond: for short lives, which look for what is rare."""
STEADY = Pace((2.0, 20.0, 60.0, 180.0), 30.0, (10, 60), 0.1, (0.05, 0.1))
"""A clinic's pace on a computer whose timer is coarse: for lives of hours."""
DRAWN = replace(STEADY, tick_s=(0.1,))
"""The same on computers with the coarser of both timers: for lives of hours in which evidence is drawn."""


class People:
    """Those who click.

    Parameters
    ----------
    made : their world.
    watcher : is told what they did.
    scene : their study was copied from.
    study_folder : of their study.
    draw : what they do.
    pace : how fast.
    """

    def __init__(
        self,
        made: VirtualWorld,
        watcher: Watcher,
        scene: Scene,
        *,
        study_folder: Path,
        draw: random.Random,
        pace: Pace,
    ) -> None:
        self._world, self._watcher, self._scene = made, watcher, scene
        self._study_folder, self._random, self._pace = study_folder, draw, pace
        self._notes = self._hurried = 0
        self.over = False
        self.gone = False

    # ----------------------------------------------------------------------------- the operator
    def operator(self) -> int:
        """Runs sessions: starts, arms, stops, clicks again; keeps on after whatever happens."""
        study = self._opened()
        issue = grant.issuer(study, study.script_signer("simulation"))
        decoder = self._decoder(study)
        client: live.Client | None = None
        while not self.over:
            try:
                if client is None:
                    person = OTHER if self._random.random() < OTHERS else PERSON
                    plan = self._plan(study, seed=self._random.randrange(1000), person=person)
                    client = begin(self._world, plan)
                    client.use_grants(issue)
                    # Whoever begins a session leaves the stop of the one before: nothing is armed in it yet.
                    self._watcher.stop_left()
                    self._watcher.disarmed()
                    self._supported(client, "operator")
                    self._watcher.note(f"a session of {person} starts: {plan.session_id}")
                if not self._click(client, decoder):
                    client = None
            except WorkbenchError as error:
                self._watcher.note(f"the operator reads: {self._without_place(error)}")
                if live.find(self._study_folder) is None:
                    client = None
                    world.clock.sleep(self._random.choice((0.0, 1.0, 8.0)))
            except (OSError, TimeoutError) as error:
                self._watcher.note(f"the operator's program meets: {self._without_place(error)}")
            if self._hurried and client is not None:
                self._hurried -= 1
            else:
                world.clock.sleep(self._random.choice(self._pace.click_s))
        self._leave(client)
        study.close()
        self.gone = True
        return 0

    def hurry(self, acts: int) -> None:
        """The operator does so many acts without waiting between them."""
        self._hurried = acts

    def _leave(self, client: live.Client | None) -> None:
        """End the session that runs, if one does."""
        with suppress(WorkbenchError, OSError):
            (client or live.attach(self._study_folder)).shutdown()

    def quiet_operator(self) -> int:
        """Runs one session in which nothing goes wrong, and says what should have worked and did not."""
        study, breaks = self._opened(), self._watcher.breaks
        decoder = self._decoder(study)
        try:
            client = begin(self._world, self._plan(study, seed=1))
            client.use_grants(grant.issuer(study, study.script_signer("simulation")))
            self._watcher.note("a quiet session starts")
            self._start_run(client, decoder, n=QUIET_TRIALS)
            client.wait("running")
            client.wait("ready")
            self._supported(client, "operator")
            if self._scene.system != HAND:
                # What is not known yet forbids to arm: the quality of the slowest stream is known after seconds.
                world.clock.sleep(KNOWN_S)
            self._watcher.asks_to_arm()
            client.arm("simulation")
            self._watcher.armed()
            run = client.wait("run")["run"]
            self._watcher.disarmed()
            state = "no run" if run is None else run["state"]
            if run is None or state != "finished" or len(run["trials"]) != QUIET_TRIALS:
                breaks("what nothing disturbs works", f"a run of {QUIET_TRIALS} trials ended as {state}")
            if self._watcher.highest < MOVED:
                breaks("what nothing disturbs works", f"the device rose to {self._watcher.highest:.2f} alone")
        except (WorkbenchError, OSError) as error:
            breaks("what nothing disturbs works", self._without_place(error))
        self._leave(None)
        study.close()
        self.gone = True
        return 0

    def _plan(self, study: Study, *, seed: int, person: str = PERSON) -> SessionPlan:
        """A new session, of which the watcher is told whose it is."""
        plan = self._scene.plan(study, seed=seed, block_s=self._pace.block_s, person=person)
        self._watcher.persons[plan.session_id] = person
        return plan

    def _opened(self) -> Study:
        """The record, as soon as it can be opened."""
        while True:
            try:
                return Study.open(self._study_folder, actor="simulation")
            except (WorkbenchError, OSError) as error:
                self._watcher.note(f"the operator reads: {self._without_place(error)}")
                world.clock.sleep(1.0)

    def second_operator(self) -> int:
        """Somebody else who opens the same study, starts what runs already, and clicks too."""
        study = self._opened()
        decoder = self._decoder(study)
        try:
            if self._random.random() < 0.5:
                client = live.start(self._plan(study, seed=1), timeout=20.0)
            else:
                client = live.attach(self._study_folder, timeout=1.0)
            client.use_grants(grant.issuer(study, study.script_signer("second")))
            self._watcher.note("a second operator takes part")
            for _ in range(self._random.randrange(1, 12)):
                if self.over or not self._click(client, decoder):
                    break
                world.clock.sleep(self._random.choice(self._pace.click_s))
        except (WorkbenchError, OSError) as error:
            self._watcher.note(f"the second operator reads: {self._without_place(error)}")
        study.close()
        return 0

    def _decoder(self, study: Study) -> Path | None:
        """Folder of the approved decoder; None where nothing is decoded."""
        if self._scene.kind != "online":
            return None
        return self._study_folder / "decoders" / str(study.rows("decoder")[0]["sha256"])[:12]

    def _start_run(self, client: live.Client, decoder: Path | None, *, n: int) -> None:
        """A run of ``n`` trials in which the effector moves."""
        name, params = self._scene.paradigm
        client.start_run(self._scene.kind, name, params, n_trials=n, seed=1, decoder_folder=decoder)

    def _click(self, client: live.Client, decoder: Path | None) -> bool:
        """One act of an operator; False when it ended the session."""
        if self._scene.stimulation is not None and self._random.random() < SAYS:
            self._say(client, self._scene.stimulation)
            return True
        status = client.status()
        run, effector = status["run"], status["effector"]
        busy = run is not None and run["state"] in ("compiling", "running", "paused")
        latched = effector is not None and effector["state"] in ("ESTOP", "FAULT_SAFE")
        armed = effector is not None and effector["state"] in ARMED_OR_ENGAGED
        act = self._random.choice(ARMED if armed else BUSY if busy else IDLE)
        if latched and self._random.random() < 0.7:
            act = "reset"
        if act == "start":
            n = self._random.randint(*self._pace.n_trials)
            self._start_run(client, decoder, n=n)
            self._watcher.note(f"an {self._scene.kind} run of {n} trials starts")
        elif act in ("arm", "disarm", "stop", "reset"):
            self._effector_act(client, act, status)
        elif act == "pause":
            client.pause()
            world.clock.sleep(0.5)
            client.resume()
        elif act == "end":
            client.end_run()
        elif act == "note":
            self._notes += 1
            text = f"note {self._notes}"
            client.note(text)
            self._watcher.confirmed(text)
        elif act == "leave":
            self._watcher.note("the session is ended")
            client.shutdown()
            return False
        return True

    def _supported(self, client: live.Client, by: str) -> None:
        """Say who answers for the support of somebody who is stimulated and would fall; ``""`` for nobody."""
        stimulation = self._scene.stimulation
        if stimulation is not None and stimulation.programme.needs_support:
            client.take_holder(by)
            self._watcher.supported(by)
            self._watcher.note(f"the support is held by {by or 'nobody'}")

    def _say(self, client: live.Client, stimulation: Stimulation) -> None:
        """Say something of the person who is stimulated, of :data:`SAID`, or set a ceiling."""
        watcher, what = self._watcher, self._random.choice(SAID)
        if what == "symptom":
            client.take_symptom("a tingling that was not there before", by="operator")
            # Current is off until somebody resets it, as after a STOP.
            watcher.stopped()
            watcher.note("the person feels something")
        elif what == "ceiling":
            channel = self._random.randrange(len(stimulation.programme.channels))
            most = stimulation.programme.channels[channel].approved_ma * self._random.choice((0.0, 0.3, 1.0, 1.2))
            client.set_ceiling(channel, most, by="operator")
            watcher.ceiling(channel, most)
            watcher.note(f"the ceiling of channel {channel} is {most:g} mA")
        else:
            self._supported(client, "operator" if what == "held" else "")

    def _effector_act(self, client: live.Client, act: str, status: Status) -> None:
        watcher = self._watcher
        if act == "arm":
            watcher.asks_to_arm()
            try:
                client.arm("simulation")
            except Refused:
                watcher.arming_refused()
                raise
            except (WorkbenchError, OSError):
                watcher.armed()  # nobody knows whether it was
                raise
            watcher.armed()
            watcher.note("the effector is armed")
            whom, decoded = status["session"]["participant"], self._scene.kind == "online"
            if decoded and whom != PERSON and status["run"] is not None:
                watcher.breaks("a decoder moves whom it was approved for", f"{whom} was armed")
        elif act == "disarm":
            client.disarm("simulation")
            watcher.disarmed()
        elif act == "stop":
            client.stop("bad luck")
            watcher.stopped()
            watcher.note("STOP was taken")
        else:
            watcher.stop_left()
            client.reset_stop()
            watcher.note("the stop was left")

    # --------------------------------------------------------------------------------- a page
    def page(self) -> int:
        """A page that somebody looks at, and reloads."""
        client: live.Client | None = None
        while not self.over:
            try:
                if client is None:
                    client = live.attach(self._study_folder, timeout=1.0)
                self._watcher.screen(client.status())
                if self._random.random() < 0.02:
                    client.close()
                    client = None
            except (WorkbenchError, OSError):
                client = None
            world.clock.sleep(self._pace.page_s)
        return 0

    def _without_place(self, error: Exception) -> str:
        """An error's sentence, the same wherever the files of this life lie."""
        return str(error).replace(str(self._study_folder.parent), "")[:160]
