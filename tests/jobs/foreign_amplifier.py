"""An amplifier that shares no code with the workbench: pylsl and NumPy alone, no labels, `microvolts`, 500 Hz.

It hears the cues of a session as a presenter would, and while a grasp is attempted the beta rhythm of its eight
channels goes and their fast activity rises.
"""

import json
import signal
import sys
import time

import numpy as np
import pylsl

RATE, CHANNELS = 500, 8
BLOCK = 25
DELAY_S = 0.25


def announced(name):
    info = pylsl.StreamInfo(name, "ECoG", CHANNELS, RATE, "float32", f"serial-{name}")
    channels = info.desc().append_child("channels")
    for _ in range(CHANNELS):
        channels.append_child("channel").append_child_value("unit", "microvolts")
    return info


class Cues:
    """What the presenter asks for, from the last cue that was heard."""

    def __init__(self):
        self.resolver = pylsl.ContinuousResolver(pred="name='wb-cues'", forget_after=2.0)
        self.inlets, self.since, self.until = {}, 0.0, 0.0

    def listen(self):
        for info in self.resolver.results():
            if info.uid() and info.uid() not in self.inlets:
                self.inlets[info.uid()] = pylsl.StreamInlet(info, recover=False)
        for uid, inlet in list(self.inlets.items()):
            try:
                texts, _ = inlet.pull_chunk(0.0, 64)
            except pylsl.util.LostError:
                # Kept: the resolver still lists an outlet for a while after it is gone.
                self.inlets[uid] = Silent()
                continue
            for (text,) in texts:
                cue = json.loads(text)
                if cue.get("kind") == "cue" and cue.get("label") == "grasp":
                    self.since = cue["stamp"]
                    self.until = cue["stamp"] + cue["duration_s"]

    def attempted(self, stamps):
        return (stamps >= self.since + DELAY_S) & (stamps < self.until + DELAY_S)


class Silent:
    def pull_chunk(self, *_):
        return [], []


class Tissue:
    """Brownian-like background, a 20 Hz rhythm and fast activity of each channel, µV."""

    def __init__(self):
        self.draw = np.random.default_rng(11)
        self.slow = np.zeros(CHANNELS)
        self.phase = self.draw.uniform(0, 2 * np.pi, CHANNELS)
        self.last = np.zeros(CHANNELS)

    def block(self, attempted):
        out = np.empty((len(attempted), CHANNELS))
        for row, moving in enumerate(attempted):
            self.slow = 0.97 * self.slow + self.draw.normal(0.0, 4.0, CHANNELS)
            self.phase += 2 * np.pi * 20.0 / RATE + self.draw.normal(0.0, 0.1, CHANNELS)
            white = self.draw.normal(0.0, 2.0, CHANNELS)
            # The difference of white noise rises with frequency.
            fast, self.last = white - self.last, white
            out[row] = self.slow + (2.0 if moving else 14.0) * np.sin(self.phase) + (4.0 if moving else 1.5) * fast
        return out.astype(np.float32)


def main():
    outlet = pylsl.StreamOutlet(announced(sys.argv[1]), 0, 60)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    cues, tissue = Cues(), Tissue()
    start, sent = pylsl.local_clock(), 0
    while not ended:
        cues.listen()
        while pylsl.local_clock() - start >= (sent + BLOCK) / RATE:
            stamps = start + (sent + np.arange(BLOCK)) / RATE
            outlet.push_chunk(tissue.block(cues.attempted(stamps)), stamps.tolist())
            sent += BLOCK
        time.sleep(0.01)


if __name__ == "__main__":
    main()
