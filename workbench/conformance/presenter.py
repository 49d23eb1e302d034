"""Conformance of a presenter: when the light changed, by a photodiode, beside the time that its marker states.

The presenter shows a square that changes between black and white with every marker, a photodiode sees the square,
and an amplifier sends what it sees. Each marker is then matched with a change of light, so that a delay, a late or
dropped frame and a change without a marker are measured where the participant looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import reading
from workbench.conformance.certificate import Certificate, Check, made
from workbench.conformance.stream import SETTLE_S, clock_check, find
from workbench.devices import lsl
from workbench.errors import BadValue, StreamFault
from workbench.messages import Message
from workbench.signals.reception import Reception
from workbench.signals.timebase import Timebase
from workbench.vocabulary import FloatArray, StreamSpec

SHORTEST_S, LONGEST_S = 3.0, 600.0
FEWEST = 20
"""Fewest markers on which a presenter is judged."""
DELAY_MS = 10.0
"""How far the median delay may lie from the stated one, ms: a seventh of a period of 15 Hz, as for the error of a
page's clock."""
EARLIEST_S, LATEST_S = -0.05, 0.25
"""Between these a change of light is looked for around its marker, s."""
SAMPLES_A_FRAME = 4
"""A change must be placed well within a frame."""
COUNTED_S = 2.0
"""Frames are compared over no longer time, in which a screen of 59.94 Hz that says 60 Hz stays within an eighth of
a frame, s."""
LEAST_CONTRAST = 10.0
"""Between dark and bright, over the median step from sample to sample."""
DISTURBED = "disturbed:"
"""A marker that begins with it reports what was not shown, and no change of light."""


@dataclass(frozen=True, slots=True)
class ShownMarker:
    """A marker of a presenter: ``stamp`` in s; ``frame`` (number) and ``refresh_hz`` are NaN where not stated."""

    label: str
    stamp: float
    frame: float = np.nan
    refresh_hz: float = np.nan


@dataclass(frozen=True)
class LightFigures:
    """What a photodiode saw of a presenter.

    Attributes
    ----------
    n : markers. refresh_hz : as the presenter states it, NaN where it does not.
    delays_s : ``(n_seen,)`` from marker to light, of each marker whose change of light was seen, s.
    n_missing : markers without a change of light. n_unmarked : changes of light without a marker.
    n_counted, n_miscounted : pairs of neighbouring markers that state their frames, and those between which
        the light shows another number of frames.
    """

    n: int
    refresh_hz: float
    delays_s: FloatArray
    n_missing: int
    n_unmarked: int
    n_counted: int
    n_miscounted: int

    @property
    def median_s(self) -> float:
        """Median delay, s; NaN without any."""
        return float(np.median(self.delays_s)) if len(self.delays_s) else np.nan

    @property
    def p99_s(self) -> float:
        """99th percentile of the distance to the median delay, s; NaN without any."""
        return float(np.percentile(self._apart, 99)) if len(self.delays_s) else np.nan

    def error_ms(self, delay_ms: float) -> float:
        """How far 99 % of the light lies from where marker and stated delay (ms) put it, ms; NaN without any."""
        return float(np.percentile(np.abs(1000 * self.delays_s - delay_ms), 99)) if len(self.delays_s) else np.nan

    @property
    def n_late(self) -> int:
        """Changes of light that lie half a frame or more from the median delay."""
        return int(np.count_nonzero(self._apart * self.refresh_hz >= 0.5))

    @property
    def _apart(self) -> FloatArray:
        apart: FloatArray = np.abs(self.delays_s - self.median_s)
        return apart


def conform_presenter(
    markers: str,
    photodiode: str,
    *,
    channel: str = "",
    seconds: float = 60.0,
    delay_ms: float = 0.0,
    progress: Callable[[float], object] = lambda s: None,
) -> Certificate:
    """Listen to a presenter's markers and to a photodiode before its screen, and judge them.

    Parameters
    ----------
    markers, photodiode : names of the two streams.
    channel : label of the photodiode's channel, ``""`` where its stream has one channel only.
    seconds : how long, s. delay_ms : of the screen, as the protocol of the study states it, ms.
    progress : called with the seconds that have passed.

    Raises
    ------
    BadValue
        For a time that is too short or too long, a delay that is none, and a channel that is not there.
    StreamFault
        When a stream is not there, is there several times, or goes away: nothing was judged.
    """
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise BadValue(f"--seconds must be {SHORTEST_S:g} to {LONGEST_S:g}, got {seconds:g}; 60 is usual")
    if not abs(delay_ms) <= 1000 * LATEST_S:
        raise BadValue(
            f"--delay-ms must be -{1000 * LATEST_S:g} to {1000 * LATEST_S:g}, got {delay_ms:g}; 0 is usual"
        )
    if markers == photodiode:
        raise BadValue(f"markers and photodiode are two streams, got {markers!r} twice; name both")
    found = [find(markers, regular=False), find(photodiode, regular=True)]
    roles = ("markers", "aux")
    specs = [
        StreamSpec(seen.name, seen.type, seen.fs, source_id=seen.source_id, role=role, unit_waived="a photodiode")
        for seen, role in zip(found, roles, strict=True)
    ]
    inlets = list(lsl.resolve(specs, timeout=5.0).values())
    try:
        column = _column(inlets[1].seen, channel)
        heard = _Heard(*inlets, column=column)
        heard.listen(seconds, progress)
    finally:
        for inlet in inlets:
            inlet.close()
    figures = match_light(heard.shown(), heard.light(), heard.stamps())
    checks = [*_judged(figures, heard.received, delay_ms=delay_ms), *heard.clocks()]
    about = {
        "photodiode": photodiode,
        "channel": channel or "the only one",
        "host of the markers": found[0].host,
        "heard": f"{seconds:g} s",
        **_about(figures, delay_ms),
    }
    return made("presenter", markers, checks=checks, about=about)


