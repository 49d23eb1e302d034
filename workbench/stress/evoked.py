"""Selecting by evoked responses: calibration, fit and online selections of many simulated participants.

Each participant is calibrated and then selects, with dynamic stopping in a closed loop: a screen of exact frames
shows the schedule and ends a choice when its decision comes. Everything goes through
:func:`workbench.decode.decode` at full speed, without LSL. What was decided is decoded again in blocks of another
size and must be the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench import analysis, paradigms, systems
from workbench.analysis import Selections
from workbench.decode import decode
from workbench.devices._evoked import Observer
from workbench.devices.simulated_presenter import Presentation
from workbench.paradigms import Paradigm
from workbench.stress._full_speed import card_figure, cut, fitted, over_participants, seeds_of
from workbench.systems import CardFigure
from workbench.vocabulary import Chunk, Decision, Marker, Trial

SYSTEMS = ("selection_ssvep", "speller_p300")
BLOCK_S, REFRESH_HZ = 0.1, 60.0
"""Length of a block, s; frames a second of the screen."""
AFTER_S = 2.0
"""Signal after the schedule, for the response to its last stimulus, s."""


@dataclass(frozen=True, slots=True)
class EvokedFigures:
    """Figures of one system.

    Attributes
    ----------
    system : its name.
    runs : of each participant.
    lacking : selections that were planned and not made or missed.
    unequal : participants whose run gave other decisions when it was decoded again.
    """

    system: str
    runs: tuple[Selections, ...]
    lacking: int
    unequal: int

    @property
    def passed(self) -> bool:
        """Whether every choice was decided, and every decision decoded again is the same."""
        return self.lacking == self.unequal == 0

    @property
    def card_figure(self) -> CardFigure | None:
        """The figure of the system's card."""
        judged = (run.accuracy for run in self.runs)
        return card_figure("accuracy", [one.correct / one.n for one in judged if one.n], most=1.0)

    def text(self) -> str:
        """The figures in one line."""
        judged = [run.accuracy for run in self.runs]
        right, n = sum(one.correct for one in judged), sum(one.n for one in judged)
        shares = [one.correct / one.n for one in judged if one.n]
        rates = [run.per_min for run in self.runs if run.per_min is not None]
        bits = [run.bits_per_min for run in self.runs if run.bits_per_min is not None]
        return (
            f"{self.system}: {len(self.runs)} simulated participants, {n} selections, {n - right} errors; "
            f"accuracy {over_participants(shares, '.3f', most=1.0)}, "
            f"{over_participants(rates, '.1f')} selections a minute, "
            f"{over_participants(bits, '.1f')} bits a minute (Wolpaw); {self.lacking} choices without a decision, "
            f"{self.unequal} runs decoded again otherwise"
        )


def evoked(
    n: int, seed: int, *, names: Sequence[str] = SYSTEMS, trials: tuple[int, ...] = ()
) -> list[EvokedFigures]:
    """Figures of each system over ``n`` simulated participants.

    Parameters
    ----------
    n : participants. seed : of the first one; the others follow.
    names : systems, each with a paradigm that selects.
    trials : of the calibration and of the online run in place of the usual ones.

    Raises
    ------
    BadValue
        Without a participant.
    """
    seeds = seeds_of(n, seed)
    figures = []
    for name in names:
        runs = [_participant(name, one, trials) for one in seeds]
        figures.append(
            EvokedFigures(
                name,
                tuple(run for run, _, _ in runs),
                lacking=sum(lacking for _, lacking, _ in runs),
                unequal=sum(not equal for _, _, equal in runs),
            )
        )
    return figures


def _participant(name: str, seed: int, trials: tuple[int, ...]) -> tuple[Selections, int, bool]:
    """Selections of one participant, choices that lack one, and whether decoding again gave the same."""
    bound = systems.simulate(systems.load(name), seed=seed, trials=trials)
    player = dict(bound.source.player or {})["options"]
    person = Observer(seed, preset=player["preset"], shows=player["shows"])
    paradigm = paradigms.from_params(bound.paradigm, bound.paradigm_params)
    calibration = _Run(person, paradigm, bound.trials[0], seed=2 * seed)
    list(decode(calibration.source(), paradigm, fs=calibration.fs))
    decoder = fitted(bound, paradigm, calibration.items, fs=calibration.fs)
    online = _Run(person, paradigm, bound.trials[-1], seed=2 * seed + 1)
    made = []
    for item in decode(online.source(), paradigm, decoder, fs=online.fs):
        made.append(item)
        if isinstance(item, Decision) and item.change == "cued":
            online.decided(item)
    results = [item for item in made if isinstance(item, Trial)]
    again = list(decode(cut(online.items), paradigm, decoder, fs=online.fs))
    items = paradigm.choices(paradigm.classes)
    rates = analysis.selections(results, items=len(items), fs=online.fs)
    return rates, bound.trials[-1] - rates.n - rates.undecided, again == made


class _Run:
    """One run on a simulated screen: what was shown and recorded, from sample 0 on."""

    def __init__(self, person: Observer, paradigm: Paradigm, n_trials: int, *, seed: int) -> None:
        self.fs, self.items = person.physiology.fs, list[Chunk | Marker]()
        self._person, self._began, self._seen = person, person.n_seen, 0
        schedule = paradigm.schedule(n_trials, seed=seed)
        self._shown = Presentation([list(cue) for cue in schedule], begins=0.0, refresh_hz=REFRESH_HZ)
        self._last = schedule[-1]

    def decided(self, decision: Decision) -> None:
        """The screen goes on to the next choice."""
        self._shown.end_trial(decision.trial, now=self._seen / self.fs)

    def source(self) -> Iterator[Chunk | Marker]:
        """Markers and samples, block by block."""
        n, end = round(BLOCK_S * self.fs), None
        while end is None or self._seen < end:
            for stamp, marker in self._shown.take((self._seen + n) / self.fs):
                label, detail = marker.pop("label"), marker
                self._person.cue(self._began / self.fs + stamp, label, float(detail["duration_s"]))
                yield self._keep(Marker("cue", self._seen, stamp, label, detail))
                if (label, detail["trial"]) == (self._last.label, self._last.trial):
                    end = round((stamp + AFTER_S) * self.fs)
            samples, at = self._person.step(n), np.arange(self._seen, self._seen + n) / self.fs
            chunk = Chunk(self._seen, samples, at)
            self._seen += n
            yield self._keep(chunk)

    def _keep(self, item: Chunk | Marker) -> Chunk | Marker:
        self.items.append(item)
        return item
