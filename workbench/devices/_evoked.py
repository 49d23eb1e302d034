"""A simulated person who looks at items that flicker or flash: background EEG and evoked responses.

The response follows the markers of whoever presents: nothing here knows a schedule. Which item a person chooses
freely is drawn by the seed and stays in the person's own ground truth. Parameters are those of the literature and
never of a decoder's score; what comes out is simulated and is never evidence.

References
----------
.. [1] Chen X, Wang Y, Nakanishi M, Gao X, Jung TP, Gao S (2015). High-speed spelling with a noninvasive
   brain-computer interface. PNAS 112(44):E6058-E6067. doi:10.1073/pnas.1508080112
.. [2] Polich J (2007). Updating P300: an integrative theory of P3a and P3b. Clin Neurophysiol
   118(10):2128-2148. doi:10.1016/j.clinph.2007.04.019
.. [3] Krusienski DJ, Sellers EW, McFarland DJ, Vaughan TM, Wolpaw JR (2008). Toward enhanced P300 speller
   performance. J Neurosci Methods 167(1):15-21. doi:10.1016/j.jneumeth.2007.07.017
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from workbench import world
from workbench.devices._participant import REST, Attempt, SimParticipant
from workbench.devices._physiology import EEG, Physiology
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray

_PERSON, _CHOICE, _FLASH = 16, 17, 18
"""Streams of chance beside those of the background."""

FREE = "free"

_SCALP = {
    "Fz": (0, 70), "Cz": (0, 0), "P3": (-60, -70), "Pz": (0, -70), "P4": (60, -70),
    "PO7": (-70, -100), "PO3": (-35, -95), "POz": (0, -95), "PO4": (35, -95), "PO8": (70, -100),
    "O1": (-30, -120), "Oz": (0, -120), "O2": (30, -120),
}  # fmt: skip


ATTENTIVE_ALPHA_UV = 3.0
"""Posterior alpha of open eyes that attend, µV RMS: well below the 8 µV of rest, as visual attention blocks it."""


def _montage(name: str, channels: Sequence[str]) -> Physiology:
    """The scalp of the usual preset under other electrodes, with posterior alpha and no rhythm of the hand."""
    return replace(
        EEG,
        name=name,
        channels=tuple(channels),
        positions_mm=tuple((float(x), float(y)) for x, y in (_SCALP[channel] for channel in channels)),
        mu_uv=0.0,
        beta_uv=0.0,
        alpha_uv=ATTENTIVE_ALPHA_UV,
        alpha_weights=tuple(1.0 if channel.startswith(("P", "O")) else 0.0 for channel in channels),
        patterns=(("none", (0.0,) * len(channels)),),
    )


@dataclass(frozen=True, slots=True)
class SteadyState:
    """A response to flicker.

    Attributes
    ----------
    background : montage and background; amplitudes are shares of its RMS.
    share : mean and standard deviation of the logarithm of the first harmonic's amplitude over the background.
    harmonics : of the response, as shares of the first.
    latency_s : from light to response, s. tau_s : time constant of its rise and fall, s.
    weights : of each channel.
    """

    background: Physiology
    share: tuple[float, float] = (math.log(0.3), 0.35)
    harmonics: tuple[float, ...] = (1.0, 0.6, 0.35)
    latency_s: float = 0.14
    tau_s: float = 0.05
    weights: tuple[float, ...] = (0.35, 0.5, 0.6, 0.8, 0.6, 0.5, 0.85, 1.0, 0.85)


@dataclass(frozen=True, slots=True)
class FlashResponse:
    """A response to flashes.

    Attributes
    ----------
    background : montage and background.
    p300_uv : range of its amplitude at the largest channel, µV. p300_s : its latency, and the standard deviation
        of that from flash to flash, s. p300_width_s : standard deviation of its course, s.
    p300_weights : of each channel.
    visual : each component that every flash evokes, attended or not: amplitude in µV, latency and width in s.
    visual_weights : of each channel.
    """

    background: Physiology
    p300_uv: tuple[float, float] = (5.0, 8.0)
    p300_s: tuple[float, float] = (0.35, 0.04)
    p300_width_s: float = 0.06
    p300_weights: tuple[float, ...] = (0.5, 0.85, 0.8, 1.0, 0.8, 0.4, 0.4, 0.4)
    visual: tuple[tuple[float, float, float], ...] = ((1.0, 0.10, 0.015), (-2.0, 0.17, 0.02))
    visual_weights: tuple[float, ...] = (0.0, 0.1, 0.3, 0.3, 0.3, 1.0, 1.0, 0.9)


SSVEP = SteadyState(_montage("ssvep", ("Pz", "PO7", "PO3", "POz", "PO4", "PO8", "O1", "Oz", "O2")))
P300 = FlashResponse(_montage("p300", ("Fz", "Cz", "P3", "Pz", "P4", "PO7", "PO8", "Oz")))
RESPONSES: Mapping[str, SteadyState | FlashResponse] = {"ssvep": SSVEP, "p300": P300}

REASONS = {
    "share": "median 0.3 of the background; the spread gives some people hardly any response",
    "harmonics": "a non-linear system: the second and third harmonic are smaller, 0.6 and 0.35",
    "latency_s": "0.14 s from the retina to the response [1]",
    "tau_s": "the response follows the light within some periods",
    "weights": "occipital, largest at Oz [1]",
    "p300_uv": "5 to 8 µV; largest at Pz [2]",
    "p300_s": "about 350 ms in a speller, varying by some 40 ms from flash to flash [2]",
    "p300_width_s": "a wave of about a quarter of a second [2]",
    "p300_weights": "centroparietal [2] under the eight electrodes that serve a speller best [3]",
    "visual": "P1 and N1 of any flash, small and lateral-occipital",
    "visual_weights": "PO7, PO8 and Oz, which see the flash itself [3]",
}
"""Why each parameter has the value it has."""


def sha256_of(response: SteadyState | FlashResponse) -> str:
    """Hash of every parameter, over canonical JSON."""
    text = json.dumps(asdict(response), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Observer:
    """Generates the EEG of one person who looks at one of several items, block by block.

    Parameters
    ----------
    seed : 0 or above.
    preset : ``"ssvep"`` or ``"p300"``.
    shows : what the screen shows: ``items`` (names) with, for flicker, ``frequencies_hz`` and ``phases``
        (multiples of π), or, for flashes, ``groups`` (the items of each numbered flash).

    Attributes
    ----------
    physiology : the background's. n_seen : samples generated so far. attempts : ground truth so far, in order.
    strength : this person's amplitude, µV.

    Raises
    ------
    BadValue
        For a preset that does not exist, or a screen that does not go with it.
    """

    def __init__(self, seed: int, *, preset: str, shows: Mapping[str, Any]) -> None:
        if preset not in RESPONSES:
            raise BadValue(Message("evoked.preset", name=repr(preset), known=list(RESPONSES)))
        response = RESPONSES[preset]
        flickers = isinstance(response, SteadyState)
        needed = ("items", "frequencies_hz", "phases") if flickers else ("items", "groups")
        if missing := [name for name in needed if not shows.get(name)]:
            raise BadValue(
                Message("evoked.screen", name=str(preset), needed=list(needed), missing=str(missing[0]))
            )
        self._response, self._shows, self._seed = response, dict(shows), seed
        self._items = [str(item) for item in shows["items"]]
        self._background = SimParticipant(seed, physiology=response.background)
        self.physiology = response.background
        self.attempts: list[Attempt] = []
        draw = world.chance.generator([seed, _PERSON])
        if isinstance(response, SteadyState):
            self.strength = response.background.background_uv * math.exp(float(draw.normal(*response.share)))
        else:
            self.strength = float(draw.uniform(*response.p300_uv))
        self._turns = draw.uniform(0.0, 2.0 * math.pi, 8)
        self._flashes: list[tuple[float, int, bool]] = []
        self._n_flashes = 0

    @property
    def n_seen(self) -> int:
        """Samples generated so far."""
        return self._background.n_seen

    @property
    def parameters_sha256(self) -> str:
        """Hash of the parameters."""
        return sha256_of(self._response)

    @property
    def drawn(self) -> dict[str, float]:
        """What was drawn for this person."""
        return {"strength_uv": self.strength}

    def prepare(self) -> None:
        """Generate the first noise now, so that the first samples are not late."""
        self._background.prepare()

    def cue(self, at_s: float, label: str, duration_s: float = 0.0) -> None:
        """Take a marker of the presenter.

        Parameters
        ----------
        at_s : when the light changed, s since the first sample.
        label : item that is asked for, ``"free"``, ``"stim:K:on"`` or rest; others change nothing.
        duration_s : of the flicker, s; 0 is until the next marker.
        """
        sample = round(at_s * self.physiology.fs)
        if label in REST or label in self._items or label == FREE:
            self._end(sample)
        if label in self._items or label == FREE:
            item = label if label != FREE else self._chosen()
            stop = round((at_s + duration_s) * self.physiology.fs) if duration_s > 0 else -1
            # Flashes follow their cue for as long as they come; only flicker ends with the light.
            stop = stop if isinstance(self._response, SteadyState) else -1
            self.attempts.append(Attempt(label, item, sample, stop, max(0, self.n_seen - sample)))
        elif label.startswith("stim:") and label.endswith(":on"):
            self._flash(sample, label)

    def _chosen(self) -> str:
        """The item that a person chooses freely: drawn by the number of the choice."""
        draw = world.chance.generator([self._seed, _CHOICE, len(self.attempts)])
        return self._items[int(draw.integers(len(self._items)))]

    def _end(self, sample: int) -> None:
        if self.attempts and (self.attempts[-1].stop < 0 or self.attempts[-1].stop > sample):
            self.attempts[-1] = replace(self.attempts[-1], stop=max(sample, self.attempts[-1].start))

    def _flash(self, sample: int, label: str) -> None:
        """A flash: attended where the item that is meant is one of its group."""
        groups, number = self._shows.get("groups", ()), label.split(":")[1]
        if not number.isdigit() or not 1 <= int(number) <= len(groups):
            return
        open_ = bool(self.attempts) and self.attempts[-1].stop < 0
        meant = self._items.index(self.attempts[-1].pattern) if open_ else -1
        self._flashes.append((float(sample), self._n_flashes, meant in groups[int(number) - 1]))
        self._n_flashes += 1

    def step(self, n: int) -> FloatArray:
        """The next ``n`` samples, ``(n, n_channels)`` float64, µV."""
        first = self.n_seen
        samples = self._background.step(n)
        if n <= 0:
            return samples
        at = np.arange(first, first + n, dtype=np.float64)
        if isinstance(self._response, SteadyState):
            self._add_flicker(self._response, at, samples)
        else:
            self._add_flashes(self._response, at, samples)
        return samples

    def _add_flicker(self, response: SteadyState, at: FloatArray, samples: FloatArray) -> None:
        """Add the response to the item that is looked at, and what is left of the one before."""
        fs = self.physiology.fs
        for attempt in self.attempts[-2:]:
            item = self._items.index(attempt.pattern)
            t = (at - attempt.start) / fs - response.latency_s
            course = np.where(t >= 0, 1.0 - np.exp(-np.maximum(t, 0.0) / response.tau_s), 0.0)
            if attempt.stop >= 0:
                after = (at - attempt.stop) / fs - response.latency_s
                course *= np.exp(-np.maximum(after, 0.0) / response.tau_s)
            angle = 2.0 * math.pi * float(self._shows["frequencies_hz"][item]) * t
            angle += math.pi * float(self._shows["phases"][item])
            wave = np.zeros_like(t)
            for h, share in enumerate(response.harmonics, start=1):
                wave += share * np.sin(h * angle + self._turns[h - 1])
            samples += (self.strength * course * wave)[:, None] * np.array(response.weights)

    def _add_flashes(self, response: FlashResponse, at: FloatArray, samples: FloatArray) -> None:
        """Add what each flash of the last second evokes."""
        fs = self.physiology.fs
        self._flashes = [flash for flash in self._flashes if flash[0] > at[0] - fs]
        for onset, number, attended in self._flashes:
            t = (at - onset) / fs
            for uv, latency, width in response.visual:
                samples += _bell(t, uv, latency, width)[:, None] * np.array(response.visual_weights)
            if attended:
                # Drawn by the number of the flash, so that it does not depend on when its marker arrived.
                latency = float(world.chance.generator([self._seed, _FLASH, number]).normal(*response.p300_s))
                wave = _bell(t, self.strength, latency, response.p300_width_s)
                samples += wave[:, None] * np.array(response.p300_weights)


def _bell(t: FloatArray, uv: float, latency: float, width: float) -> FloatArray:
    """A wave around its latency: µV at each time in s."""
    bell: FloatArray = uv * np.exp(-0.5 * ((t - latency) / width) ** 2)
    return bell