def _about(figures: LightFigures, delay_ms: float) -> dict[str, Any]:
    """What identifies the light that was judged; ``delay_ms`` is what the protocol states, ms."""
    unsaid = "not stated by the presenter: a frame that delays a marker and its light alike is not seen"
    about: dict[str, Any] = {
        "refresh rate": f"{figures.refresh_hz:g} Hz",
        "stated delay": f"{delay_ms:g} ms",
        "frames": "counted by the presenter" if figures.n_counted else unsaid,
    }
    # A number for a program, that a paradigm holds against its own limit; left out where no light was seen.
    if len(figures.delays_s):
        about["error_ms"] = round(figures.error_ms(delay_ms), 3)
    return about


def _column(seen: lsl.StreamSeen, channel: str) -> int:
    """Index of the photodiode's channel."""
    if not channel and seen.n_channels == 1:
        return 0
    if channel not in seen.channels:
        raise BadValue(
            f"--channel must name the photodiode's channel of {seen.name!r}, got {channel!r}; it has "
            f"{', '.join(seen.channels) or f'{seen.n_channels} channels without labels'}"
        )
    return seen.channels.index(channel)


class _Heard:
    """What arrives of both streams."""

    def __init__(self, markers: lsl.Inlet, photodiode: lsl.Inlet, *, column: int) -> None:
        self._markers, self._photodiode, self._column = markers, photodiode, column
        self.received = Reception(photodiode.spec.fs)
        self._base = Timebase(photodiode.spec.fs)
        self._shown: list[ShownMarker] = []
        self._values: list[FloatArray] = [np.empty(0)]
        self._stamps: list[FloatArray] = [np.empty(0)]
        self._offsets: tuple[list[lsl.ClockOffset], list[lsl.ClockOffset]] = ([], [])

    def listen(self, seconds: float, progress: Callable[[float], object]) -> None:
        """Take in both streams for so many seconds."""
        for inlet, offsets in zip((self._markers, self._photodiode), self._offsets, strict=True):
            inlet.clock(offsets.append, every=min(5.0, seconds / 6.0))
        began = lsl.local_clock()
        while (passed := lsl.local_clock() - began) < SETTLE_S + seconds:
            values, stamps = self._photodiode.pull(0.1)
            texts, when = self._markers.pull(0.0)
            # What arrives in the first moments may have been sent before the other stream was heard.
            if passed < SETTLE_S:
                continue
            progress(passed - SETTLE_S)
            self.received.step(values, stamps, local=lsl.local_clock())
            self._values.append(np.asarray(values, dtype=np.float64)[:, self._column])
            self._stamps.append(self._base.step(stamps)[0])
            labels = texts if self._markers.is_text else [str(int(code[0])) for code in texts]
            self._shown += [
                one for text, at in zip(labels, when, strict=True) if (one := read_marker(text, float(at)))
            ]
        if not self.received.n:
            raise StreamFault(
                f"stream {self._photodiode.spec.name!r} was announced and sent nothing for {seconds:g} s; start it"
            )

    def shown(self) -> list[ShownMarker]:
        """Every marker of a change of light, by this computer's clock."""
        offset = _median(self._offsets[0])
        return [ShownMarker(one.label, one.stamp + offset, one.frame, one.refresh_hz) for one in self._shown]

    def light(self) -> FloatArray:
        """What the photodiode saw, ``(n_times,)`` in its own unit."""
        return np.concatenate(self._values)

    def stamps(self) -> FloatArray:
        """When, ``(n_times,)``, s by this computer's clock."""
        stamps: FloatArray = np.concatenate(self._stamps) + _median(self._offsets[1])
        return stamps

    def clocks(self) -> list[Check]:
        """Whether both clock offsets are known and steady."""
        names = (("clock_markers", "markers"), ("clock_light", "photodiode"))
        return [clock_check(offsets, key, of) for offsets, (key, of) in zip(self._offsets, names, strict=True)]


