"""What a measured stream is judged by, each check in one sentence with its light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.hardware.measurement import Measurement, counts_samples
from workbench.hardware.setup import Connection, Waiver
from workbench.messages import Message
from workbench.signals import units
from workbench.signals.reception import RATE_SHARE, allowed_jitter_s

IMPEDANCE_KOHM = 20.0
"""Impedance above which an electrode should be looked at, kΩ. A proposal: dry electrodes are waived."""
FEW = 6
"""Channels that a sentence names one by one."""

State = Literal["ok", "note", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """One fact of a stream.

    Attributes
    ----------
    name : ``"unit"``, ``"impedance"``, ``"rate"``, ``"loss"``, ``"amplitude"`` or ``"codes"``.
    state : ``"ok"``, ``"note"`` (to be seen; blocks nothing), or ``"failed"``.
    text : one sentence.
    waiver : of a failed check, None where nobody waived it.
    """

    name: str
    state: State
    text: str
    waiver: Waiver | None = None


def checks(one: Connection) -> list[Check]:
    """Every check of a stream in its role; what only a measurement shows is missing before there is one."""
    waivers = {waiver.check: waiver for waiver in one.waivers}
    return [
        Check(name, state, text, waivers.get(name) if state == "failed" else None)
        for name, state, text in (*_stated(one), *(_measured(one, one.measured) if one.measured else ()))
    ]


ElectrodeState = Literal["ok", "high", "flat", "left_out", "unknown"]


@dataclass(frozen=True, slots=True)
class Electrode:
    """One channel of a biopotential as a drawing shows it.

    Attributes
    ----------
    name : its label.
    state : ``"ok"``; ``"high"`` impedance; ``"flat"``, it never changed while it was listened to; ``"left_out"``
        of decoding; ``"unknown"`` before anything was measured.
    text : its impedance, else its amplitude, with the unit; ``""`` for neither.
    """

    name: str
    state: ElectrodeState
    text: str


def electrodes(one: Connection) -> list[Electrode]:
    """Every channel of a biopotential with its state, in order; empty for any other stream, and without labels."""
    labels, ohms = one.channels, one.stream.impedances
    if not labels or not units.is_biopotential(one.stream.type):
        return []
    rms = one.measured.rms if one.measured else ()
    unit = units.parse(one.unit or one.announced_unit)
    shown = []
    for place, label in enumerate(labels):
        ohm = ohms[place] if len(ohms) == len(labels) else None
        size = rms[place] if len(rms) == len(labels) else None
        state: ElectrodeState = "unknown" if ohm is None and size is None else "ok"
        if label in one.left_out:
            state = "left_out"
        elif size == 0.0:
            state = "flat"
        elif ohm is not None and ohm > IMPEDANCE_KOHM:
            state = "high"
        text = f"{ohm:g} kΩ" if ohm is not None else ""
        if not text and size is not None:
            text = f"{size * unit.factor:.3g} {unit.symbol.replace('uV', 'µV')}"
        shown.append(Electrode(label, state, text))
    return shown


def failed(one: Connection) -> list[Check]:
    """Checks of a stream that failed and that nobody waived."""
    return [check for check in checks(one) if check.state == "failed" and check.waiver is None]


def resting_amplitude(one: Connection) -> tuple[float, str] | None:
    """Median root mean square of the channels that are decoded, and its unit as it is read; None before it is
    measured, and for channels of several units."""
    values = _amplitudes(one)
    symbols = {symbol for _, symbol in values}
    return (float(np.median([value for value, _ in values])), symbols.pop()) if len(symbols) == 1 else None


Judged = tuple[str, State, str]
_SIZED = (units.Kind.VOLTAGE, units.Kind.OTHER)
"""Kinds of units in which an amplitude can be given."""


def _stated(one: Connection) -> Iterator[Judged]:
    """Checks of what the stream announces and the operator states."""
    texts = list(dict.fromkeys([one.unit] if one.unit else filter(None, one.stream.units)))
    for text in [] if one.stream.is_markers else texts:
        unit = units.parse(text)
        if unit.kind is units.Kind.VOLTAGE:
            yield "unit", "ok", Message("setup.check_unit", unit=text, factor=f"{unit.factor:,.10g}")
        elif unit.kind is units.Kind.OTHER:
            yield "unit", "ok", Message("setup.check_unit_kept", unit=text)
    ohms = one.stream.impedances
    if ohms and units.is_biopotential(one.stream.type):
        labels = one.channels if len(one.channels) == len(ohms) else [str(k + 1) for k in range(len(ohms))]
        decoded = [pair for pair in zip(labels, ohms, strict=True) if pair[0] not in one.left_out]
        high = [f"{label} {value:g}" for label, value in decoded if value > IMPEDANCE_KOHM]
        limit = f"{IMPEDANCE_KOHM:g}"
        if high:
            n, of = len(high), len(decoded)
            text = Message("setup.check_impedance_high", n=n, of=of, limit=limit, channels=_few(high))
            yield "impedance", "failed", text
        else:
            label, value = max(decoded, key=lambda pair: pair[1], default=("", 0.0))
            highest = f"{label} {value:g} kΩ"
            text = Message("setup.check_impedance", of=len(decoded), limit=limit, highest=highest)
            yield "impedance", "ok", text


def _measured(one: Connection, got: Measurement) -> Iterator[Judged]:
    """Checks of what was measured."""
    if one.stream.is_markers:
        yield _codes(one, got)
        return
    if one.stream.fs <= 0:
        return
    if not got.n:
        yield "rate", "failed", Message("setup.check_silent", n=f"{got.seconds:g}")
        return
    yield _rate(one.stream.fs, got)
    yield _losses(got)
    yield from _amplitude(one)


def _rate(stated: float, got: Measurement) -> Judged:
    """Rate and jitter; late stamps are jitter and no loss."""
    rate, nominal, jitter = f"{got.fs:.2f}", f"{stated:g}", f"{got.jitter_s * 1000:.2g}"
    if abs(got.fs - stated) > RATE_SHARE * stated:
        share = f"{RATE_SHARE:.0%}"
        text = Message("setup.check_rate_other", got=rate, stated=nominal, jitter=jitter, share=share)
        return "rate", "failed", text
    allowed = allowed_jitter_s(stated)
    if got.jitter_s > allowed:
        limit = f"{allowed * 1000:g}"
        text = Message("setup.check_jitter", got=rate, stated=nominal, jitter=jitter, limit=limit)
        return "rate", "failed", text
    return "rate", "ok", Message("setup.check_rate", got=rate, stated=nominal, jitter=jitter)


def _losses(got: Measurement) -> Judged:
    """Missing samples: a counter, where there is one, says exactly how many."""
    lost = got.counter_lost if got.counter else got.n_lost
    if lost or got.n_gaps or got.counter_odd:
        by = Message("setup.by_counter", counter=got.counter) if got.counter else Message("setup.by_stamps")
        return "loss", "failed", Message("setup.check_lost", n=lost, of=got.n + lost, gaps=got.n_gaps, by=by)
    if got.counter:
        return "loss", "ok", Message("setup.check_counted", counter=got.counter)
    return "loss", "ok", Message("setup.check_none_lost")


def _amplitudes(one: Connection) -> list[tuple[float, str]]:
    """Amplitude of each decoded channel with the symbol of its unit, as it is read."""
    rms = one.measured.rms if one.measured else ()
    labels = one.channels or tuple(str(k + 1) for k in range(len(rms)))
    sent = [one.unit] * len(rms) if one.unit else list(one.stream.units) or [""] * len(rms)
    if not len(rms) == len(labels) == len(sent):
        return []
    parsed = [units.parse(text) for text in sent]
    return [
        (value * unit.factor, unit.symbol.replace("uV", "µV"))
        for value, label, unit in zip(rms, labels, parsed, strict=True)
        if label not in one.left_out and not counts_samples(label) and unit.kind in _SIZED
    ]


def _amplitude(one: Connection) -> Iterator[Judged]:
    values = _amplitudes(one)
    microvolts = [value for value, symbol in values if symbol == "µV"]
    if (why := units.implausible(microvolts)) is not None:
        yield "amplitude", "failed", Message("setup.check_implausible", why=why)
    elif (rest := resting_amplitude(one)) is not None:
        yield "amplitude", "ok", Message("setup.check_amplitude", n=f"{rest[0]:.3g}", unit=rest[1])


def _codes(one: Connection, got: Measurement) -> Judged:
    """The markers that were received, with their meaning."""
    if not got.codes:
        return "codes", "note", Message("setup.check_no_markers", n=f"{got.seconds:g}")
    known = [
        Message("setup.code_means", code=code, label=one.codes[code]) for code in got.codes if code in one.codes
    ]
    unknown = [Message("setup.code_unknown", code=code) for code in got.codes if code not in one.codes]
    return "codes", "note" if unknown else "ok", Message("setup.check_codes", codes=_few([*unknown, *known]))


def _few(texts: list[str]) -> list[str]:
    """At most six, and how many more there are."""
    more = len(texts) - FEW
    return [*texts[:FEW], Message("stream.n_more", n=more)] if more > 0 else texts
