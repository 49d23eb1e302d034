"""The stream contract: what a session expects, what is there, and a sentence for each difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench import world
from workbench.devices._lsl_library import library, local_clock
from workbench.devices._lsl_seen import StreamSeen, described, header
from workbench.errors import BadSignal, BadValue, StreamFault
from workbench.signals import units
from workbench.signals.units import StreamUnits
from workbench.vocabulary import StreamSpec

Match = tuple[StreamSpec, Any, StreamSeen, tuple[str, ...], StreamUnits]

INTEGERS = ("int8", "int16", "int32", "int64")
"""Formats of marker streams that carry codes; ``SessionPlan.labels`` says what each means."""

OWN = ("Cues", "Decisions", "Commands", "Acks", "DeviceStatus")
"""Types of the streams that the workbench itself publishes; nobody mistakes one for an amplifier."""


def match(contract: Sequence[StreamSpec], *, timeout: float, waived: Sequence[str], settle: float) -> list[Match]:
    """The one stream for each line of the contract; see :func:`workbench.devices.lsl.resolve`.

    Parameters
    ----------
    contract : the streams that are expected.
    timeout : s after which what is missing is reported.
    waived : names of streams that may be missing.
    settle : s for which a complete contract is watched for a second stream of the same kind.
    """
    _check_waivers(contract, waived)
    infos = _look(contract, timeout=timeout, settle=settle)
    matched: list[Match] = []
    problems: list[str] = []
    for spec in contract:
        try:
            matched.append(_one(spec, infos, timeout))
        except StreamFault as fault:
            if spec.name not in waived:
                problems.append(str(fault))
    if problems:
        raise StreamFault("\n".join(problems))
    return matched


def _check_waivers(contract: Sequence[StreamSpec], waived: Sequence[str]) -> None:
    """Only a non-critical stream of the contract may be waived."""
    names = [spec.name for spec in contract]
    for name in {n for n in names if names.count(n) > 1}:
        raise BadValue(
            f"a stream contract names each stream once, got {name!r} {names.count(name)} times; remove one"
        )
    for name in waived:
        if name not in names:
            raise BadValue(f"waived stream {name!r} is not in the contract; it has {', '.join(names)}")
        if next(spec for spec in contract if spec.name == name).critical:
            raise BadValue(
                f"stream {name!r} is critical and cannot be waived; start its source, or change the plan"
            )


def _look(contract: Sequence[StreamSpec], *, timeout: float, settle: float) -> list[Any]:
    """Everything on LSL, once all of the contract is there and ``settle`` s have passed, or at the timeout."""
    resolver = library().ContinuousResolver(forget_after=max(timeout, 5.0))
    pause = world.clock.event()
    start = local_clock()
    complete_at = 0.0
    while True:
        infos: list[Any] = resolver.results()
        now = local_clock()
        complete = all(any(_is_it(spec, header(info)) for info in infos) for spec in contract)
        complete_at = (complete_at or now) if complete else 0.0
        if now - start >= timeout or (complete and now - max(complete_at, start) >= settle):
            return infos
        pause.wait(0.05)


def _is_it(spec: StreamSpec, seen: StreamSeen) -> bool:
    """True when name, type and source_id are those of the contract; rate, channels, unit are judged after."""
    return (
        seen.name == spec.name
        and seen.type == spec.type
        and (not spec.source_id or seen.source_id == spec.source_id)
    )


def _one(spec: StreamSpec, infos: Sequence[Any], timeout: float) -> Match:
    """The one stream that fits the line, described and judged."""
    fitting = [info for info in infos if _is_it(spec, header(info))]
    if not fitting:
        raise StreamFault(_missing(spec, infos, timeout))
    if len(fitting) > 1:
        seen = [described(info) for info in fitting]
        raise StreamFault(_duplicate(spec, seen))
    seen_one = described(fitting[0], timeout=5.0)
    problems = _differences(spec, seen_one)
    scale = StreamUnits(seen_one.units, np.ones(seen_one.n_channels), "recorded")
    if seen_one.dtype != "string" and spec.role != "markers":
        try:
            scale = units.of_stream(spec, seen_one.units, seen_one.n_channels)
        except BadSignal as fault:
            problems.append(str(fault))
    if problems:
        raise StreamFault(
            f"stream {seen_one.words()} is not what the contract says: {'; '.join(problems)}. "
            "Correct the setting of the device, or the contract in the session plan, and start again."
        )
    return spec, fitting[0], seen_one, _notes(spec, seen_one, scale), scale


def _missing(spec: StreamSpec, infos: Sequence[Any], timeout: float) -> str:
    """Sentence for a stream that is not there; those most like it come first, with their process."""
    others = [info for info in infos if header(info).type not in OWN]
    ranked = sorted(others, key=lambda info: _unlike(spec, header(info)))
    listed = [described(info).words() for info in ranked[:6]]
    more = f" and {len(others) - 6} more" if len(others) > 6 else ""
    instead = f"seen instead: {', '.join(listed)}{more}" if listed else "no other LSL stream was seen"
    wanted = f"type {spec.type!r}" + (f", source_id {spec.source_id!r}" if spec.source_id else "")
    way_out = "" if spec.critical else " It is not critical: it can also be waived, with a reason."
    return (
        f"stream {spec.name!r} ({wanted}) was not found within {timeout:g} s; {instead}. Start its source, "
        f"or correct name, type and source_id in the stream contract.{way_out}"
    )


def _unlike(spec: StreamSpec, seen: StreamSeen) -> tuple[bool, bool, bool, str]:
    """Sorting key: the streams that share the name, then the type, then being regular or not."""
    return seen.name != spec.name, seen.type != spec.type, bool(seen.fs) != bool(spec.fs), seen.name


def _duplicate(spec: StreamSpec, seen: Sequence[StreamSeen]) -> str:
    """Sentence for two streams that both fit."""
    remedy = (
        "Stop the one that is not the participant's amplifier."
        if len({s.source_id for s in seen}) == 1
        else "Stop one of them, or state the source_id of the right one in the stream contract."
    )
    both = " and ".join(s.words() for s in seen)
    return f"stream {spec.name!r} was found {len(seen)} times: {both}. {remedy}"


def _differences(spec: StreamSpec, seen: StreamSeen) -> list[str]:
    """Phrases for rate, channels and unit, each with what was got and what was expected."""
    differences: list[str] = []
    if abs(seen.fs - spec.fs) > 1e-6 * max(spec.fs, 1.0):
        differences.append(f"rate is {_rate(seen.fs)}, expected {_rate(spec.fs)}")
    n = len(spec.channels)
    if n and seen.n_channels != n:
        differences.append(f"it has {seen.n_channels} channels, expected {n} ({', '.join(spec.channels)})")
    elif n and seen.channels and seen.channels != spec.channels:
        pairs = zip(seen.channels, spec.channels, strict=True)
        other = [f"{i} is {got!r}, expected {want!r}" for i, (got, want) in enumerate(pairs, 1) if got != want]
        differences.append(
            "channel " + ", ".join(other[:6]) + (f" and {len(other) - 6} more" if other[6:] else "")
        )
    if spec.channels and seen.dtype == "string":
        differences.append("it carries text, expected numbers")
    if spec.role == "markers":
        if seen.dtype not in ("string", *INTEGERS):
            differences.append(f"it carries {seen.dtype} numbers; markers are text or integer codes")
        elif seen.n_channels != 1:
            differences.append(f"it has {seen.n_channels} channels; a marker stream has 1")
    twice = sorted({name for name in seen.channels if name and seen.channels.count(name) > 1})
    if spec.role == "signal" and twice:
        differences.append(
            f"channel label {', '.join(map(repr, twice[:6]))} occurs more than once; labels are unique"
        )
    return differences


def _notes(spec: StreamSpec, seen: StreamSeen, scale: StreamUnits) -> tuple[str, ...]:
    """What the outlet left unsaid, so that the ledger can say it."""
    notes = []
    if spec.channels and not seen.channels:
        notes.append(f"stream {spec.name!r} announces no channel names; those of the contract are used")
    if scale.source == "declared":
        stated = f"announces the unit {scale.text!r}" if scale.text else "announces no unit"
        notes.append(f"stream {spec.name!r} {stated}; {spec.unit!r} is declared by {scale.by}")
    elif scale.source == "waived":
        notes.append(f"the unit of stream {spec.name!r} is not known ({scale.by}); it is recorded only")
    elif scale.changes or scale.text not in ("", units.MICROVOLT):
        factors = ", ".join(f"{value:g}" for value in sorted(set(scale.factors.tolist())))
        notes.append(f"stream {spec.name!r} announces the unit {scale.text!r}; factor to {spec.unit!r}: {factors}")
    if not seen.source_id:
        notes.append(f"stream {spec.name!r} announces no source_id; it cannot be recovered when it is lost")
    return tuple(notes)


def _rate(fs: float) -> str:
    return f"{fs:g} Hz" if fs else "irregular"
