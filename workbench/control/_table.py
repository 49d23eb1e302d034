"""States, events and the one table of transitions. Documents and screen words are made from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, get_args

from workbench.control._profile import Law
from workbench.errors import Refused
from workbench.messages import Message

State = Literal[
    "DISCONNECTED",
    "SELFTEST",
    "IDLE_SAFE",
    "ARMED",
    "ACTIVE",
    "HOLD",
    "RELEASE",
    "REFRACTORY",
    "FAULT_SAFE",
    "ESTOP",
]
"""A state of the controller."""

STATES: tuple[State, ...] = get_args(State)
"""Every state, in the order in which a session passes them; the last two are reached from everywhere."""

ENGAGED: tuple[State, ...] = ("ACTIVE", "HOLD")
"""States in which the effector is closed by intent."""

ARMED_OR_ENGAGED: tuple[State, ...] = ("ARMED", "ACTIVE", "HOLD", "RELEASE", "REFRACTORY")
"""States in which intent moves the effector, or will again without another act of the operator."""

WATCHED: tuple[State, ...] = ("IDLE_SAFE", *ARMED_OR_ENGAGED)
"""States in which heartbeats are sent and watchdogs may raise a fault."""

SAFE: tuple[State, ...] = ("FAULT_SAFE", "ESTOP")
"""States that only an operator's reset leaves."""

MEANING: dict[State, str] = {
    "DISCONNECTED": "off, no signal",
    "SELFTEST": "off, testing",
    "IDLE_SAFE": "off, not armed",
    "ARMED": "ready to move",
    "ACTIVE": "moving",
    "HOLD": "holding",
    "RELEASE": "releasing",
    "REFRACTORY": "resting before the next intent",
    "FAULT_SAFE": "safe after a fault",
    "ESTOP": "stopped, latched",
}
"""What each state means, in a few words."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The paradigm's rule, for the words on the screen only; the paradigm has already applied it.

    Until a run names its own, the words are those of ``grasp_rest``.
    """

    activate: float = 0.65
    release: float = 0.20
    dwell: int = 1


Event = Literal[
    "connect",
    "self_test_passed",
    "disconnect",
    "arm",
    "self_test",
    "activate",
    "disarm",
    "level_reached",
    "release",
    "limit",
    "ramp_done",
    "refractory_over",
    "stand_down",
    "reset",
    "fault",
    "estop",
]
"""What leads from one state to another."""


class Transition(NamedTuple):
    """One row of the table: in ``source``, ``event`` leads to ``target``; ``why`` is the rule in words."""

    source: State
    event: Event
    target: State
    why: str


_FAULT = "Any fault leads here: {faults}."
_ESTOP = "The operator, the participant or a limit stops the effector."

