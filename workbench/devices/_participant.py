"""The simulated participant as pure functions: seed and cues in, samples and intent out.

Everything is a function of the seed, the cues and the sample index, never of the block in which a sample
was generated. Noise comes in overlapping frames, each seeded by (seed, component, frame), so that any
stretch can be generated without those before it. Bits are the same for one machine and NumPy version; a study
keeps the recording, not the seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workbench import world
from workbench.devices._physiology import DIRECTIONS, Physiology, preset
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray

REST = ("rest", "")
BRAKES = 0.3
"""Share of the way from the centre to a target that is left when a participant who sees the cursor slows down."""

_BACKGROUND, _MU, _BETA, _GAMMA, _ALPHA, _AMPLIFIER, _PERSON, _REACTION, _SLOW = range(9)
SLOW_SPREAD = 0.3
"""Spread of the size of slow potentials from movement to movement, as a share."""
SLOW_FALL_S = 0.5
"""After the movement has begun, its slow potential is gone within this, s."""

FIRST_SEGMENTS, MOST_SEGMENTS = 4, 16
"""Segments from the beginning that a process keeps for the next time that a person begins, and of all persons."""
_BEGINNINGS: dict[tuple[int, Physiology, int], list[FloatArray]] = {}


@dataclass(slots=True)
class _Kept:
    """How many segments are kept now, of a person and of all."""

    first: int = FIRST_SEGMENTS
    most: int = MOST_SEGMENTS


_kept = _Kept()


def keep_beginnings(segments: int) -> None:
    """Keep so many segments from the beginning of a person, at least the usual ones; no bit of any changes.

    For a process in which one person begins again and again. A segment of the neo preset is 2 s and 0.5 MB.
    """
    _kept.first = max(FIRST_SEGMENTS, segments)
    _kept.most = max(MOST_SEGMENTS, segments)


class PlannedLike(Protocol):
    """A cue of a schedule: onset in s since the first sample, condition, length in s."""

    @property
    def at_s(self) -> float: ...
    @property
    def label(self) -> str: ...
    @property
    def duration_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """Ground truth of one attempt.

    Attributes
    ----------
    label, pattern : what was cued, and the intent it stands for.
    start, stop : samples at which the intent begins and ends; ``stop`` is -1 while the end is not known.
    late : samples by which the start was put off because the cue came after its time.
    """

    label: str
    pattern: str
    start: int
    stop: int
    late: int = 0


class SimParticipant:
    """Generates the signal of one person, block by block.

    Attributes
    ----------
    physiology : the frozen parameters.
    erd, gamma_gain : this person's values, drawn from the ranges.
    n_seen : samples generated so far.
    attempts : ground truth so far, in order.
    """

    def __init__(
        self,
        seed: int,
        *,
        physiology: Physiology | str = "neo",
        conditions: Mapping[str, str] | None = None,
        efforts: Mapping[str, float] | None = None,
    ) -> None:
        """Draw the person.

        Parameters
        ----------
        seed : 0 or above.
        physiology : a preset's name, or a table.
        conditions : condition → pattern, for conditions that are not named like a pattern. With a preset
            that has one pattern, every condition but rest means it.
        efforts : condition → share of a full effort 0–1, for conditions that ask for less; the signal follows.

        Raises
        ------
        BadValue
            For a negative seed, a pattern that the preset does not have, or an effort outside 0–1.
        """
        if seed < 0:
            raise BadValue(Message("simulated.seed", got=seed))
        p = preset(physiology) if isinstance(physiology, str) else physiology
        names = [name for name, _ in p.patterns]
        for label, pattern in (conditions or {}).items():
            if pattern not in names:
                raise BadValue(
                    Message(
                        "simulated.pattern",
                        condition=repr(label),
                        allowed=" or ".join(names),
                        got=repr(pattern),
                    )
                )
        for label, effort in (efforts or {}).items():
            if not 0 <= effort <= 1:
                raise BadValue(Message("simulated.effort", condition=repr(label), got=repr(effort)))
        self.physiology = p
        self.n_seen = 0
        self.attempts: list[Attempt] = []
        draw = world.chance.generator([seed, _PERSON])
        self.erd = float(draw.uniform(*p.erd))
        self.gamma_gain = float(draw.uniform(*p.gamma_gain))
        self._seed = seed
        self._conditions = dict(conditions or {})
        self._efforts = dict(efforts or {})
        self._noise = _Noise(seed, p)
        self._weights = np.array([weights for _, weights in p.patterns])
        self._names = names
        self._g = [0.0] * len(names)
        self._rise = 1.0 - math.exp(-1.0 / (p.tau_s * p.fs))
        self._bump = _bump(p)
        self._pending_stop = 0.0
        self._n_over = 0
        self._aim: tuple[float, ...] | None = None

    @property
    def parameters_sha256(self) -> str:
        """Hash of the parameters."""
        return self.physiology.sha256()

    @property
    def drawn(self) -> dict[str, float]:
        """What was drawn for this person."""
        return {"erd": self.erd, "gamma_gain": self.gamma_gain}

    def prepare(self) -> None:
        """Generate the first noise now, so that the first samples are not late."""
        self._noise.prepare()

    def pattern(self, label: str) -> str:
        """The intent a condition stands for, ``""`` for rest and for a condition it does not know."""
        if label in REST:
            return ""
        intent = self._conditions.get(label, label if label in self._names else "")
        return intent or (self._names[0] if len(self._names) == 1 else "")

    def cue(self, at_s: float, label: str, duration_s: float = 0.0) -> Attempt | None:
        """Take a cue.

        The intent begins a reaction time later. A cue that comes too late for that begins at the next
        sample, which is noted in the attempt. Rest ends an open attempt. Returns the attempt it began.

        Parameters
        ----------
        at_s : onset of the cue, s since the first sample.
        label : what is cued.
        duration_s : how long it lasts, s; 0 is open.
        """
        self._end_open(at_s)
        # Whatever was seen of the cursor belonged to the cue before.
        self._aim = None
        name = self.pattern(label)
        if not name:
            return None
        p, fs = self.physiology, self.physiology.fs
        # Drawn by the number of the attempt, so that reaction times do not depend on when cues arrive.
        draw = world.chance.generator([self._seed, _REACTION, len(self.attempts)])
        begin, self._pending_stop = _reaction(draw, p.start_s), _reaction(draw, p.stop_s)
        planned = round((at_s + begin) * fs)
        start = max(planned, self.n_seen)
        stop = max(round((at_s + duration_s + self._pending_stop) * fs), start) if duration_s > 0 else -1
        self.attempts.append(Attempt(label, name, start, stop, start - planned))
        return self.attempts[-1]

    def _end_open(self, at_s: float) -> None:
        """A new cue ends an attempt that has no end or would outlast it by more than a sample."""
        if not self.attempts:
            return
        last = self.attempts[-1]
        stop = max(round((at_s + self._pending_stop) * self.physiology.fs), self.n_seen, last.start)
        if last.stop < 0 or stop < last.stop - 1:
            self.attempts[-1] = Attempt(last.label, last.pattern, last.start, stop, last.late)

    def see(self, position: Sequence[float]) -> None:
        """See the cursor; from the next sample on, an attempt at a direction means the way from there to it.

        Parameters
        ----------
        position : two values, in distances from the centre to a target. At the target nothing is meant.
        """
        if not self.attempts or self.attempts[-1].pattern not in DIRECTIONS:
            return
        goal = DIRECTIONS[self.attempts[-1].pattern]
        way = [there - here for there, here in zip(goal, position, strict=True)]
        length = math.hypot(*way)
        # One speed until the cursor is near, then slower: a person brakes before the target.
        speed = min(1.0, length / BRAKES) / max(length, 1e-9)
        directions = [DIRECTIONS.get(name, (0.0, 0.0)) for name in self._names]
        self._aim = tuple(max(0.0, speed * (way[0] * x + way[1] * y)) for x, y in directions)

    def step(self, n: int) -> FloatArray:
        """The next ``n`` samples, ``(n, n_channels)`` float64, µV."""
        if n <= 0:
            return np.zeros((0, len(self.physiology.channels)))
        first = self.n_seen
        drive, rebound = self._drive(first, n)
        level = np.minimum(_spread(drive, self._weights), 1.0)
        # ERD is a fraction of band power, the gains multiply amplitudes: hence the square roots.
        quiet = 1.0 - self.erd * level
        mu = np.sqrt(quiet)
        beta = np.sqrt(quiet * (1.0 + self.physiology.rebound * _spread(rebound, self._weights)))
        gamma = 1.0 + self.gamma_gain * level
        self.n_seen = first + n
        samples = self._noise.render(first, n, (mu, beta, gamma))
        return samples + self._slow(first, n) if self.physiology.slow_uv else samples

    def intent(self, first: int, n: int) -> FloatArray:
        """Ground truth ``(n,)``: 0 at rest, else 1 + index of the pattern, from sample ``first``."""
        truth = np.zeros(n)
        for attempt in self.attempts:
            truth[_rows(attempt, first, n)] = 1 + self._names.index(attempt.pattern)
        return truth

    def _meant(self, attempts: Sequence[Attempt], first: int, n: int) -> tuple[FloatArray, FloatArray]:
        """The intent by these attempts, and the share of a full effort that each asks for, ``(n,)`` each."""
        truth, effort = np.zeros(n), np.ones(n)
        for attempt in attempts:
            rows = _rows(attempt, first, n)
            truth[rows] = 1 + self._names.index(attempt.pattern)
            effort[rows] = self._efforts.get(attempt.label, 1.0)
        return truth, effort

    def _recent(self, first: int) -> list[Attempt]:
        """The attempts that may still count from sample ``first`` on; those before them are over for good."""
        while self._n_over < len(self.attempts):
            stop = self.attempts[self._n_over].stop
            if stop < 0 or stop + len(self._bump) > first:
                break
            self._n_over += 1
        return self.attempts[self._n_over :]

    def _slow(self, first: int, n: int) -> FloatArray:
        """Slow potentials ``(n, n_channels)``, µV: they grow until each movement begins, then fall."""
        p, slow = self.physiology, np.zeros((n, len(self.physiology.channels)))
        for index, attempt in enumerate(self.attempts):
            t = (np.arange(first, first + n) - attempt.start) / p.fs
            # Slowly at first: the early part of the potential is flat, its late part steep.
            course = np.where(
                t <= 0, np.clip(1.0 + t / p.slow_s, 0.0, 1.0) ** 2, np.clip(1.0 - t / SLOW_FALL_S, 0, 1)
            )
            size = 1.0 + SLOW_SPREAD * float(world.chance.generator([self._seed, _SLOW, index]).standard_normal())
            slow -= p.slow_uv * size * course[:, None] * self._weights[self._names.index(attempt.pattern)]
        return slow

    def _drive(self, first: int, n: int) -> tuple[FloatArray, FloatArray]:
        """Causal envelope and beta rebound of every pattern, ``(n, n_patterns)`` each."""
        attempts = self._recent(first)
        truth, effort = self._meant(attempts, first, n)
        drive = np.zeros((n, len(self._names)))
        rebound = np.zeros((n, len(self._names)))
        # Sample by sample with the state carried over: a recursive filter gives the same bits for any block.
        for k in range(len(self._names)):
            g, rise = self._g[k], self._rise
            envelope = []
            meant = (truth == k + 1) if self._aim is None else (truth > 0) * self._aim[k]
            for active in (meant * effort).tolist():
                g += rise * (active - g)
                envelope.append(g)
            drive[:, k] = envelope
            self._g[k] = g
        for attempt in attempts:
            age = first - attempt.stop
            if attempt.stop >= 0 and -n < age < len(self._bump):
                low, high = max(-age, 0), min(n, len(self._bump) - age)
                k = self._names.index(attempt.pattern)
                rebound[low:high, k] = self._bump[age + low : age + high]
        return drive, rebound


def render(
    seed: int,
    cues: Iterable[PlannedLike],
    duration_s: float,
    *,
    physiology: Physiology | str = "neo",
    conditions: Mapping[str, str] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """A whole recording at once, the same bits as the player publishes for these cues.

    Parameters
    ----------
    seed : of the person and of the noise.
    cues : schedule with ``at_s`` (s since the first sample), ``label``, ``duration_s``.
    duration_s : length in s.
    physiology, conditions : as for :class:`SimParticipant`.

    Returns
    -------
    samples : ``(n_times, n_channels)`` float64, µV.
    intent : ``(n_times,)`` float64, 0 at rest, else 1 + index of the pattern.
    """
    person = SimParticipant(seed, physiology=physiology, conditions=conditions)
    for cue in sorted(cues, key=lambda c: c.at_s):
        person.cue(cue.at_s, cue.label, cue.duration_s)
    n = round(duration_s * person.physiology.fs)
    intent = person.intent(0, n)
    return person.step(n), intent


def _rows(attempt: Attempt, first: int, n: int) -> slice:
    """Which of ``n`` samples from ``first`` on lie in an attempt."""
    stop = attempt.stop if attempt.stop >= 0 else first + n
    return slice(max(attempt.start - first, 0), max(min(stop - first, n), 0))


def _reaction(draw: np.random.Generator, table: Sequence[float]) -> float:
    """One reaction time in s: normal, clipped to the least and the greatest."""
    mean, sd, least, greatest = table
    return min(max(float(draw.normal(mean, sd)), least), greatest)


def _bump(p: Physiology) -> FloatArray:
    """Course of the beta rebound over the samples after a stop, 0–1."""
    begin, end = (round(t * p.fs) for t in p.rebound_s)
    course = np.zeros(end)
    course[begin:] = np.sin(np.pi * (np.arange(end - begin) + 0.5) / (end - begin)) ** 2
    return course


def _spread(courses: FloatArray, weights: FloatArray) -> FloatArray:
    """``(n, n_patterns)`` × ``(n_patterns, n_sources)``, summed in a fixed order (a matrix product has none)."""
    total = np.zeros((len(courses), weights.shape[1]))
    for k in range(weights.shape[0]):
        total += courses[:, k : k + 1] * weights[k]
    return total


class _Noise:
    """Seeded noise of every source by sample index, and its mixing to the channels."""

    def __init__(self, seed: int, p: Physiology) -> None:
        self._seed, self._p = seed, p
        self._length = 2 ** math.ceil(math.log2(4.0 * p.fs))
        self._half = self._length // 2
        # sin² + cos² = 1: two half-overlapping frames of independent noise keep their power when added.
        self._window = np.sin(np.pi * (np.arange(self._length) + 0.5) / self._length)[:, None]
        self._shapes = _shapes(p, np.arange(self._length // 2 + 1) * (p.fs / self._length))
        place = np.array(p.positions_mm)
        distance = np.sqrt(((place[:, None, :] - place[None, :, :]) ** 2).sum(axis=2))
        self._mixing = _mixing(distance, p.mixing_mm)
        self._rhythm_mixing = _mixing(distance, p.rhythm_mixing_mm)
        self._rhythms_spread = p.rhythm_mixing_mm != 0.0
        self._alpha = np.array(p.alpha_weights)
        self._frames: dict[int, list[FloatArray]] = {}
        self._segments: dict[int, list[FloatArray]] = {}

    def prepare(self) -> None:
        """Make the noise of the first frame."""
        self._segment(0)

    def render(self, first: int, n: int, gains: tuple[FloatArray, FloatArray, FloatArray]) -> FloatArray:
        """``(n, n_channels)`` µV: fixed part plus mu, beta and gamma sources times their gains, mixed."""
        out = np.empty((n, len(self._p.channels)))
        at = 0
        while at < n:
            segment, offset = divmod(first + at, self._half)
            take = min(self._half - offset, n - at)
            fixed, *sources = self._segment(segment)
            rows = slice(offset, offset + take)
            active = sources[0][rows] * gains[0][at : at + take]
            active += sources[1][rows] * gains[1][at : at + take]
            active += sources[2][rows] * gains[2][at : at + take]
            if self._rhythms_spread:
                active = _mix(active, self._rhythm_mixing)
            else:
                # As a sum by no distance gives it: a nought has no sign.
                active += 0.0
            out[at : at + take] = fixed[rows] + active
            at += take
        return out

    def _segment(self, index: int) -> list[FloatArray]:
        """Fixed part, mu, beta, gamma over half a frame: the cross-fade of two frames."""
        if index not in self._segments:
            whose = (self._seed, self._p, index)
            made = _BEGINNINGS.get(whose) or self._cross_faded(index)
            if index < _kept.first:
                if len(_BEGINNINGS) >= _kept.most:
                    _BEGINNINGS.clear()
                _BEGINNINGS[whose] = made
            self._segments = {index: made}
        return self._segments[index]

    def _cross_faded(self, index: int) -> list[FloatArray]:
        before, after = self._frame(index - 1), self._frame(index)
        h = self._half
        background, mu, beta, gamma, alpha, amplifier = (b[h:] + a[:h] for b, a in zip(before, after, strict=True))
        fixed = _mix(background + alpha * self._alpha, self._mixing) + amplifier
        self._frames = {index: after}
        return [fixed, mu, beta, gamma]

    def _frame(self, index: int) -> list[FloatArray]:
        """Windowed noise of every component, ``(length, n_sources)`` each; power is kept by the cross-fade."""
        if index not in self._frames:
            self._frames[index] = [self._shaped(component, index) for component in range(_AMPLIFIER + 1)]
        return self._frames[index]

    def _shaped(self, component: int, index: int) -> FloatArray:
        """Gaussian noise with the spectrum of one component."""
        shape = self._shapes[component]
        n = len(self._p.channels)
        draw = world.chance.generator([self._seed, component, index + 1])
        parts = draw.standard_normal((2, len(shape), n))
        # Part by part: complex arithmetic would give the same bits and multiply by noughts.
        spectrum = np.empty(parts.shape[1:], dtype=np.complex128)
        np.multiply(parts[0], shape[:, None], out=spectrum.real)
        np.multiply(parts[1], shape[:, None], out=spectrum.imag)
        noise: FloatArray = np.fft.irfft(spectrum, self._length, axis=0) * self._window
        return noise


def _mixing(distance: FloatArray, length_mm: float) -> FloatArray:
    """``(n_channels, n_sources)`` weights that fall with distance in mm; each channel keeps its power."""
    if length_mm == 0.0:
        return np.eye(len(distance))
    falling = np.exp(-distance / length_mm)
    weights: FloatArray = falling / np.sqrt((falling**2).sum(axis=1, keepdims=True))
    return weights


def _mix(sources: FloatArray, mixing: FloatArray) -> FloatArray:
    """Sum of the sources by distance, in a fixed order so that the block length changes no bit."""
    total = np.zeros_like(sources)
    for s in range(sources.shape[1]):
        total += sources[:, s : s + 1] * mixing[:, s]
    return total


def _shapes(p: Physiology, f: FloatArray) -> list[FloatArray]:
    """Amplitude of each component at each bin, scaled so that the noise has its RMS in µV."""
    sharp = 8.0
    law = (f**2 + p.corner_hz**2) ** (-p.exponent_low / 2)
    law *= (1.0 + (f / p.knee_hz) ** sharp) ** ((p.exponent_low - p.exponent_high) / sharp)
    # Soft edges of 5 Hz: a hard cut in the spectrum would ring in time.
    edge = 5.0
    low, high = p.gamma_hz
    inside = np.clip((f - low) / edge + 0.5, 0, 1) * np.clip((high - f) / edge + 0.5, 0, 1)
    scale = p.background_uv / math.sqrt(float(law[1:-1].sum()))
    alpha = (p.mu_hz[0], 0.5 * p.mu_hz[1])
    powers = [
        (law * (1.0 - inside), scale),
        *(_peak(f, band, uv) for band, uv in ((p.mu_hz, p.mu_uv), (p.beta_hz, p.beta_uv))),
        (law * inside, scale),
        _peak(f, alpha, p.alpha_uv),
        (np.ones_like(f), p.amplifier_uv / math.sqrt(len(f) - 2)),
    ]
    half = len(f) - 1
    shaped = []
    for power, gain in powers:
        # ``irfft`` divides by the frame length, and real and imaginary part each have unit variance.
        amplitude = np.sqrt(power) * gain * half
        # Neither an offset nor the Nyquist bin, whose imaginary part irfft would ignore.
        amplitude[[0, -1]] = 0.0
        shaped.append(amplitude)
    return shaped


def _peak(f: FloatArray, band: tuple[float, float], uv: float) -> tuple[FloatArray, float]:
    """Gaussian power spectrum with its half-power points at centre ± half width, and its scale."""
    centre, half_width = band
    power = np.exp2(-(((f - centre) / half_width) ** 2))
    return power, uv / math.sqrt(float(power[1:-1].sum()))
