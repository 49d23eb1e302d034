"""A whole run of a speller or a selection on a simulated person, sample by sample."""

from __future__ import annotations

import numpy as np

from workbench import decoders, paradigms
from workbench.devices._evoked import Observer
from workbench.signals.cues import locate_cues
from workbench.vocabulary import Chunk, Marker

FS = 250.0
PRESETS = {"selection": "ssvep", "speller": "p300"}


def person(paradigm, seed=1):
    """Somebody who looks at what this paradigm shows."""
    shows = {
        name: getattr(paradigm, name)
        for name in ("items", "frequencies_hz", "phases", "groups")
        if hasattr(paradigm, name)
    }
    return Observer(seed, preset=PRESETS[paradigm.name], shows=shows)


def run_of(paradigm, who, n_trials, *, seed, extra=()):
    """Chunks and markers of a run that is presented as it was planned; a run begins at sample 0."""
    before, items, seen = who.n_seen, [], 0
    planned = [*paradigm.schedule(n_trials, seed=seed)]
    for cue in planned:
        at = round(cue.at_s * FS)
        if at > seen:
            items.append(Chunk(seen, who.step(at - seen), np.arange(seen, at) / FS))
            seen = at
        detail = {"trial": cue.trial, "duration_s": cue.duration_s}
        items.append(Marker("cue", at, at / FS, cue.label, detail))
        who.cue((before + at) / FS, cue.label, cue.duration_s)
    end = round((planned[-1].at_s + planned[-1].duration_s) * FS)
    items.append(Chunk(seen, who.step(end - seen), np.arange(seen, end) / FS))
    return items


def fitted(paradigm, items, decoder, **params):
    """A decoder fitted on a run."""
    made = decoders.load(decoder)(FS, window_s=paradigm.window_s, **params)
    cues, _ = locate_cues(items, fs=FS)
    windows = paradigm.training_windows(cues, fs=FS, window_s=paradigm.window_s, hop_s=0.05)
    n_channels = next(item for item in items if isinstance(item, Chunk)).samples.shape[1]
    training = decoders.collect(made, items, windows, n_channels=n_channels)
    return made.fit_summaries(training.summaries, training.labels, blocks=training.blocks)


def load(name, **params):
    """A paradigm by its name."""
    return paradigms.load(name)(**params)
