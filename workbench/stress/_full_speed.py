"""Runs of simulated participants at full speed: a system's decoder is fitted on one, another one is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench import analysis, decoders, paradigms, systems
from workbench.decode import Made, decode
from workbench.decoders import WindowDecoder
from workbench.devices import simulated_participant, simulated_spinal_participant
from workbench.devices.simulated_spinal_participant import STREAMS
from workbench.errors import BadValue
from workbench.paradigms import Paradigm, PlannedCue
from workbench.signals.cues import locate_cues
from workbench.systems import BoundSystem, CardFigure
from workbench.vocabulary import Chunk, FloatArray, Marker, Trial

BLOCK_S = 0.05
"""Length of a block, s."""
OTHER_BLOCK = 7
"""Samples of a block when a run is decoded again."""


def seeds_of(n: int, seed: int) -> range:
    """Seeds of ``n`` participants, of whom the first has ``seed``. Raises BadValue without a participant."""
    if n < 1:
        raise BadValue(f"one participant or more is needed, got {n}")
    return range(seed, seed + n)


@dataclass(frozen=True, slots=True)
class OnlineRun:
    """The online run of a participant who was calibrated before it.

    Attributes
    ----------
    bound, paradigm, decoder : the system, what its task is judged by, and its decoder as it was fitted.
    calibration_s : length of the calibration, s.
    made : what decoding gave, in order.
    equal : whether decoding again in blocks of another size gave the same.
    """

    bound: BoundSystem
    paradigm: Paradigm
    decoder: WindowDecoder
    calibration_s: float
    made: tuple[Made, ...]
    equal: bool

    @property
    def trials(self) -> list[Trial]:
        """Its results."""
        return [item for item in self.made if isinstance(item, Trial)]


def online_run(system: str, *, seed: int, task: str = "", trials: tuple[int, ...] = ()) -> OnlineRun:
    """Calibrate a simulated participant with as many trials as the system plans, and decode the run that follows.

    The signal goes on in the same noise from the one to the other, and nothing flows back to the participant: what
    an effector would do is not felt.

    Parameters
    ----------
    system, task : of which one signal is decoded; ``""`` takes the usual task.
    seed : of the participant.
    trials : of each run in place of the usual ones, the online run last.
    """
    bound = systems.simulate(systems.load(system), task=task, seed=seed, trials=trials)
    paradigm, fs = paradigms.from_params(bound.paradigm, bound.paradigm_params), bound.signal.fs
    # The calibration runs follow one another, and are one stretch of signal here.
    first = paradigm.schedule(sum(bound.trials[:-1]), seed=2 * seed)
    second = paradigm.schedule(bound.trials[-1], seed=2 * seed + 1)
    shift = first[-1].at_s + first[-1].duration_s
    samples = _rendered(bound, [*first, *(cue._replace(at_s=cue.at_s + shift) for cue in second)])
    at = round(shift * fs)
    calibration, online = (list(run_items(*run, fs=fs)) for run in ((samples[:at], first), (samples[at:], second)))
    decoder = fitted(bound, paradigm, calibration, fs=fs)
    made = tuple(decode(iter(online), paradigm, decoder, fs=fs))
    again = tuple(decode(cut(online), paradigm, decoder, fs=fs))
    return OnlineRun(bound, paradigm, decoder, shift, made, again == made)


def _rendered(bound: BoundSystem, cues: Sequence[PlannedCue]) -> FloatArray:
    """The decoded channels of the system's simulated participant under these cues, ``(n_times, n_channels)``."""
    player = dict(bound.source.player or {})
    options, end_s, fs = player["options"], cues[-1].at_s + cues[-1].duration_s, bound.signal.fs
    if player["device"] == "simulated_participant":
        return simulated_participant.render(options["seed"], cues, end_s, physiology=options["preset"])[0]
    participant = simulated_spinal_participant.Participant(options)
    lines = zip(STREAMS, simulated_spinal_participant.specs(options), strict=True)
    (stream,) = (name for name, line in lines if line.role == "signal")
    parts, first = [], 0
    for cue in [*cues, None]:
        n = round((end_s if cue is None else cue.at_s) * fs) - first
        parts.append(participant.samples(stream, first, n))
        first += n
        if cue is not None:
            participant.cue(cue.at_s, cue.label, cue.duration_s)
    return np.concatenate(parts)[:, : len(bound.signal.measured)]


