"""What a session with stimulation takes from its clients, and the charge that its participant was given today."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from workbench import control, messages, world
from workbench.devices import lsl
from workbench.errors import BadValue, RecordingFault, Refused
from workbench.messages import Message
from workbench.recording import RunFile, run_writer
from workbench.stimulation import Place, Setup, StimulationSupervisor, setup_of
from workbench.vocabulary import Command, RecordingState

ACTS: Mapping[str, Mapping[str, type]] = {
    "take_pressure": {"systolic": float, "resting": bool},
    "take_load": {"load_kg": float},
    "take_holder": {"holder": str},
    "take_symptom": {"symptom": str},
    "set_ceiling": {"channel": int, "current_ma": float},
}
"""Requests about who is stimulated, and what each states; all are inputs of the controller."""

LONGEST = 200
"""Characters of a text that are taken."""

IN_ORDER: tuple[RecordingState, ...] = ("finished", "stopped")
"""States of a recording to whose end everything was written."""
LAPSE_S = 5.0
"""How long a current may have gone on after a recording that ends with it, s: what was not on the disk yet, the
stimulator's own watchdog and its ramp take less."""


def arguments(act: str, args: Mapping[str, Any], *, by: str) -> dict[str, Any]:
    """The arguments of an act, checked.

    Parameters
    ----------
    act : one of :data:`ACTS`.
    args : as the client stated them.
    by : who acts.

    Raises
    ------
    BadValue
        When one is missing or of another kind.
    """
    taken = {name: _one(act, name, args.get(name), kind) for name, kind in ACTS[act].items()}
    return {"by": taken["holder"]} if act == "take_holder" else {**taken, "by": by}


def _one(act: str, name: str, value: object, kind: type) -> object:
    if kind is str and isinstance(value, str):
        return value[:LONGEST]
    if kind is bool and isinstance(value, bool):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        if kind is float:
            return float(value)
        if kind is int and isinstance(value, int):
            return value
    raise BadValue(Message("engine.act_argument", act=act, name=name, kind=kind.__name__, got=f"{value!r:.60}"))


class StimulationEntries:
    """What people enter about who is stimulated, on its way to the controller of the session.

    Parameters
    ----------
    controller : of the effector.
    lock : held by whoever changes the controller, until what it led to is recorded.
    send, take_rows : for the commands that follow, and the rows.
    """

    def __init__(
        self,
        controller: control.Controller,
        *,
        lock: threading.RLock,
        send: Callable[[list[Command]], None],
        take_rows: Callable[[], None],
    ) -> None:
        self._controller, self._lock, self._send, self._take_rows = controller, lock, send, take_rows

    def take(self, act: str, args: Mapping[str, Any]) -> None:
        """Take what somebody enters.

        Parameters
        ----------
        act : one of :data:`ACTS`, a method of ``Controller.stimulation``.
        args : its :func:`arguments`.

        Raises
        ------
        Refused
            When the effector does not stimulate, or a rule forbids a ceiling.
        BadValue
            For a pressure that nobody has, or a resting one that is none.
        """
        controller = self._controller
        if controller.setup is None:
            raise Refused(Message("control.no_stimulation", effector=controller.effector.name))
        with self._lock:
            try:
                commands = getattr(controller.stimulation, act)(**args, local=lsl.local_clock())
                self._send(commands or [])
            finally:
                # A refusal raises before rows are taken, and is itself a row.
                self._take_rows()


def set_up_of_today(setup: Setup, *, folder: Path, participant: str) -> Setup:
    """A set-up with the charge that earlier runs of the day have given, beside what it states: that of maps.

    Parameters
    ----------
    setup : of the plan.
    folder : of the study.
    participant : pseudonym.

    Raises
    ------
    Refused
        When a recording of today cannot be read, so that the charge is not known.
    """
    charge = dict(setup.earlier_uc)
    for place, given in charge_of_today(folder, participant=participant).items():
        charge[place] = charge.get(place, 0.0) + given
    return replace(setup, earlier_uc=tuple(sorted(charge.items())))


def charge_of_today(folder: Path, *, participant: str) -> dict[Place, float]:
    """Charge of each contact of a participant today, µC, over a study's recordings; a sham's as it was counted.

    Parameters
    ----------
    folder : of the study.
    participant : pseudonym.

    Raises
    ------
    Refused
        When one cannot be read.
    """
    today, charge = world.clock.local().date(), dict[Place, float]()
    for path in sorted((folder / "recordings").glob("*.xdf")):
        # One dated in the future counts too: the clock was set, and no charge is forgotten for it.
        if datetime.fromtimestamp(path.stat().st_mtime).astimezone().date() < today:
            continue
        try:
            given = _charge_of_run(path, participant)
        except RecordingFault as error:
            raise Refused(
                Message("granting.dose_unknown", file=path.name, why=messages.of(error), path=str(path))
            ) from error
        for place, amount in given.items():
            charge[place] = charge.get(place, 0.0) + amount
    return charge


def _charge_of_run(path: Path, participant: str) -> dict[Place, float]:
    """Charge of one recording, µC; nothing where it is another's, or nobody was stimulated."""
    parts = (run_writer.EVENTS, run_writer.DECISIONS, run_writer.COMMANDS, run_writer.CONTROL)
    file = RunFile(path, damaged="skip", only=parts)
    if file.plan.get("participant") != participant or not file.plan.get("stimulation"):
        return {}
    entries, cut = file.control(), file.state not in IN_ORDER
    if not file.file.damaged and not entries and not cut:
        return {}  # it ended before the run began
    if not file.file.damaged and control.of_this_version(entries):
        with suppress(BadValue):  # inputs are lost: as below
            given = control.charge_of(entries, file.decisions(), lapse_s=0.0 if cut else LAPSE_S)
            # Of one that was cut off the order of a current may be among what is lost.
            unseen = _supervisor(file).most_uc(LAPSE_S) if cut else {}
            return {place: charge + unseen.get(place, 0.0) for place, charge in given.items()}
    return _most(RunFile(path, damaged="skip"))


def _supervisor(file: RunFile) -> StimulationSupervisor:
    return StimulationSupervisor(setup_of(file.plan["stimulation"]))


def _most(file: RunFile) -> dict[Place, float]:
    """The most that a recording can have given: its whole length at the approved currents, µC."""
    stamps = file.signal.stamps[np.isfinite(file.signal.stamps)]
    seconds = (float(np.ptp(stamps)) if len(stamps) else 0.0) + LAPSE_S
    return _supervisor(file).most_uc(seconds)
