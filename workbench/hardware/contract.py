"""From a set-up to the stream contract of a session, or to the problems that prevent one, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench import messages
from workbench.errors import BadSignal
from workbench.hardware.checks import failed
from workbench.hardware.setup import AUX, Connection, Setup
from workbench.messages import Message
from workbench.signals import units
from workbench.vocabulary import StreamSpec


class SystemInput(Protocol):
    """What a set-up needs to know of an input of a system (``systems.Input`` has it)."""

    @property
    def role(self) -> str:
        """Of the line of the contract that feeds it."""

    @property
    def kind(self) -> str:
        """What it measures, ``"markers"`` for cues."""

    @property
    def critical(self) -> bool:
        """Whether a session cannot do without it."""

    @property
    def words(self) -> str:
        """What it is, for the person who connects it."""

    def refusal(self, spec: StreamSpec) -> str:
        """Why a line of a contract cannot feed it, ``""`` when it can."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a set-up from being used.

    Attributes
    ----------
    role : that it concerns.
    field : ``"stream"``, ``"labels"``, ``"unit"``, ``"codes"``, ``"check"`` or ``"waiver"``.
    text : one sentence.
    stream : name of the stream that it concerns, ``""`` for none.
    """

    role: str
    field: str
    text: str
    stream: str = ""


def contract(setup: Setup, inputs: Sequence[SystemInput]) -> tuple[StreamSpec, ...]:
    """The lines of the contract: the inputs of the system in their order, then what is only recorded."""
    order = {one.role: place for place, one in enumerate(inputs)}
    critical = {one.role: one.critical for one in inputs}
    connections = sorted(setup.connections, key=lambda one: order.get(one.role, len(order)))
    return tuple(one.spec(critical=critical.get(one.role, False)) for one in connections)


def waived_streams(setup: Setup) -> dict[str, str]:
    """Name of each stream that the contract states and the session goes without → reason."""
    streams = {one.role: one.stream.name for one in setup.connections}
    return {streams[role]: reason for role, reason in setup.waived.items() if role in streams}


def problems(setup: Setup, inputs: Sequence[SystemInput]) -> list[Problem]:
    """Every problem, in the order of the inputs; empty when the set-up can be used."""
    known = {one.role: one for one in inputs}
    found = [problem for one in inputs for problem in _of_input(setup, one)]
    for one in setup.connections:
        if one.role not in (*known, AUX):
            found.append(_at(one, "stream", Message("setup.role_unknown", role=one.role, roles=list(known))))
        if one.role == AUX:
            found += _of_stream(one) or _of_checks(one)
    names = [one.stream.name for one in setup.connections]
    for one in setup.connections:
        if names.count(one.stream.name) > 1:
            found.append(_at(one, "stream", Message("setup.name_twice", stream=repr(one.stream.name))))
    return found


def _at(one: Connection, field: str, text: str) -> Problem:
    return Problem(one.role, field, text, one.stream.name)


def _of_input(setup: Setup, wanted: SystemInput) -> list[Problem]:
    """What is wrong with one input of the system."""
    one = setup.connected(wanted.role)
    if one is None:
        empty = Message("setup.role_empty", role=wanted.role, words=wanted.words or wanted.kind)
        return [Problem(wanted.role, "stream", empty)] if wanted.critical else []
    if not wanted.critical and setup.waived.get(wanted.role, "").strip():
        return []
    found = [*_of_stream(one), *(_of_codes(one) if wanted.kind == "markers" else ())]
    if not found and (why := wanted.refusal(one.spec(critical=wanted.critical))):
        found.append(_at(one, "stream", why))
    return found or _of_checks(one)


def _of_checks(one: Connection) -> list[Problem]:
    """Checks that failed; said only of a stream that nothing else keeps from being used."""
    return [
        _at(one, "check", Message("setup.check_failed", stream=one.stream.name, check=check.text))
        for check in failed(one)
    ]


def _of_stream(one: Connection) -> list[Problem]:
    """Presence, labels and unit of a stream."""
    stream, found = one.stream, []
    if not stream.uid:
        found.append(_at(one, "stream", Message("setup.not_there", stream=repr(stream.name))))
    if stream.is_markers:
        return found
    found += [_at(one, "labels", text) for text in _label_faults(one)]
    if not any(problem.field == "labels" for problem in found):
        try:
            units.of_stream(one.spec(critical=True), stream.units, stream.n_channels)
        except BadSignal as fault:
            found.append(_at(one, "unit", messages.of(fault)))
    return found


def _label_faults(one: Connection) -> Iterator[str]:
    labels, n = one.channels, one.stream.n_channels
    if not labels and one.role != AUX:
        yield Message("setup.no_labels", n=n)
    elif labels and len(labels) != n:
        yield Message("setup.label_count", got=len(labels), n=n)
    if empty := [str(place) for place, label in enumerate(labels, 1) if not label.strip()]:
        yield Message("setup.label_empty", channels=empty)
    if twice := sorted({label for label in labels if label and labels.count(label) > 1}):
        yield Message("setup.label_twice", labels=twice)
    if unknown := [label for label in one.left_out if label not in labels]:
        yield Message("setup.left_out_unknown", channels=unknown)
    if labels and not set(labels) - set(one.left_out):
        yield Message("setup.all_left_out")


def _of_codes(one: Connection) -> list[Problem]:
    if not one.stream.is_markers:
        return [_at(one, "stream", Message("setup.no_markers", dtype=one.stream.dtype))]
    if one.stream.has_codes and not one.codes:
        return [_at(one, "codes", Message("setup.no_codes", stream=repr(one.stream.name)))]
    if one.stream.has_codes and (texts := [code for code in one.codes if not code.lstrip("-").isdecimal()]):
        return [_at(one, "codes", Message("setup.code_text", codes=texts))]
    return []
