"""Test pulses through one contact after another, by the way every current takes: controller, supervisor, device.

The stimulator and the person are the simulated ones, in simulated time: nothing here drives hardware. What is
asked for goes to a :class:`~workbench.control.Controller` armed for the procedure *mapping*; what it lets through
goes to the model of the stimulator; what that delivers, the body feels, and its EMG comes back. A pair of pulses
is given once the ramp is over; the supervisor counts the train that it could have been, which is never less.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from workbench import control, world
from workbench.devices._simulated_lead import SimulatedLead
from workbench.errors import EngineFault, Refused
from workbench.messages import Message
from workbench.runs.mapping.curves import LEAST_UV
from workbench.stimulation import Finding, Setup
from workbench.vocabulary import Command, FloatArray, LedgerRow

EFFECTOR = "epidural"
MAPPING = f"{control.SCHEDULE}mapping"
"""Stands in the place of a decoder's hash, in the arming conditions and in every command."""
TICK_S, SLOW_S = 0.01, 0.05
"""Time between two looks while current may flow and while none does, s."""
REPORTS_S, RESTS_S = 0.05, 0.2
"""Time between two statuses of the stimulator while it may give current, and while it gives none, s."""
LISTEN_S = 0.12
"""How long EMG is read from the first pulse on, s."""
PAUSE_S = 4.0
"""Between two pairs, s: sooner, and reflexes are still depressed."""
MOST_WAITS = 5
"""How often a pause is put in for a muscle that is not quiet, before it is measured all the same."""
PATIENCE_S = 2.0
"""Longest time from an order to its full current, and from its end to rest, s."""
SAFE_S = 5.0
"""How long the safe state may take before a reset is refused, s."""
NOBODY_S = 20.0
"""Without a page that answers for so long the stimulator is disarmed, s."""


class NotGiven(Refused):
    """A pair of pulses did not flow, or not to its end; the text says which rule held it back."""


