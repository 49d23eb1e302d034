"""The stream contract: what a session expects, what is present, and a sentence for each difference."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from workbench import messages, world
from workbench.devices._lsl_library import library, local_clock
from workbench.devices._lsl_seen import StreamSeen, described, header, rate
from workbench.errors import BadSignal, BadValue, StreamFault
from workbench.messages import Message
from workbench.signals import units
from workbench.signals.units import StreamUnits
from workbench.vocabulary import StreamSpec

Match = tuple[StreamSpec, Any, StreamSeen, tuple[str, ...], StreamUnits]

INTEGERS = ("int8", "int16", "int32", "int64")
"""Formats of marker streams that carry codes; ``SessionPlan.labels`` says what each means."""

OWN = ("Cues", "Decisions", "Commands", "Acks", "DeviceStatus")
"""Types of the streams that the workbench itself publishes; they are never suggested as the missing amplifier."""


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
    # All problems at once: an operator who fixes one at a time meets the next only at the next start.
    problems: list[str] = []
    for spec in contract:
        try:
            matched.append(_one(spec, infos, timeout))
        except StreamFault as fault:
            if spec.name not in waived:
                problems.append(messages.of(fault))
    if problems:
        raise StreamFault(reduce(lambda first, rest: Message("stream.problems", first=first, rest=rest), problems))
    return matched


def _check_waivers(contract: Sequence[StreamSpec], waived: Sequence[str]) -> None:
    """Only a non-critical stream of the contract may be waived."""
    names = [spec.name for spec in contract]
    for name in {n for n in names if names.count(n) > 1}:
        raise BadValue(Message("stream.named_twice", stream=repr(name), n=names.count(name)))
    for name in waived:
        if name not in names:
            raise BadValue(Message("stream.waived_unknown", stream=repr(name), streams=names))
        # The plan decides what is critical; a waiver at the start of a session must not override it.
        if next(spec for spec in contract if spec.name == name).critical:
            raise BadValue(Message("stream.cannot_waive", stream=repr(name)))


def _look(contract: Sequence[StreamSpec], *, timeout: float, settle: float) -> list[Any]:
    """Everything on LSL, once the contract is complete and ``settle`` s have passed, or at the timeout."""
    resolver = library().ContinuousResolver(forget_after=max(timeout, 5.0))
    pause = world.clock.event()
    start = local_clock()
    complete_at = 0.0
    while True:
        infos: list[Any] = resolver.results()
        now = local_clock()
        complete = all(any(_is_it(spec, header(info)) for info in infos) for spec in contract)
        # Starts again when a stream disappears: only a complete contract is watched for duplicates.
        complete_at = (complete_at or now) if complete else 0.0
        if now - start >= timeout or (complete and now - max(complete_at, start) >= settle):
            return infos
        pause.wait(0.05)


def _is_it(spec: StreamSpec, seen: StreamSeen) -> bool:
    """Whether name, type and source_id are those of the contract; rate, channels and unit are checked later."""
    return (
        seen.name == spec.name
        and seen.type == spec.type
        and (not spec.source_id or seen.source_id == spec.source_id)
    )


def _one(spec: StreamSpec, infos: Sequence[Any], timeout: float) -> Match:
    """The one stream that fits the line, described and checked."""
    fitting = [info for info in infos if _is_it(spec, header(info))]
    if not fitting:
        raise StreamFault(_missing(spec, infos, timeout))
    if len(fitting) > 1:
        seen = [described(info) for info in fitting]
        raise StreamFault(_duplicate(spec, seen))
    candidate = described(fitting[0], timeout=5.0)
    problems = _differences(spec, candidate)
    scale = StreamUnits(candidate.units, np.ones(candidate.n_channels), "recorded")
    if candidate.dtype != "string" and spec.role != "markers":
        try:
            scale = units.of_stream(spec, candidate.units, candidate.n_channels)
        except BadSignal as fault:
            problems.append(messages.of(fault))
    if problems:
        raise StreamFault(Message("stream.differs", stream=candidate.words(), differences=problems))
    return spec, fitting[0], candidate, _notes(spec, candidate, scale), scale


def _missing(spec: StreamSpec, infos: Sequence[Any], timeout: float) -> Message:
    """Sentence for a missing stream; the most similar streams come first, with their process."""
    others = [info for info in infos if header(info).type not in OWN]
    ranked = sorted(others, key=lambda info: _unlike(spec, header(info)))
    listed = _first_of([described(info).words() for info in ranked[:6]], more=len(others) - 6)
    instead = Message("stream.seen_instead", streams=listed) if listed else Message("stream.none_seen")
    expected = Message("stream.of_type", type=repr(spec.type))
    if spec.source_id:
        expected = Message("stream.of_type_and_source", type=repr(spec.type), source_id=repr(spec.source_id))
    name, within = repr(spec.name), f"{timeout:g}"
    if spec.critical:
        return Message("stream.not_found", stream=name, wanted=expected, n=within, instead=instead)
    return Message("stream.not_found_optional", stream=name, wanted=expected, n=within, instead=instead)


def _first_of(texts: Sequence[str], *, more: int) -> list[str]:
    """At most six texts, and how many more there are."""
    return [*texts[:6], Message("stream.n_more", n=more)] if more > 0 else list(texts)


def _unlike(spec: StreamSpec, seen: StreamSeen) -> tuple[bool, bool, bool, str]:
    """Sorting key: the streams that share the name, then the type, then being regular or not."""
    return seen.name != spec.name, seen.type != spec.type, bool(seen.fs) != bool(spec.fs), seen.name


def _duplicate(spec: StreamSpec, seen: Sequence[StreamSeen]) -> Message:
    """Sentence for two streams that both fit."""
    alike = len({s.source_id for s in seen}) == 1
    remedy = Message("stream.stop_one") if alike else Message("stream.stop_or_state")
    both = [s.words() for s in seen]
    return Message("stream.found_twice", stream=repr(spec.name), n=len(seen), streams=both, remedy=remedy)


def _differences(spec: StreamSpec, seen: StreamSeen) -> list[str]:
    """Phrases for rate, channels and unit, each with what was got and what was expected."""
    differences: list[str] = []
    # A relative tolerance for rates that went through text; a real difference is at least a few ppm.
    if abs(seen.fs - spec.fs) > 1e-6 * max(spec.fs, 1.0):
        differences.append(Message("stream.other_rate", got=rate(seen.fs), expected=rate(spec.fs)))
    n = len(spec.channels)
    if n and seen.n_channels != n:
        channels = list(spec.channels)
        differences.append(Message("stream.other_channels", n=seen.n_channels, expected=n, channels=channels))
    elif n and seen.channels and seen.channels != spec.channels:
        pairs = zip(seen.channels, spec.channels, strict=True)
        other = [
            Message("stream.other_label", n=i, got=repr(got), expected=repr(want))
            for i, (got, want) in enumerate(pairs, 1)
            if got != want
        ]
        differences.append(Message("stream.other_labels", channels=_first_of(other, more=len(other) - 6)))
    if spec.channels and seen.dtype == "string":
        differences.append(Message("stream.is_text"))
    if spec.role == "markers":
        if seen.dtype not in ("string", *INTEGERS):
            differences.append(Message("stream.no_markers", dtype=seen.dtype))
        elif seen.n_channels != 1:
            differences.append(Message("stream.marker_channels", n=seen.n_channels))
    # Only of the signal, where a label decides which channel feeds which weight of the decoder.
    twice = sorted({name for name in seen.channels if name and seen.channels.count(name) > 1})
    if spec.role == "signal" and twice:
        differences.append(Message("stream.labels_twice", labels=[repr(name) for name in twice[:6]]))
    return differences


def _notes(spec: StreamSpec, seen: StreamSeen, scale: StreamUnits) -> tuple[str, ...]:
    """Sentences for the ledger about what the outlet did not announce."""
    notes, name, unit = [], repr(spec.name), repr(spec.unit)
    if spec.channels and not seen.channels:
        notes.append(Message("stream.no_labels", stream=name))
    if scale.source == "declared" and scale.text:
        announced = repr(scale.text)
        notes.append(Message("stream.unit_declared", stream=name, announced=announced, unit=unit, by=scale.by))
    elif scale.source == "declared":
        notes.append(Message("stream.no_unit_declared", stream=name, unit=unit, by=scale.by))
    elif scale.source == "waived":
        notes.append(Message("stream.unit_waived", stream=name, why=scale.by))
    elif scale.changes or scale.text not in ("", units.MICROVOLT):
        factors = [f"{value:g}" for value in sorted(set(scale.factors.tolist()))]
        notes.append(
            Message("stream.unit_factor", stream=name, announced=repr(scale.text), unit=unit, factors=factors)
        )
    if not seen.source_id:
        notes.append(Message("stream.no_source_id", stream=name))
    return tuple(notes)