def _median(offsets: Sequence[lsl.ClockOffset]) -> float:
    return float(np.median([one.offset for one in offsets])) if offsets else 0.0


def read_marker(text: str, stamp: float) -> ShownMarker | None:
    """A marker text, plain or JSON, with its stamp in s; None where it stands for no change of light."""
    if not text.startswith("{"):
        return None if text.startswith(DISTURBED) else ShownMarker(text, stamp)
    try:
        content: dict[str, Any] = reading.parse_json(text, Message("file.noun_marker"))
        frame, refresh = (float(content.get(name, np.nan)) for name in ("frame", "refresh_hz"))
    except (BadValue, ValueError, TypeError):
        return ShownMarker(text, stamp)
    label = content.get("label")
    # The engine's own stream has markers for the beginning and the end of a run too.
    if not isinstance(label, str) or label.startswith(DISTURBED):
        return None
    return ShownMarker(label, stamp, frame, refresh)


# ------------------------------------------------------------------------------------------- measuring
def light_changes(light: FloatArray, stamps: FloatArray) -> FloatArray:
    """Times at which the light went from dark to bright or back, s.

    Parameters
    ----------
    light : ``(n_times,)`` float64, in any unit.
    stamps : ``(n_times,)`` float64, s.
    """
    good = np.isfinite(light)
    light, stamps = light[good], stamps[good]
    if len(light) < 2:
        return np.empty(0)
    dark, bright = np.percentile(light, [2.0, 98.0])
    noise = float(np.median(np.abs(np.diff(light))))
    # Noise alone spans six times this between the two percentiles.
    if not bright - dark > LEAST_CONTRAST * noise:
        return np.empty(0)
    level = (light - dark) / (bright - dark)
    # With hysteresis: noise, and a backlight that is dimmed by pulses, cross the middle many times.
    sure = np.flatnonzero((level < 0.3) | (level > 0.7))
    state = level[sure] > 0.5
    turns = np.flatnonzero(state[1:] != state[:-1])
    times = [_crossing(level, stamps, int(sure[i]), int(sure[i + 1])) for i in turns]
    return np.array(times, dtype=np.float64)


def _crossing(level: FloatArray, stamps: FloatArray, before: int, after: int) -> float:
    """When the light last crossed the middle between two samples, s."""
    bright = level[after] > 0.5
    row = after
    while row > before + 1 and (level[row - 1] > 0.5) == bright:
        row -= 1
    low, high = level[row - 1], level[row]
    share = (0.5 - low) / (high - low)
    return float(stamps[row - 1] + share * (stamps[row] - stamps[row - 1]))


def match_light(markers: Sequence[ShownMarker], light: FloatArray, stamps: FloatArray) -> LightFigures:
    """Match each marker with a change of light.

    Parameters
    ----------
    markers : in the order of their stamps.
    light, stamps : ``(n_times,)`` float64, in any unit and in s, by the clock of the markers.
    """
    changes = light_changes(light, stamps)
    begin, end = (stamps[0], stamps[-1]) if len(stamps) else (np.inf, -np.inf)
    # Only markers whose light must have been seen.
    judged = [begin - EARLIEST_S <= one.stamp <= end - LATEST_S for one in markers]
    shown = [one for one, inside in zip(markers, judged, strict=True) if inside]
    at = np.array([one.stamp for one in shown])
    refresh = [one.refresh_hz for one in shown if one.refresh_hz > 0]
    refresh_hz = float(np.median(refresh)) if refresh else np.nan
    frame_s = 1.0 / refresh_hz if refresh else 1.0 / 60.0
    taken = _nearest(at, changes, common=_common_delay(at, changes, frame_s))
    seen = taken >= 0
    free = np.setdiff1d(np.arange(len(changes)), taken)
    # A change at the edges may belong to a marker that is not judged, or that was not heard.
    inside = [i for i in free if len(at) and at[0] <= changes[i] <= at[-1]]
    counted, wrong = _frames(shown, changes, taken, frame_s)
    return LightFigures(
        n=len(shown),
        refresh_hz=refresh_hz,
        delays_s=changes[taken[seen]] - at[seen],
        n_missing=int(np.count_nonzero(~seen)),
        n_unmarked=len(inside),
        n_counted=counted,
        n_miscounted=wrong,
    )