_ROWS = (
    Transition(
        "DISCONNECTED",
        "connect",
        "SELFTEST",
        "Becomes SELFTEST when every required stream is found and its clock offset is steady within 5 ms.",
    ),
    Transition(
        "SELFTEST",
        "self_test_passed",
        "IDLE_SAFE",
        "Becomes IDLE_SAFE when every item of the self-test has passed and the effector has acknowledged "
        "a stop and an opening command.",
    ),
    Transition(
        "SELFTEST", "disconnect", "DISCONNECTED", "Becomes DISCONNECTED when the session releases the effector."
    ),
    Transition(
        "IDLE_SAFE",
        "arm",
        "ARMED",
        "Becomes ARMED when the operator arms and every arming condition is met.",
    ),
    Transition("IDLE_SAFE", "self_test", "SELFTEST", "Becomes SELFTEST when the self-test is repeated."),
    Transition(
        "IDLE_SAFE", "disconnect", "DISCONNECTED", "Becomes DISCONNECTED when the session releases the effector."
    ),
    Transition(
        "ARMED",
        "activate",
        "ACTIVE",
        "Becomes ACTIVE when evidence stays above {activate:.2f} for {hops}.",
    ),
    Transition(
        "ARMED",
        "disarm",
        "IDLE_SAFE",
        "Becomes IDLE_SAFE when the operator disarms or an arming condition falls away.",
    ),
    Transition("ACTIVE", "level_reached", "HOLD", "Becomes HOLD when the level is reached and acknowledged."),
    Transition(
        "ACTIVE",
        "release",
        "RELEASE",
        "Becomes RELEASE when evidence stays below {release:.2f} for {hops}.",
    ),
    Transition("ACTIVE", "limit", "RELEASE", "Becomes RELEASE after {hold_limit_s:g} s or when the dose is used."),
    Transition("ACTIVE", "disarm", "RELEASE", "Becomes RELEASE when the operator disarms."),
    Transition(
        "HOLD",
        "release",
        "RELEASE",
        "Becomes RELEASE when evidence stays below {release:.2f} for {hops}, and after "
        "{hold_limit_s:g} s in any case.",
    ),
    Transition("HOLD", "limit", "RELEASE", "Becomes RELEASE after {hold_limit_s:g} s or when the dose is used."),
    Transition("HOLD", "disarm", "RELEASE", "Becomes RELEASE when the operator disarms."),
    Transition(
        "RELEASE",
        "ramp_done",
        "REFRACTORY",
        "Becomes REFRACTORY when the ramp down is over and the release is acknowledged.",
    ),
    Transition("RELEASE", "disarm", "RELEASE", "Stays until the ramp is over, then ends in IDLE_SAFE."),
    Transition("REFRACTORY", "refractory_over", "ARMED", "Becomes ARMED {refractory_s:g} s after the ramp down."),
    Transition(
        "REFRACTORY",
        "stand_down",
        "IDLE_SAFE",
        "Becomes IDLE_SAFE when the operator has disarmed or the dose is used.",
    ),
    Transition("REFRACTORY", "disarm", "REFRACTORY", "Stays until the time is over, then ends in IDLE_SAFE."),
    Transition(
        "FAULT_SAFE",
        "reset",
        "SELFTEST",
        "To leave: remove the cause, reset by the operator, then a self-test.",
    ),
    Transition("ESTOP", "reset", "SELFTEST", "To leave: reset by the operator, then a self-test."),
)

TABLE: tuple[Transition, ...] = (
    *_ROWS,
    *(Transition(state, "fault", "FAULT_SAFE", _FAULT) for state in STATES if state != "ESTOP"),
    Transition("ESTOP", "fault", "ESTOP", "A fault does not unlatch the stop; it is entered in the ledger."),
    *(Transition(state, "estop", "ESTOP", _ESTOP) for state in STATES),
)
"""Every transition there is. What is not in here is refused."""

EVENTS: tuple[Event, ...] = tuple(dict.fromkeys(row.event for row in TABLE))
"""Every event, in the order of the table."""

_BY_KEY = {(row.source, row.event): row for row in TABLE}

FaultCode = Literal[
    "quality_bad",
    "acks_missing",
    "command_refused",
    "level_exceeded",
    "evidence_broken",
    "evidence_invalid",
    "evidence_silent",
    "level_broken",
    "overrun",
    "stream_lost",
    "device_lapsed",
    "status_missing",
    "session_lost",
    "source_replaced",
    "standstill",
    "suspended",
    "thread_lost",
    "clock",
    "stimulation",
]
"""A fault that the controller knows by name."""

FAULTS: dict[str, Message] = {
    "quality_bad": Message("fault.quality_bad"),
    "acks_missing": Message("fault.acks_missing"),
    "command_refused": Message("fault.command_refused"),
    "level_exceeded": Message("fault.level_exceeded"),
    "evidence_broken": Message("fault.evidence_broken"),
    "evidence_invalid": Message("fault.evidence_invalid"),
    "evidence_silent": Message("fault.evidence_silent"),
    "level_broken": Message("fault.level_broken"),
    "overrun": Message("fault.overrun"),
    "stream_lost": Message("fault.stream_lost"),
    "device_lapsed": Message("fault.device_lapsed"),
    "status_missing": Message("fault.status_missing"),
    "session_lost": Message("fault.session_lost"),
    "source_replaced": Message("fault.source_replaced"),
    "standstill": Message("fault.standstill"),
    "suspended": Message("fault.suspended"),
    "thread_lost": Message("fault.thread_lost"),
    "clock": Message("fault.clock"),
    "stimulation": Message("fault.stimulation"),
}
"""Every fault code with its sentence. ``Controller.on_fault`` also takes a sentence of its caller."""


