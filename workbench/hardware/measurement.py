"""What streams deliver over some seconds, measured in a separate process, as the search for them is."""

from __future__ import annotations

import json
import math
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from workbench import messages, world
from workbench.devices import lsl
from workbench.errors import StreamFault
from workbench.hardware.process import ask
from workbench.hardware.streams import FoundStream
from workbench.signals.quality import QualityMonitor
from workbench.signals.reception import Reception
from workbench.vocabulary import StreamSpec

SECONDS = 10.0
"""How long streams are listened to, s."""
SETTLE_S = 0.5
"""What arrives within this time was sent before the measurement, s."""
MOST_CODES = 64
"""Different markers that are kept; a stream that sends more carries no codes."""
COUNTERS = ("counter", "cnt", "samplecounter", "samplecount", "packetcounter", "packetcount", "sequence")
"""Labels, in lower case and letters only, of channels that count samples."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one stream delivered.

    Attributes
    ----------
    at : when, UTC.
    seconds : how long it was listened to, s.
    n : samples or markers that came.
    fs : measured rate in Hz, 0 where it has none.
    jitter_s : jitter of 95 % of the stamps, s.
    n_lost, n_gaps : samples that are missing by the stamps, and in how many gaps.
    counter, counter_lost, counter_odd : label of a channel that counts samples, ``""`` for none; samples that it
        skipped, and steps of it that are not one.
    rms : of each channel about its mean, over the window of the live lights, in the unit as sent.
    codes : marker → how often it came.
    """

    at: str
    seconds: float = SECONDS
    n: int = 0
    fs: float = 0.0
    jitter_s: float = 0.0
    n_lost: int = 0
    n_gaps: int = 0
    counter: str = ""
    counter_lost: int = 0
    counter_odd: int = 0
    rms: tuple[float, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The measurement of a JSON mapping."""
        return cls(**{**content, "rms": tuple(content["rms"])})


def measure(
    streams: Sequence[FoundStream], labels: Sequence[Sequence[str]] = (), *, peers: Sequence[str] = (),
    seconds: float = SECONDS,
) -> tuple[Measurement, ...]:  # fmt: skip
    """Listen to streams, all at once.

    Parameters
    ----------
    streams : that were found.
    labels : of the channels of each, where a counter is looked for; by default those that the streams announce.
    peers : names or addresses of acquisition computers.
    seconds : how long, s.

    Returns
    -------
    A measurement for each stream, in order; ``n`` is 0 where nothing came.

    Raises
    ------
    StreamFault
        When a stream is not there any more, or goes away meanwhile.
    """
    named = labels or [one.channels for one in streams]
    lines = [
        {"name": one.name, "type": one.type, "fs": one.fs, "source_id": one.source_id, "labels": list(own)}
        for one, own in zip(streams, named, strict=True)
    ]
    answer = ask(__name__, {"peers": list(peers), "seconds": seconds, "streams": lines}, seconds=seconds)
    if "fault" in answer:
        raise StreamFault(messages.restored(answer)["fault"])
    at = world.clock.now().isoformat(timespec="seconds")
    return tuple(Measurement.of({"at": at, "seconds": seconds, **one}) for one in answer["measured"])


class _Listener:
    """What one stream has delivered so far."""

    def __init__(self, inlet: lsl.Inlet, labels: Sequence[str]) -> None:
        self.inlet, fs, n = inlet, inlet.spec.fs, inlet.seen.n_channels
        places = [place for place, label in enumerate(labels) if counts_samples(label)]
        self._counter = labels[places[0]] if places else ""
        self._regular = fs > 0 and not inlet.is_text
        self._codes: Counter[str] = Counter()
        self._n = 0
        if self._regular:
            self._reception = Reception(fs, counter=places[0] if places else None)
            # Amplitudes are judged when the unit is known, which somebody may still declare.
            self._quality = QualityMonitor(fs, [str(place) for place in range(n)], unit="counts")

    def listen(self, *, counting: bool) -> None:
        """Take what has arrived."""
        values, stamps = self.inlet.pull(0.05)
        if not counting or not len(stamps):
            return
        self._n += len(stamps)
        if self._regular:
            self._reception.step(values, stamps, local=lsl.local_clock())
            self._quality.step(np.asarray(values, dtype=np.float64))
        elif self.inlet.seen.n_channels == 1:
            texts = values if self.inlet.is_text else np.asarray(values)[:, 0].tolist()
            self._codes.update(str(text)[:80] for text in texts)

    def measured(self) -> dict[str, Any]:
        """The fields of a :class:`Measurement`, but for time and duration."""
        if not self._regular:
            return {"n": self._n, "rms": [], "codes": dict(self._codes.most_common(MOST_CODES))}
        heard, steps = self._reception, self._reception.counter
        rms = [one.rms_uv if math.isfinite(one.rms_uv) else 0.0 for one in self._quality.report()]
        return {
            "n": heard.n,
            "fs": round(heard.measured_fs, 4) if math.isfinite(heard.measured_fs) else 0.0,
            "jitter_s": round(heard.jitter.p95_s, 6),
            "n_lost": heard.n_lost,
            "n_gaps": len(heard.gaps_s),
            "counter": self._counter if steps else "",
            "counter_lost": steps.n_lost if steps else 0,
            "counter_odd": steps.odd if steps else 0,
            "rms": [float(f"{value:.6g}") for value in rms],
        }


def counts_samples(label: str) -> bool:
    """Whether the label of a channel says that it counts samples."""
    return "".join(filter(str.isalpha, label)).lower() in COUNTERS


def _listen(request: Mapping[str, Any]) -> dict[str, Any]:
    """Open every stream, listen, and give what was measured."""
    lsl.configure(peers=request["peers"])
    lines = request["streams"]
    specs = [
        StreamSpec(one["name"], one["type"], one["fs"], source_id=one["source_id"], role="aux", unit_waived="-")
        for one in lines
    ]
    try:
        inlets = lsl.resolve(specs, timeout=5.0)
        listeners = [_Listener(inlets[one["name"]], one["labels"]) for one in lines]
        began = lsl.local_clock()
        while (passed := lsl.local_clock() - began) < SETTLE_S + request["seconds"]:
            for listener in listeners:
                listener.listen(counting=passed >= SETTLE_S)
    except StreamFault as fault:
        said: dict[str, Any] = messages.carried({"fault": messages.of(fault)})
        return said
    return {"measured": [listener.measured() for listener in listeners]}


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(_listen(json.loads(sys.stdin.read())))}\n")
    sys.stdout.flush()
    os._exit(0)