class Bench:
    """One simulated person, one simulated stimulator, and the controller between.

    Parameters
    ----------
    setup : programme of one channel for each contact, limits in force, person.
    code : of the simulated person. state : of the body, as :attr:`body` gave it; ``""`` for a first visit.
    absent_s : how long no page has answered, s; asked at every look.

    Attributes
    ----------
    rows : of the ledger, oldest first.
    elapsed_s : simulated time that has passed, s.
    most_ma : greatest current that the stimulator said it delivers, mA.

    Raises
    ------
    Refused
        For a programme beyond its limits; the text names rule, value and limit.
    """

    def __init__(
        self, setup: Setup, code: str, *, state: str = "", absent_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        n = len(setup.programme.channels)
        # The profile of every session, with as many channels as the lead has contacts.
        effector = replace(control.load(EFFECTOR), channels=n)
        control.check_stimulation(effector, setup)
        self.setup = setup
        self.rows: list[LedgerRow] = []
        self.elapsed_s = self.most_ma = 0.0
        self._controller = control.Controller(effector, stimulation=setup)
        self._lead = SimulatedLead(setup.programme, code, state=state)
        self._absent_s = absent_s
        self._outbox: list[Command] = []
        # STOP comes from another thread than the ramp: each look is whole, and STOP waits for one at most.
        self._turn = world.clock.rlock()
        self._reports_at = -math.inf

    # ------------------------------------------------------------------------------------------ people
    def arm(self, by: str) -> None:
        """Self-test, then arm for the procedure *mapping*.

        Raises
        ------
        Refused
            The text names every condition that is lacking.
        """
        operator, now = self._controller.operator, self._now
        if self._controller.state == "ARMED":
            return
        with self._turn:
            if self._controller.state in ("DISCONNECTED", "SELFTEST"):
                self._send(operator.self_test({"streams": True, "clock": True}, **now).commands)
            operator.set_decoder(MAPPING, approved_sha256=MAPPING)
        self._until(lambda: self._controller.state == "IDLE_SAFE", of=Message("mapping.self_test"))
        with self._turn:
            operator.set_ready(ready=True, by=by)
            operator.arm(by, now_stream=self._local, local=self._local)
            self._take_rows()

    def take_pressure(self, systolic: float, *, resting: bool, by: str) -> None:
        """A systolic blood pressure was read, mmHg. See :class:`~workbench.control.Controller`.

        Parameters
        ----------
        systolic, resting, by : as of a session.
        """
        with self._turn:
            self._controller.stimulation.take_pressure(systolic, resting=resting, by=by, local=self._local)
            self._take_rows()

    def stop(self, why: str) -> None:
        """Off at once, latched, from any state and any thread."""
        with self._turn:
            self._stop(self._controller.operator.estop(why, **self._now).commands)

    def felt(self, symptom: str, *, by: str) -> None:
        """The person feels something: off at once, until :meth:`reset`.

        Parameters
        ----------
        symptom : in words. by : who noted it.
        """
        with self._turn:
            self._stop(self._controller.stimulation.take_symptom(symptom, local=self._local, by=by))

    def reset(self, by: str) -> None:
        """After a STOP, a symptom or a fault: once the safe state is complete, a new self-test may begin.

        Raises
        ------
        Refused
            When the safe state does not complete; the text says so.
        """
        for left in range(round(SAFE_S / SLOW_S), -1, -1):
            if self._controller.state not in ("ESTOP", "FAULT_SAFE"):
                return
            self.rest(SLOW_S)
            try:
                with self._turn:
                    self._controller.operator.reset(by, **self._now)
            except Refused:
                if not left:
                    raise

    def _stop(self, commands: list[Command]) -> None:
        self._send(commands)
        # Not with the next look: nothing stands between a STOP and the device.
        self._deliver()
        self._take_rows()

    # ------------------------------------------------------------------------------------------ views
    @property
    def state(self) -> str:
        """State of the controller."""
        return self._controller.state

    @property
    def status(self) -> control.StimulationStatus:
        """Asked, delivered, margins, charge and person, as a session shows them."""
        with self._turn:
            status = self._controller.stimulation.status()
        assert status is not None
        return status

    @property
    def body(self) -> str:
        """What goes on in another process."""
        return self._lead.state

    def used_uc(self) -> dict[int, float]:
        """Charge that each contact has borne here, µC."""
        supervisor = self._controller.stimulation.supervisor
        assert supervisor is not None
        return {n: supervisor.dose.session_uc((lead, n)) for lead, n in supervisor.places}

    # ------------------------------------------------------------------------------------------ time
    def pair(self, contact: int, ma: float) -> FloatArray:
        """Two pairs of pulses of opposite polarity, and a pause after each; ``(n, 8)`` float64, µV, their mean.

        Parameters
        ----------
        contact : number of the channel. ma : current.

        Raises
        ------
        NotGiven
            The text says which rule, value and limit, or who, ended it; nothing flows.
        """
        both = [self._pulses(contact, ma, polarity) for polarity in (1, -1)]
        mean: FloatArray = (both[0] + both[1]) / 2.0
        return mean

    def rest(self, seconds: float) -> None:
        """Let simulated time pass in which nothing is asked for, s."""
        for _ in range(round(seconds / SLOW_S)):
            with self._turn:
                self._look(SLOW_S)

    def _pulses(self, contact: int, ma: float, polarity: int) -> FloatArray:
        self._wait_until_quiet()
        channel = self.setup.programme.channels[contact]
        # The controller would clip it, and the pulses would be others than those that were asked for.
        if ma > self.status["channels"][contact]["ceiling_ma"]:
            raise NotGiven(
                Finding("ceiling", ma, self.status["channels"][contact]["ceiling_ma"], channel.name).text
            )
        level = [0.0] * len(self.setup.programme.channels)
        level[contact] = ma / channel.approved_ma
        self._order(level)
        try:
            self._until_full(contact, ma)
            self._lead.begin_pair(self._local, polarity=polarity)
            emg = []
            for _ in range(round(LISTEN_S / TICK_S)):
                with self._turn:
                    emg.append(self._look(TICK_S))
                self._check_flows()
        finally:
            self._lead.end_pair()
            self._end()
        self.rest(PAUSE_S)
        return np.concatenate(emg)

    def _order(self, level: list[float]) -> None:
        with self._turn:
            self._take_rows()
            seen = len(self.rows)
            self._send(self._schedule(close=True, level=level))
            self._take_rows()
            if self._controller.state != "ACTIVE":
                raise NotGiven(self._why(seen))
            limited = [row for row in self.rows[seen:] if row.kind == "stimulation_limited"]
            if not any(self._controller.level):
                raise NotGiven(limited[0].extent if limited else self._why(seen))

    def _schedule(self, *, close: bool, level: list[float] | None) -> list[Command]:
        """What the controller makes of a move, now."""
        now = self._local
        return self._controller.on_schedule(close=close, now_stream=now, local=now, quality_ok=True, level=level)

    def _until_full(self, contact: int, ma: float) -> None:
        """Wait until the stimulator delivers what was asked for."""
        begun = self._local
        while self._local - begun < PATIENCE_S:
            with self._turn:
                self._look(TICK_S)
                given = self._lead.delivered_ma(self._local)
            self._check_flows()
            if given[contact] >= 0.999 * ma:
                return
        raise NotGiven(Message("mapping.not_reached", n=f"{given[contact]:.2f}", asked=f"{ma:.2f}"))

    def _check_flows(self) -> None:
        if self._controller.state not in ("ACTIVE", "HOLD"):
            raise NotGiven(self._why(0))

    def _end(self) -> None:
        """Release, and wait until the next may begin; a latched state is left as it is."""
        with self._turn:
            self._send(self._schedule(close=False, level=None))
        begun = self._local
        while self._controller.state in ("ACTIVE", "HOLD", "RELEASE", "REFRACTORY"):
            if self._local - begun > 2.0 * PATIENCE_S:
                raise EngineFault(Message("mapping.hangs", state=self._controller.state))
            with self._turn:
                self._look(TICK_S)

    def _why(self, since: int) -> Message | str:
        """What kept current from flowing, by the newest row that says so."""
        kinds = ("stimulation_limited", "intent_ignored", "move_left_out", "level_clipped", "fault", "estop")
        told = [row for row in self.rows[since:] if row.kind in kinds]
        lacking = [one.text for one in self._controller.conditions() if not one.ok and one.key != "operator"]
        if told:
            return told[-1].extent
        return lacking[0] if lacking else Message("mapping.state", state=self._controller.state)

    def _wait_until_quiet(self) -> None:
        """Let a spasm pass, as far as it does: nobody measures a reflex in a muscle that contracts by itself."""
        for _ in range(MOST_WAITS):
            with self._turn:
                emg = np.concatenate([self._look(TICK_S, records=True) for _ in range(5)])
            if float(np.ptp(emg, axis=0).max()) < LEAST_UV:
                return
            self.rest(PAUSE_S)

    def _until(self, done: Callable[[], bool], *, of: Message) -> None:
        for _ in range(round(10.0 / TICK_S)):
            with self._turn:
                if done():
                    return
                self._look(TICK_S)
        raise EngineFault(Message("mapping.hangs", state=of))

    # ------------------------------------------------------------------------------------------ a look
    def _look(self, seconds: float, *, records: bool = False) -> FloatArray:
        """Simulated time goes on: device, reports, controller; its EMG where current acts or it is asked for."""
        self.elapsed_s += seconds
        controller, now = self._controller, self._now
        if controller.device.needs_session and self._lead.begin(self._local):
            self._send(controller.device.on_session(**now))
        self._deliver()
        for answer in self._lead.tick(self._local):
            self._send(controller.device.on_ack(answer, local=self._local))
        if self._local >= self._reports_at:
            said = self._lead.telemetry(self._local)
            self.most_ma = max(self.most_ma, *said["delivered_ma"])
            controller.stimulation.take_status(said, local=self._local)
            self._reports_at = self._local + (REPORTS_S if self._controller.state != "ARMED" else RESTS_S)
        self._send(
            controller.operator.report_absence(self._absent_s(), limit_s=NOBODY_S, **now)
            + controller.on_tick(self._local, local=self._local, quality_ok=True)
        )
        self._take_rows()
        return self._lead.live(seconds, records=records)

    def _deliver(self) -> None:
        arrived, self._outbox = self._outbox, []
        for command in arrived:
            for answer in self._lead.receive(asdict(command), self._local):
                self._send(self._controller.device.on_ack(answer, local=self._local))

    def _send(self, commands: list[Command]) -> None:
        self._outbox += commands

    def _take_rows(self) -> None:
        self.rows += self._controller.take_rows()
        self._controller.take_inputs()

    @property
    def _local(self) -> float:
        return 1000.0 + self.elapsed_s

    @property
    def _now(self) -> dict[str, float]:
        return {"now_stream": self._local, "local": self._local}


def listened_s() -> float:
    """Simulated time of one current of a ramp, without what a spasm adds, s: for the time that is left."""
    return 2.0 * (PAUSE_S + LISTEN_S + 0.8)
