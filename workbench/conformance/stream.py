"""Conformance of a stream: rate, jitter, counter, units, labels, clock offset, loss, over a minute.

What is announced is read once; what is sent is counted by the time base and the stamp monitor of a live session.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.conformance.certificate import Certificate, Check, made
from workbench.devices import lsl
from workbench.errors import BadValue, StreamFault
from workbench.signals.reception import RATE_SHARE, CounterSteps, Reception, allowed_jitter_s
from workbench.signals.units import Kind, parse
from workbench.vocabulary import StreamSpec

SHORTEST_S, LONGEST_S = 3.0, 24 * 3600.0
OFFSET_S = 0.005
"""How far the clock offset may wander, and how well it must be known, s; a self-test asks for as much."""
SEARCH_S = 2.0
SETTLE_S = 0.5
"""What arrives in the first moments was sent before the test began, s."""


def conform_stream(
    name: str, *, seconds: float = 60.0, counter: str = "", progress: Callable[[float], object] = lambda s: None
) -> Certificate:
    """Listen to a stream and judge it.

    Parameters
    ----------
    name : of the stream.
    seconds : how long, s.
    counter : label of a channel that counts samples, ``""`` for none.
    progress : called with the seconds that have passed.

    Raises
    ------
    BadValue
        For a time that is too short or too long, a blank name, and a counter that is no channel.
    StreamFault
        When there is no such stream, there are several, it has no rate, or it goes away: nothing was judged.
    """
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise BadValue(f"--seconds must be {SHORTEST_S:g} to {LONGEST_S:g}, got {seconds:g}; 60 is usual")
    if not name.strip():
        raise BadValue("the name of a stream is not blank; 'workbench conform stream NAME' tests the stream NAME")
    seen = find(name, regular=True)
    spec = StreamSpec(
        name,
        seen.type,
        seen.fs,
        source_id=seen.source_id,
        role="aux",
        unit_waived="only its announcement is judged",
    )
    inlet = lsl.resolve([spec], timeout=5.0)[name]
    try:
        labels = inlet.seen.channels
        if counter and counter not in labels:
            raise BadValue(f"--counter names no channel of {name!r}, got {counter!r}; it has {', '.join(labels)}")
        heard = Reception(inlet.spec.fs, counter=labels.index(counter) if counter else None)
        offsets = _hear(inlet, seconds, heard, progress)
    finally:
        inlet.close()
    checks = [*_announced(inlet.seen), *_sent(heard, offsets)]
    about = {
        "type": seen.type, "source_id": seen.source_id, "host of the stream": seen.host,
        "channels": inlet.seen.n_channels, "announced rate": f"{seen.fs:g} Hz", "format": inlet.seen.dtype,
        "heard": f"{seconds:g} s", "counter": counter or "none named; loss is judged by the stamps",
    }  # fmt: skip
    return made("stream", name, checks=checks, about=about)


def find(name: str, *, regular: bool) -> lsl.StreamSeen:
    """The one stream of that name, of samples at a rate or of markers.

    Raises
    ------
    StreamFault
        When there is none, there are several, or it is of the other kind.
    """
    every = lsl.discover(SEARCH_S, describe=False)
    found = [seen for seen in every if seen.name == name]
    if len(found) > 1:
        raise StreamFault(
            f"stream {name!r} was found {len(found)} times: {' and '.join(s.words() for s in found)}; "
            "stop all but one"
        )
    if not found:
        others = ", ".join(sorted({repr(seen.name) for seen in every})) or "none"
        raise StreamFault(
            f"no stream {name!r:.200} was found within {SEARCH_S:g} s; streams seen: {others}. Start it"
        )
    if regular and (not found[0].fs > 0 or found[0].dtype == "string"):
        raise StreamFault(f"stream {name!r} has no rate of samples (markers); only regular streams are tested")
    if not regular and found[0].fs > 0:
        raise StreamFault(f"stream {name!r} has {found[0].fs:g} samples a second; a presenter sends markers")
    return found[0]


def _hear(
    inlet: lsl.Inlet, seconds: float, heard: Reception, progress: Callable[[float], object]
) -> list[lsl.ClockOffset]:
    """Count for so many seconds; the clock offsets that were measured meanwhile."""
    offsets: list[lsl.ClockOffset] = []
    inlet.clock(offsets.append, every=min(5.0, seconds / 6.0))
    began = lsl.local_clock()
    while (passed := lsl.local_clock() - began) < SETTLE_S + seconds:
        values, stamps = inlet.pull(0.2)
        if passed < SETTLE_S or not len(stamps):
            continue
        progress(passed - SETTLE_S)
        heard.step(values, stamps, local=lsl.local_clock())
    if not heard.n:
        raise StreamFault(f"stream {inlet.spec.name!r} was announced and sent nothing for {seconds:g} s; start it")
    return offsets


# ------------------------------------------------------------------------------------------- announced
def _announced(seen: lsl.StreamSeen) -> list[Check]:
    """Checks of what the header announces."""
    n = seen.n_channels
    named = [label for label in seen.channels if label.strip()]
    twice = len(named) - len(set(named))
    units = [parse(unit) for unit in (seen.units or ("",) * n)]
    known = [unit for unit in units if unit.kind in (Kind.VOLTAGE, Kind.OTHER)]
    texts = sorted({unit.text for unit in known})
    missing = sum(unit.kind is Kind.UNSTATED for unit in units) + max(0, n - len(units))
    unknown = sorted({unit.text for unit in units if unit.kind is Kind.UNKNOWN})
    said = f"{len(known)} of {n} ({', '.join(texts) or 'none'})"
    said += f", {missing} without a unit" if missing else ""
    said += f", unknown: {', '.join(unknown)}" if unknown else ""
    return [
        Check("source_id", "It announces a source_id", seen.source_id or "none", "one", bool(seen.source_id)),
        Check(
            "labels",
            "Every channel has a label of its own",
            f"{len(named)} of {n}" + (f", {twice} twice" if twice else ""),
            f"{n} of {n}",
            len(named) == n and not twice,
        ),
        Check("units", "Every channel announces a unit that is known", said, f"{n} of {n}", len(known) == n),
    ]


# ------------------------------------------------------------------------------------------------ sent
def _sent(heard: Reception, offsets: list[lsl.ClockOffset]) -> list[Check]:
    """Checks of what was received."""
    fs, jitter, allowed_jitter = heard.measured_fs, heard.jitter, allowed_jitter_s(heard.fs)
    checks = [
        Check(
            "rate",
            "The rate is the announced one",
            f"{fs:.2f} Hz",
            f"{heard.fs:g} Hz ± {RATE_SHARE:.0%}",
            abs(fs - heard.fs) <= RATE_SHARE * heard.fs,
        ),
        Check(
            "jitter",
            "The stamps keep to the rate",
            f"median {jitter.median_s * 1000:.2f} ms, 95 % within {jitter.p95_s * 1000:.2f} ms, "
            f"largest {jitter.max_s * 1000:.2f} ms",
            f"95 % within {allowed_jitter * 1000:g} ms",
            jitter.n > 0 and jitter.p95_s <= allowed_jitter,
        ),
        Check(
            "stamps",
            "Stamps are finite, rise, and do not jump",
            "; ".join(heard.faults) or "no fault",
            "no fault",
            not heard.faults,
        ),
        Check(
            "loss",
            "Nothing is lost",
            f"{heard.n_lost} of {heard.n + heard.n_lost} samples, {len(heard.gaps_s)} gaps",
            "0 samples, 0 gaps",
            not heard.gaps_s,
        ),
        Check(
            "values",
            "Every value is a finite number",
            f"{heard.n_not_finite} of {heard.n} samples are not",
            "0",
            heard.n_not_finite == 0,
        ),
        clock_check(offsets),
    ]
    return [*checks, _counted(heard.counter)] if heard.counter is not None else checks


def clock_check(offsets: list[lsl.ClockOffset], key: str = "clock", of: str = "") -> Check:
    """Whether the clock offset of a stream is known and steady.

    Parameters
    ----------
    offsets : measured while the test listened.
    key : of the check.
    of : which stream it is, where a test has several; else empty.
    """
    fact, allowed = (
        f"The clock offset{of and f' of the {of}'} is known and steady",
        f"2 or more, both within {OFFSET_S * 1000:g} ms",
    )
    if len(offsets) < 2:
        return Check(key, fact, f"{len(offsets)} measurements", allowed, held=False)
    values = [one.offset for one in offsets]
    wander, spread = max(values) - min(values), float(np.median([one.uncertainty for one in offsets]))
    measured = (
        f"{len(offsets)} measurements, {values[-1] * 1000:+.3f} ms, uncertainty {spread * 1000:.3f} ms, "
        f"wanders by {wander * 1000:.3f} ms"
    )
    return Check(key, fact, measured, allowed, held=wander <= OFFSET_S and spread <= OFFSET_S)


def _counted(steps: CounterSteps) -> Check:
    """Steps of the counter; a step from its highest value back to 0 or 1 is a wrap-around."""
    return Check(
        "counter",
        "The sample counter rises by one",
        f"{steps.odd} of {steps.n} steps are others, {steps.n_lost} samples lost; "
        f"it began again {steps.again} times",
        "0 others",
        steps.odd == 0,
    )