def follow(state: State, event: Event) -> Transition:
    """The row for ``event`` in ``state``.

    Raises
    ------
    Refused
        When the table has none; the text lists what is possible in this state.
    """
    row = _BY_KEY.get((state, event))
    if row is None:
        allowed = [r.event for r in TABLE if r.source == state]
        raise Refused(Message("control.not_possible", event=event, state=state, allowed=allowed))
    return row


def possible(state: State, event: Event) -> bool:
    """Whether the table has a row for ``event`` in ``state``."""
    return (state, event) in _BY_KEY


Way = Law | Literal["schedule"]
"""What moves an effector on its ordinary way: decisions by a law, or a schedule."""

_ROWS_BY_LAW: tuple[tuple[Way, Transition], ...] = (
    ("trigger", Transition("ARMED", "activate", "ACTIVE", "Becomes ACTIVE when {conditions} is decided.")),
    (
        "trigger",
        Transition("HOLD", "release", "RELEASE", "Becomes RELEASE {trigger_s:g} s after it was closed."),
    ),
    (
        "toggle",
        Transition(
            "HOLD",
            "release",
            "RELEASE",
            "Becomes RELEASE with a second intent, and after {hold_limit_s:g} s in any case.",
        ),
    ),
    (
        "stride_gated",
        Transition(
            "ARMED", "activate", "ACTIVE", "Becomes ACTIVE when movement is meant and the phase enters its window."
        ),
    ),
    (
        "stride_gated",
        Transition(
            "HOLD",
            "release",
            "RELEASE",
            "Becomes RELEASE when the phase leaves its window or movement is no longer meant, and after "
            "{hold_limit_s:g} s in any case.",
        ),
    ),
    ("schedule", Transition("ARMED", "activate", "ACTIVE", "Becomes ACTIVE with the next move of the schedule.")),
    (
        "schedule",
        Transition(
            "HOLD",
            "release",
            "RELEASE",
            "Becomes RELEASE when the move of the schedule is over, and after {hold_limit_s:g} s in any case.",
        ),
    ),
    ("proportional", Transition("ARMED", "activate", "ACTIVE", "Becomes ACTIVE when a bout of movement begins.")),
    (
        "proportional",
        Transition(
            "ACTIVE",
            "release",
            "RELEASE",
            "Becomes RELEASE when the bout of movement ends, and after {hold_limit_s:g} s in any case.",
        ),
    ),
)

BY_LAW = {(row.source, law): row for law, row in _ROWS_BY_LAW}
"""The ordinary way on from a state where the control law makes it another one than the first row of the state."""


def onward(state: State, way: Way = "hold") -> Transition:
    """The ordinary way on from a state under a control law or a schedule: what the screen names as next."""
    first = next(row for row in TABLE if row.source == state)
    return BY_LAW.get((state, way), first)


def markdown() -> str:
    """The table as Markdown, for ``docs/hazards.md``; a test keeps the two equal."""
    limits = {"hold_limit_s": 30.0, "refractory_s": 0.5}
    values = {**asdict(Thresholds()), **limits, "faults": "; ".join(FAULTS.values()), "hops": "1 hop"}
    lines = ["| state | event | next state | rule |", "|---|---|---|---|"]
    lines += [f"| {r.source} | {r.event} | {r.target} | {r.why.format(**values)} |" for r in _ROWS]
    lines.append(f"| any but ESTOP | fault | FAULT_SAFE | {_FAULT.format(**values)} |")
    lines.append("| ESTOP | fault | ESTOP | A fault does not unlatch the stop; it is entered in the ledger. |")
    lines.append(f"| any | estop | ESTOP | {_ESTOP} |")
    return "\n".join(lines) + "\n"
