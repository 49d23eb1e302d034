"""The effector of a session, where its plan names one: pairing, link and self-test."""

from __future__ import annotations

from pathlib import Path

from workbench import control, devices, world
from workbench.devices._pairing import Pairing
from workbench.engine.effector_link import EffectorLink
from workbench.engine.events import EventLog
from workbench.engine.outlets import Outlets
from workbench.engine.run_request import RunRequest
from workbench.engine.stimulating import set_up_of_today
from workbench.engine.streams import Streams
from workbench.errors import Refused
from workbench.live.plan import SessionPlan
from workbench.messages import Message
from workbench.stimulation import Setup


class SessionEffector:
    """What the other parts of a session know of the effector; without one it does nothing.

    Parameters
    ----------
    plan : names the effector, or none.
    streams, outlets, events : time, the engine's own outlets, and what goes into the record.
    spawn : starts the threads that listen to the device.

    Attributes
    ----------
    link : to the device; None without an effector, and until it is connected.
    pairing : with the device, None until the session connects.
    """

    def __init__(
        self, plan: SessionPlan, *, streams: Streams, outlets: Outlets, events: EventLog, spawn: world.Spawn
    ) -> None:
        self._plan, self._streams, self._outlets, self._events = plan, streams, outlets, events
        self._spawn = spawn
        self.pairing: Pairing | None = None
        self.link: EffectorLink | None = None
        self._setup: Setup | None = None
        if plan.effector is not None:
            # Before anything starts: without it the effector could never be armed.
            control.check_stimulation(control.load(plan.effector), plan.stimulation)

    def pair(self) -> None:
        """Read the pairing of the study's effector, and what it has given today."""
        plan = self._plan
        if plan.stimulation is not None:
            self._setup = set_up_of_today(
                plan.stimulation, folder=Path(plan.study_folder), participant=plan.participant
            )
        if plan.effector is not None:
            self.pairing = devices.pairing(self._plan.study_folder, self._plan.effector)

    def connect(self) -> None:
        """Open the link; the signal stream is connected, its time base is the link's."""
        if self.pairing is None:
            return
        self.link = EffectorLink(
            pairing=self.pairing,
            session_id=self._plan.session_id,
            own_uids=self._outlets.uids,
            ledger=self._events.ledger,
            record=self._events.record_effector,
            stream_now=self._streams.now,
            speed=self._plan.speed,
            t0=self._streams.signal.t0,
            controller=control.Controller(
                control.load(self.pairing.effector),
                limits=self._plan.limits,
                law=self._plan.law,
                speed=self._plan.speed,
                simulated=self._plan.effector_simulated,
                stimulation=self._setup,
            ),
            spawn=self._spawn,
        )

    @property
    def listens(self) -> bool:
        """Whether somebody receives the commands; True where there is no effector."""
        return self.link is None or self.link.channel.outlet.has_receiver()

    def self_test(self) -> None:
        """Begin the effector's self-test."""
        if self.link is None:
            return
        signal = self._streams.signal
        good = all(s.state == "good" for s in self._streams.values() if s.spec.critical)
        # The age of a decision is judged by the clock of the signal; 5 ms are a tenth of a usual hop.
        steady = signal.n_offsets > 0 and signal.steady and signal.uncertainty < 0.005
        self.link.self_test(streams=good and self.listens, clock=steady)

    def fault(self, reason: str) -> None:
        """To the safe state, for a code of ``control.FAULTS`` or a sentence. Any thread."""
        if self.link is not None:
            self.link.fault(reason)

    def name_decoder(self, request: RunRequest) -> None:
        """Name what moves the effector in a run, and what is approved to: the same, or nothing."""
        self.required().set_decoder(
            request.mover,
            approved=request.mover if request.approved or request.scheduled else "",
            rule=request.paradigm.params(),
        )

    def required(self) -> EffectorLink:
        """The link; raises :class:`Refused` where there is none."""
        if self.link is None:
            raise Refused(Message("engine.no_effector"))
        return self.link

    def check_driver(self) -> None:
        """Refuse a device that states another driver than its certificate speaks for; without one, none is."""
        if self._plan.certificate:
            check_driver(self.required().driver, certified=self._plan.certificate["driver"])

    def disconnect(self) -> None:
        """Disarm the effector and tell the device that no engine follows."""
        if self.link is not None:
            self.link.disconnect()

    def begin_recording(self) -> None:
        """A run begins: from now on its recording takes what the effector is told and says."""
        if self.link is not None:
            self.link.recording.begin(stamp=self._streams.now())

    def end_recording(self) -> None:
        """The recording of the run is about to be closed."""
        if self.link is not None:
            self.link.recording.end()

    def end_device(self) -> None:
        """End a simulated device; one that an earlier engine started is among no players of this one."""
        if self.pairing is not None:
            devices.end_device(self.pairing)

    def close(self) -> None:
        """Take the command stream away."""
        if self.link is not None:
            self.link.channel.close()


def check_driver(stated: str, *, certified: str) -> None:
    """Refuse another driver than the one that was tested.

    Raises
    ------
    Refused
        When they differ; a driver that is not named (``""``) is another one than any that is.
    """
    if stated != certified:
        none = Message("engine.no_driver")
        raise Refused(Message("engine.other_driver", stated=stated or none, certified=certified or none))
