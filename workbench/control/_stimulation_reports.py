"""What becomes known of somebody who is stimulated: pressure, support, impedances, delivered currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

from workbench.control._inputs import InputLog, is_input
from workbench.control._log import ControllerLog
from workbench.control._machine import StateMachine
from workbench.control._orders import Orders
from workbench.control._safe_state import SafeState
from workbench.control._stimulation import Ending, StimulationGate
from workbench.control._stimulation_status import StimulationStatus, status_of
from workbench.messages import Message
from workbench.stimulation import StimulationSupervisor
from workbench.vocabulary import Command


class StimulationReports:
    """What becomes known of the person, the contacts and the current. ``local`` is monotonic local time in s.

    Parameters
    ----------
    machine, log, orders : time, where acts are entered, and commands.
    inputs : where reports are noted.
    gate : whose supervisor is told; without one nothing is.
    safe_state : entered when the person feels something.
    """

    def __init__(
        self,
        machine: StateMachine,
        *,
        log: ControllerLog,
        orders: Orders,
        inputs: InputLog,
        gate: StimulationGate,
        safe_state: SafeState,
    ) -> None:
        self._machine, self._log, self._orders = machine, log, orders
        self._inputs, self._gate, self._safe_state = inputs, gate, safe_state
        # Before version 9 a symptom stopped what flowed, at the next tick, and else only forbade to begin.
        self._stops = True
        self._ending: tuple[Ending, str] = ("", "")
        self._ohm: tuple[tuple[str, int, float], ...] = ()
        self._delivered: tuple[float, ...] | None = None
        self._delivered_at = 0.0

    def take_ending(self) -> tuple[Ending, str]:
        """How what flows must end by what was reported, and why; handed out once."""
        ending, self._ending = self._ending, ("", "")
        return ending

    def take_status(self, said: object, *, local: float) -> None:
        """The part of a device's status that is about currents, as it came; what is malformed was not measured.

        Parameters
        ----------
        said : see ``docs/effector_protocol.md``; anything else says nothing.
        local : s.
        """
        if self._gate.supervisor is None or not isinstance(said, Mapping):
            return
        ohm = _contacts(said.get("ohm"))
        # Measured once a second, and stated twenty times: the same is no other measurement.
        if ohm and ohm != self._ohm:
            self._ohm = ohm
            self.take_impedances(ohm, local=local)
        delivered = said.get("delivered_ma")
        self.take_stimulator(
            local=local,
            # What claims to be a measurement and is none counts as nothing delivered.
            delivered_ma=None if delivered is None else _numbers(delivered),
            programme=str(said.get("programme") or "")[:64],
            states=_leads(said.get("leads")),
        )

    @is_input
    def take_pressure(self, systolic: float, *, resting: bool, by: str, local: float) -> None:
        """A systolic blood pressure was read.

        Parameters
        ----------
        systolic : mmHg.
        resting : whether it is the session's baseline, seated, at rest, without current.
        by : who read it.
        local : s.
        """
        if (supervisor := self._told(local)) is not None:
            supervisor.take_pressure(systolic, now=local, resting=resting)
            extent = Message("control.pressure_read", n=f"{systolic:g}", by=by)
            what = Message("control.pressure_resting") if resting else Message("control.pressure_compared")
            self._log.enter("operator", extent, what)

    @is_input
    def take_load(self, load_kg: float, *, local: float, by: str = "") -> None:
        """The load on the harness was measured.

        Parameters
        ----------
        load_kg : kg.
        local : s.
        by : what measured it, for the recording.
        """
        if (supervisor := self._told(local)) is not None:
            supervisor.person.take_load(load_kg, now=local)

    @is_input
    def take_holder(self, by: str, *, local: float) -> None:
        """Somebody answers for the support of the person; ``""`` for nobody any more."""
        if (supervisor := self._told(local)) is not None:
            supervisor.person.take_holder(by)
            extent = Message("control.held_by", by=by or Message("word.none"))
            self._log.enter("operator", extent, Message("control.support_noted"))

    @is_input
    def take_symptom(self, symptom: str, *, local: float, by: str = "") -> list[Command]:
        """The person feels something: stopped at once, from any state, until an operator resets.

        Parameters
        ----------
        symptom : in words.
        local : s.
        by : who noted it.
        """
        if (supervisor := self._told(local)) is None:
            return []
        supervisor.person.symptom = symptom.strip() or Message("word.none")
        text, who = supervisor.person.symptom, by or Message("word.none")
        extent = Message("control.symptom_noted", text=text, by=who)
        self._log.enter("operator", extent, Message("control.current_off"), "high")
        if not self._stops or self._machine.state == "ESTOP":
            return []
        _, command = self._safe_state.stop(supervisor.person.dangers()[0].text)
        return [command]

    @is_input
    def take_impedances(self, ohm: Sequence[tuple[str, int, float]], *, local: float) -> None:
        """Impedances were measured.

        Parameters
        ----------
        ohm : lead, contact and Ω of each.
        local : s.
        """
        if (supervisor := self._told(local)) is not None:
            measured = {(str(lead), int(contact)): float(value) for lead, contact, value in ohm}
            supervisor.telemetry.take_impedances(measured, now=local)

    @is_input
    def take_stimulator(
        self,
        *,
        local: float,
        delivered_ma: Sequence[float] | None = None,
        programme: str = "",
        states: Sequence[tuple[str, float | None, float | None]] = (),
    ) -> None:
        """What the stimulator says of itself.

        Parameters
        ----------
        local : s.
        delivered_ma : currents that it measures, mA; None where it measures none.
        programme : hash of the one that it holds, ``""`` where it states none.
        states : lead, direct current in nA and temperature in °C of each, None where it measures none.
        """
        if (supervisor := self._told(local)) is None:
            return
        if programme:
            supervisor.telemetry.take_programme(programme)
        for lead, net_dc_na, temperature_c in states:
            supervisor.telemetry.take_state(lead, net_dc_na=net_dc_na, temperature_c=temperature_c)
        self._delivered = None if delivered_ma is None else tuple(delivered_ma)
        self._delivered_at = local
        if delivered_ma is not None:
            ending = self._gate.ending(supervisor.take_delivered(delivered_ma, now=local))
            # Followed at the next tick, which comes within a heartbeat: the tick is where everything ends.
            self._ending = ending if ending[0] else self._ending

    @is_input
    def set_ceiling(self, channel: int, current_ma: float, *, by: str, local: float) -> list[Command]:
        """Another ceiling of one channel; the commands lower a current that flows.

        Parameters
        ----------
        channel : its number.
        current_ma : mA.
        by : who sets it.
        local : s.

        Raises
        ------
        Refused
            When a rule forbids it; nothing has changed then.
        """
        if (supervisor := self._told(local)) is None or not 0 <= channel < len(supervisor.programme.channels):
            self._log.refuse(Message("control.no_channel", n=channel))
        before = supervisor.asked_ma
        verdict = supervisor.set_ceiling(channel, current_ma, now=local)
        if verdict.consequence:
            self._log.refuse(verdict.findings[0].text if verdict.findings else Message("word.none"))
        name = supervisor.programme.channels[channel].name
        extent = Message("control.ceiling_set", channel=name, n=f"{current_ma:g}", by=by)
        self._log.enter("operator", extent, Message("control.ceiling_taken"))
        if supervisor.asked_ma == before:
            return []
        # By what was asked for: a sham makes the same orders.
        return self._orders.lower(self._gate.full(verdict.levels), reason="ceiling")

    @property
    def supervisor(self) -> StimulationSupervisor | None:
        """Of what is stimulated; None without a set-up."""
        return self._gate.supervisor

    def status(self) -> StimulationStatus | None:
        """What a screen shows of it, None where nothing is supervised."""
        if (supervisor := self._gate.supervisor) is None:
            return None
        now = self._machine.now.local
        measured = self._delivered if not self._gate.blinded else None
        age_s = None if measured is None else max(0.0, now - self._delivered_at)
        return status_of(supervisor, now=now, delivered_ma=measured, delivered_age_s=age_s)

    def _told(self, local: float) -> StimulationSupervisor | None:
        """The supervisor, with the clock set forward; None where there is none, or no time to tell it with."""
        if not isfinite(local):
            return None
        self._machine.advance(None, local)
        return self._gate.supervisor


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(said: object) -> tuple[float, ...]:
    """A list of numbers; empty where one of them is none."""
    if not isinstance(said, list) or not all(map(_number, said)):
        return ()
    return tuple(float(value) for value in said)


def _contacts(said: object) -> tuple[tuple[str, int, float], ...]:
    """Lead, contact and Ω of each contact that is stated as such."""
    rows = said if isinstance(said, list) else []
    return tuple(
        (row[0], row[1], float(row[2]))
        for row in rows
        if isinstance(row, list)
        and len(row) == 3
        and isinstance(row[0], str)
        and isinstance(row[1], int)
        and _number(row[2])
    )


def _leads(said: object) -> tuple[tuple[str, float | None, float | None], ...]:
    """Lead, nA and °C of each lead. What is neither a number nor null is no number, which no limit lets pass."""
    rows = said if isinstance(said, list) else []
    return tuple(
        (row[0], _measured(row[1]), _measured(row[2]))
        for row in rows
        if isinstance(row, list) and len(row) == 3 and isinstance(row[0], str)
    )


def _measured(value: Any) -> float | None:
    if value is None:
        return None
    return float(value) if _number(value) else nan