def _common_delay(at: FloatArray, changes: FloatArray, frame_s: float) -> float:
    """The delay at which most markers have a change of light, s; the shortest one of several."""
    apart = [changes[(changes >= t + EARLIEST_S) & (changes <= t + LATEST_S)] - t for t in at]
    every = np.sort(np.concatenate(apart)) if apart else np.empty(0)
    if not len(every):
        return 0.0
    # How many delays lie within half a frame after each of them.
    many = np.searchsorted(every, every + 0.5 * frame_s, side="right") - np.arange(len(every))
    best = np.flatnonzero(many == many.max())
    first = int(best[np.argmin(np.abs(every[best]))])
    return float(np.median(every[first : first + many[first]]))


def _nearest(at: FloatArray, changes: FloatArray, *, common: float) -> NDArray[np.intp]:
    """Index of the change of light of each marker, -1 where it has none; each change belongs to one marker.

    Parameters
    ----------
    at : ``(n,)`` stamps of the markers, s. changes : times of the changes of light, s.
    common : delay of most markers, s.
    """
    taken = np.full(len(at), -1, dtype=np.intp)
    due = at + common
    for i in range(len(at) if len(changes) else 0):
        j = int(np.argmin(np.abs(changes - due[i])))
        # Each the nearest of the other, so that the light of one marker is not taken for that of another.
        if abs(changes[j] - due[i]) <= LATEST_S and int(np.argmin(np.abs(due - changes[j]))) == i:
            taken[i] = j
    return taken


def _frames(
    shown: Sequence[ShownMarker], changes: FloatArray, taken: NDArray[np.intp], frame_s: float
) -> tuple[int, int]:
    """Pairs of neighbouring markers whose frames can be compared with the light, and those that differ."""
    counted = wrong = 0
    for i in range(len(shown) - 1):
        frames = shown[i + 1].frame - shown[i].frame
        if taken[i] < 0 or taken[i + 1] < 0 or not frames * frame_s <= COUNTED_S:
            continue
        counted += 1
        wrong += round((changes[taken[i + 1]] - changes[taken[i]]) / frame_s) != frames
    return counted, wrong


# --------------------------------------------------------------------------------------------- judging
def _judged(figures: LightFigures, received: Reception, *, delay_ms: float) -> list[Check]:
    """Every fact about the light."""
    checks = [*_heard(figures, received), *_matched(figures, delay_ms=delay_ms)]
    if figures.n_counted:
        checks.append(
            Check(
                "frames",
                "The light shows as many frames as the presenter counted",
                f"{figures.n_miscounted} of {figures.n_counted} intervals differ",
                "0",
                figures.n_miscounted == 0,
            )
        )
    return checks


def _heard(figures: LightFigures, received: Reception) -> list[Check]:
    """Whether enough was received to judge."""
    n = figures.n
    return [
        Check("markers", "Enough markers were heard", f"{n}", f"{FEWEST} or more", n >= FEWEST),
        Check(
            "refresh",
            "The presenter states its refresh rate",
            "none" if np.isnan(figures.refresh_hz) else f"{figures.refresh_hz:g} Hz",
            "above 0 Hz",
            figures.refresh_hz > 0,
        ),
        Check(
            "sampled",
            "The photodiode is sampled often enough",
            f"{received.fs:g} Hz",
            f"{SAMPLES_A_FRAME} samples a frame or more",
            received.fs >= SAMPLES_A_FRAME * figures.refresh_hz,
        ),
        Check(
            "loss", "Nothing of the photodiode is lost", f"{len(received.gaps_s)} gaps", "0", not received.gaps_s
        ),
    ]


def _matched(figures: LightFigures, *, delay_ms: float) -> list[Check]:
    """Whether marker and light go together, and how late the light is."""
    n, seen = figures.n, len(figures.delays_s)
    frame_ms = 1000.0 / figures.refresh_hz
    median_ms, p99_ms = 1000 * figures.median_s, 1000 * figures.p99_s
    return [
        Check(
            "shown",
            "Every marker has its change of light",
            f"{figures.n_missing} of {n} have none",
            "0",
            n > 0 and figures.n_missing == 0,
        ),
        Check(
            "marked",
            "Every change of light has its marker",
            f"{figures.n_unmarked} have none",
            "0",
            figures.n_unmarked == 0,
        ),
        Check(
            "delay",
            "The light changes when its marker says so",
            f"median {median_ms:+.2f} ms",
            f"{delay_ms:g} ± {DELAY_MS:g} ms",
            abs(median_ms - delay_ms) <= DELAY_MS,
        ),
        Check(
            "spread",
            "The delay is the same every time",
            f"99 % within {p99_ms:.2f} ms of the median",
            f"half a frame, {0.5 * frame_ms:.2f} ms",
            p99_ms < 0.5 * frame_ms,
        ),
        Check(
            "late",
            "No frame is late or early",
            f"{figures.n_late} of {seen}",
            "0",
            seen > 0 and figures.n_late == 0,
        ),
    ]
