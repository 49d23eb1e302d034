"""Commands again: what a controller led to, from the state and the inputs that a recording holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from workbench.control._activation import Activation
from workbench.control._arming import Arming
from workbench.control._confirmation import Confirmation
from workbench.control._controller import Controller
from workbench.control._device import DeviceReports
from workbench.control._inputs import Entry, InputLog, arguments
from workbench.control._link import Link
from workbench.control._log import ControllerLog
from workbench.control._machine import StateMachine
from workbench.control._operator import Act, OperatorActs
from workbench.control._orders import Orders
from workbench.control._phase_gate import PhaseGate
from workbench.control._profile import Effector
from workbench.control._safe_state import SafeState
from workbench.control._self_test import SelfTest
from workbench.control._state import Parts, from_json, to_json
from workbench.control._stimulation import StimulationGate
from workbench.control._stimulation_reports import StimulationReports
from workbench.control._supervisor import Supervisor
from workbench.control._watch import Watch
from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.stimulation import (
    Dose,
    Loads,
    OnTimes,
    PersonWatch,
    Place,
    Programme,
    Setup,
    StimulationSupervisor,
    Telemetry,
    Wearer,
)
from workbench.vocabulary import Command, Decision

VERSION = 10
"""Of what inputs lead to. To be raised with each change after which the same inputs give other commands, or the
state has other attributes: recordings made before then say that their commands cannot be recomputed, unless
:data:`BEFORE` says what their controllers lacked."""

_ANY_AGE: Mapping[str, Mapping[str, Any]] = {"Watch": {"_young_s": None}}

_NO_STIMULATION: Mapping[str, Mapping[str, Any]] = {
    "StimulationGate": {
        "supervisor": None,
        "_said": {"set": []},
        "_pending": {"tuple": ["", ""]},
        "_forgets": True,
    },
    "StimulationReports": {
        "_ending": {"tuple": ["", ""]},
        "_ohm": {"tuple": []},
        "_delivered": None,
        "_delivered_at": 0.0,
        "_stops": False,
    },
    "Controller": {"setup": None},
}

_NO_MEASUREMENT: Mapping[str, Mapping[str, Any]] = {
    "StimulationReports": {"_delivered": None, "_delivered_at": 0.0, "_stops": False}
}

_ONE_WINDOW: Mapping[str, Mapping[str, Any]] = {"PhaseGate": {"_window": ""}}

_FORGETS: Mapping[str, Mapping[str, Any]] = {"StimulationGate": {"_forgets": True}}

_NOTES_ALONE: Mapping[str, Mapping[str, Any]] = {"StimulationReports": {"_stops": False}}

_IN_TIME: Mapping[str, Mapping[str, Any]] = {"StimulationSupervisor": {"_expects_late": False}}

BEFORE: Mapping[object, Mapping[str, Mapping[str, Any]]] = {
    2: {**_ANY_AGE, **_NO_STIMULATION, "PhaseGate": {"_meant": False, "_inside": False, "_window": ""}},
    3: {**_ANY_AGE, **_NO_STIMULATION, **_ONE_WINDOW},
    4: {**_NO_STIMULATION, **_ONE_WINDOW},
    5: {**_NO_MEASUREMENT, **_ONE_WINDOW, **_FORGETS, **_IN_TIME},
    6: {**_ONE_WINDOW, **_FORGETS, **_NOTES_ALONE, **_IN_TIME},
    7: {**_FORGETS, **_NOTES_ALONE, **_IN_TIME},
    8: {**_NOTES_ALONE, **_IN_TIME},
    9: _IN_TIME,
}
"""By version: what its controllers did not have yet, in the state in which it changes no command. Where that is a
whole part, the law is filled in; those of that version had no phase window."""

STATE = "state"
"""Kind of the entry that a recording begins with: the state in which the controller was."""

_PARTS = (
    Activation,
    Arming,
    Confirmation,
    ControllerLog,
    DeviceReports,
    Dose,
    Link,
    OnTimes,
    OperatorActs,
    Orders,
    PersonWatch,
    PhaseGate,
    SafeState,
    SelfTest,
    StateMachine,
    StimulationGate,
    StimulationReports,
    StimulationSupervisor,
    Supervisor,
    Telemetry,
    Watch,
)

_FIXED = (Effector, InputLog, Loads, Programme, Setup, Wearer)
"""What parts refer to and that never changes."""

Recorded = Sequence[tuple[str, Mapping[str, Any]]]
"""Kind and content of each entry of a recording."""


def state_entry(controller: Controller, *, stamp: float) -> Entry:
    """The whole state of a controller, its profile included: what a recording holds before the inputs that follow.

    ``stamp`` is stream time in s.
    """
    effector, parts = to_json(controller.effector), _parts(controller).state()
    content = {"version": VERSION, "effector": effector, "parts": parts}
    # Only where there is one: a recording without stimulation stays as small as it was.
    setup = {} if controller.setup is None else {"stimulation": to_json(controller.setup)}
    return STATE, {**content, **setup}, stamp


def of_this_version(entries: Recorded) -> bool:
    """Whether the controller that was recorded led to the same commands as the one of this version does.

    Entries that do not begin with a state, as where that chunk is lost, pass: :func:`recompute` refuses them. No
    entry is of no version.
    """
    if not entries:
        return False
    version: object = entries[0][1].get("version", VERSION)
    return version in (VERSION, *BEFORE)


def recompute(entries: Recorded, decisions: Iterable[Decision]) -> Iterator[Command]:
    """The commands that a controller led to.

    Parameters
    ----------
    entries : the state of the controller, then its inputs, in the order in which they were taken.
    decisions : of the run; inputs name theirs by the sample.

    Raises
    ------
    BadValue
        When the state or an input is none of a controller, or names a decision that was not made.
    """
    for _, commands in _followed(entries, decisions):
        yield from commands


def _followed(entries: Recorded, decisions: Iterable[Decision]) -> Iterator[tuple[Controller, list[Command]]]:
    """The controller of a recording after each of its inputs, and what that led to; as :func:`recompute`."""
    decision = _by_sample(decisions)
    try:
        (_, state), *inputs = entries
        controller = restored(state)
        yield controller, []
        for kind, content in inputs:
            commands = _take(controller, kind, arguments(content, decision))
            # Nobody asks for them here.
            controller.take_inputs()
            controller.take_rows()
            yield controller, commands
    except (TypeError, LookupError, ValueError, AttributeError, ArithmeticError) as error:
        raise BadValue(Message("control.inputs_unusable", why=f"{type(error).__name__}: {error}")) from error


class Given(NamedTuple):
    """Currents of one order: what was asked for, and what left.

    Attributes
    ----------
    stamp : stream time in s.
    action : of the command.
    asked_ma, given_ma : of each channel of the programme, mA; nothing is given in a sham.
    """

    stamp: float
    action: str
    asked_ma: tuple[float, ...]
    given_ma: tuple[float, ...]


def given(entries: Recorded, decisions: Iterable[Decision]) -> list[Given]:
    """What a recording of stimulation asked for and what left, at each change; empty of any other recording.

    Parameters
    ----------
    entries, decisions : as :func:`recompute` takes them.

    Raises
    ------
    BadValue
        As there.
    """
    found: list[Given] = []
    for controller, commands in _followed(entries, decisions):
        supervisor = controller.stimulation.supervisor
        for command in commands:
            if supervisor is not None and command.action != "heartbeat":
                one = Given(command.stamp, command.action, supervisor.asked_ma, supervisor.sent_ma)
                # Until it is answered an order is repeated.
                if not found or found[-1][1:] != one[1:]:
                    found.append(one)
    return found


def charge_of(entries: Recorded, decisions: Iterable[Decision], *, lapse_s: float) -> dict[Place, float]:
    """Charge that each contact has borne in a recording, µC; of a sham what was asked for, as it was counted.

    Parameters
    ----------
    entries, decisions : as :func:`recompute` takes them.
    lapse_s : how long a current may have gone on after the end of the recording, s.

    Raises
    ------
    BadValue
        As there.
    """
    before: dict[Place, float] | None = None
    supervisor: StimulationSupervisor | None = None
    for controller, _ in _followed(entries, decisions):
        supervisor = controller.stimulation.supervisor
        if supervisor is None:
            return {}
        if before is None:
            before = {place: supervisor.dose.session_uc(place) for place in supervisor.places}
    if supervisor is None or before is None:
        return {}
    unseen = supervisor.unseen_uc(lapse_s)
    return {place: supervisor.dose.session_uc(place) - before[place] + unseen[place] for place in before}


def restored(state: Mapping[str, Any]) -> Controller:
    """A controller in the state of a :func:`state_entry`, which continues from there bit for bit.

    ``TypeError``, ``LookupError`` or ``ValueError`` for anything else.
    """
    setup = from_json(state["stimulation"]) if "stimulation" in state else None
    controller, parts = Controller(from_json(state["effector"]), stimulation=setup), state["parts"]
    for name, lacking in BEFORE.get(state["version"], {}).items():
        if name == "StimulationSupervisor" and name not in parts:
            continue  # Nothing stimulates.
        had = parts.get(name, {"_law": parts["Activation"]["_law"]} if name == "PhaseGate" else {})
        parts = {**parts, name: {**had, **lacking}}
    _parts(controller).restore(parts)
    return controller


def _parts(controller: Controller) -> Parts:
    return Parts(controller, kinds=_PARTS, beside=_FIXED)


def _take(controller: Controller, kind: str, args: Mapping[str, Any]) -> list[Command]:
    """What an input leads to; nothing where it was refused."""
    taker = (controller, controller.operator, controller.device, controller.stimulation)[_taker(kind)]
    try:
        result = getattr(taker, kind)(**args)
    except (Refused, BadValue):
        return []
    made = result.commands if isinstance(result, Act) else result or ()
    return [item for item in made if isinstance(item, Command)]


@lru_cache(maxsize=64)
def _taker(kind: str) -> int:
    """Which part of a controller takes an input; ``ValueError`` for what is none."""
    # Exactly one: nothing but an input is called, whatever a file names.
    takers = (Controller, OperatorActs, DeviceReports, StimulationReports)
    (at,) = (n for n, part in enumerate(takers) if getattr(getattr(part, kind, None), "is_input", False))
    return at


def _by_sample(decisions: Iterable[Decision]) -> Callable[[int], Decision]:
    """The decision at a sample; they are asked for in their order."""
    left = iter(decisions)

    def decided(sample: int) -> Decision:
        for decision in left:
            if decision.sample == sample:
                return decision
        raise LookupError(f"no decision was made at sample {sample}")

    return decided