def fitted(bound: BoundSystem, paradigm: Paradigm, items: Sequence[Chunk | Marker], *, fs: float) -> WindowDecoder:
    """The system's decoder, fitted on a calibration.

    Parameters
    ----------
    bound, paradigm : the system, and what its task is judged by.
    items : of the calibration run, from sample 0 on.
    fs : rate of the signal in Hz.
    """
    decoder: WindowDecoder = decoders.load(bound.decoder)(**bound.decoder_params)
    n_channels = len(bound.signal.measured)
    decoder.prepare(n_channels)
    settings = decoder.settings
    cues, n = locate_cues(items, fs=fs)
    named = paradigm.training_windows(cues, fs=fs, window_s=settings.window_s, hop_s=settings.hop_s)
    complete = [window for window in named if window[0] <= n]
    training = decoders.collect(decoder, items, complete, n_channels=n_channels)
    return decoder.fit_summaries(training.summaries, training.labels, blocks=training.blocks)


def run_items(samples: FloatArray, cues: Sequence[PlannedCue], *, fs: float) -> Iterator[Chunk | Marker]:
    """A run as the loop takes it, each marker before the sample at which it takes effect.

    Parameters
    ----------
    samples : ``(n_times, n_channels)`` float64, µV. cues : its schedule. fs : rate in Hz.
    """
    stamps, block = np.arange(len(samples)) / fs, round(BLOCK_S * fs)
    marks = {
        round(cue.at_s * fs): Marker(
            "cue", round(cue.at_s * fs), cue.at_s, cue.label, {"duration_s": cue.duration_s, "trial": cue.trial}
        )
        for cue in cues
    }
    edges = sorted({*range(0, len(samples), block), len(samples), *marks})
    for start, stop in zip(edges, edges[1:], strict=False):
        if start in marks:
            yield marks[start]
        yield Chunk(start, samples[start:stop], stamps[start:stop])


def cut(items: Iterable[Chunk | Marker]) -> Iterator[Chunk | Marker]:
    """The same items in blocks of :data:`OTHER_BLOCK` samples."""
    for item in items:
        if isinstance(item, Marker):
            yield item
            continue
        for at in range(0, len(item.stamps), OTHER_BLOCK):
            rows = slice(at, at + OTHER_BLOCK)
            yield Chunk(item.first + at, item.samples[rows], item.stamps[rows])


def mean_over(
    values: Sequence[float], *, most: float = float("inf")
) -> tuple[float | None, float | None, float | None]:
    """Mean over participants with Student's interval, each None where there is none.

    Parameters
    ----------
    values : one of each participant.
    most : greatest value that there is, which the interval does not pass.
    """
    column: FloatArray = np.array(values, dtype=np.float64)[:, None]
    course = analysis.mean_course(column, least=0.0, most=most)
    return course.mean[0], course.low[0], course.high[0]


def card_figure(
    measure: str, values: Sequence[float], *, unit: str = "", most: float = float("inf")
) -> CardFigure | None:
    """The figure of a system's card: the mean over participants, with its interval; None without a value.

    Parameters
    ----------
    measure, unit : as of :class:`~workbench.systems.CardFigure`.
    values, most : as of :func:`mean_over`.
    """
    mean, low, high = mean_over(values, most=most)
    return None if mean is None else CardFigure(measure, mean, low, high, len(values), unit)


def over_participants(values: Sequence[float], digits: str, *, most: float = float("inf")) -> str:
    """Mean over participants with Student's interval, in words; ``"none"`` without a value.

    Parameters
    ----------
    values, most : as of :func:`mean_over`.
    digits : format of a number, such as ``".2f"``.
    """
    mean, low, high = mean_over(values, most=most)
    if mean is None:
        return "none"
    between = "" if low is None or high is None else f" (95 % CI {low:{digits}}–{high:{digits}} over participants)"
    return f"{mean:{digits}}{between}"
