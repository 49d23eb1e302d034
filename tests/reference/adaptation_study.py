"""What adaptation gives and costs across sessions, on EMG whose gestures come one after the other.

    python -m tests.reference.adaptation_study ../shared/data/emg_myo

A file a gesture, rest and gesture in turn every 5 s: over a session one gesture follows the other, none returns.
A decoder is fitted on the first session of each person and decodes the others, as recorded and with the files cut
into stretches of 10 s that take turns. Figures are the mean over gestures of the share of right windows.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from workbench import decoders

FS, WINDOW_S, HOP_S = 200.0, 0.5, 0.25
STRETCH = round(10 * FS)
RULES = (None, ("recentre", False), ("recentre", True), ("pmean", False), ("pmean", True))


def session(folder):
    """Samples ``(n_times, 8)`` float64 and the label of each, file after file."""
    tables = [np.loadtxt(path, delimiter=",") for path in sorted(folder.glob("*.txt"))]
    return [(table[:, :8], table[:, 8].astype(int)) for table in tables]


def in_turns(files):
    """Stretches of 10 s, one of each file in turn."""
    parts = [[(x[i : i + STRETCH], y[i : i + STRETCH]) for i in range(0, len(x), STRETCH)] for x, y in files]
    longest = max(map(len, parts))
    return [part[i] for i in range(longest) for part in parts if i < len(part)]


def joined(parts):
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def windows(y):
    """Exclusive end and label of each window in which the label does not change."""
    n, hop = round(WINDOW_S * FS), round(HOP_S * FS)
    ends = np.arange(hop * -(-n // hop), len(y) + 1, hop)
    return [(end, y[end - 1]) for end in ends if (y[end - n : end] == y[end - 1]).all()]


def decoder_of(rule, files):
    x, y = joined(files)
    adapt = None if rule is None else {"rule": rule[0], "balanced": rule[1], "bound": 10.0}
    made = decoders.load("tangent_space_lda")(
        FS, bands=((20.0, 95.0),), window_s=WINDOW_S, hop_s=HOP_S, reference="none", adapt=adapt,
        evidence={"rest": "0", "novelty": None},
    ).prepare(8)  # fmt: skip
    stream, summaries, labels = made.signal(), [], []
    seen = 0
    for end, label in windows(y):
        stream.step(x[seen:end])
        seen = end
        window, valid = stream.window(end)
        if valid:
            summaries.append(made.summarise(window))
            labels.append(str(label))
    return made.fit_summaries(np.array(summaries), np.array(labels), blocks=np.arange(len(labels)) // 20)


def accuracy(decoder, files):
    x, y = joined(files)
    stream, hop, right = decoder.start(), round(HOP_S * FS), {}
    wanted = dict(windows(y))
    for end in range(hop, len(x) + 1, hop):
        stream.step(x[end - hop : end])
        answer = stream.evidence(end)
        if end in wanted and answer.valid:
            named = decoder.class_names[int(np.argmax(answer.probabilities))]
            right.setdefault(wanted[end], []).append(named == str(wanted[end]))
    return float(np.mean([np.mean(of_class) for of_class in right.values()]))


def main(folder):
    people = sorted({path.name.split("-")[0] for path in folder.iterdir()})
    for rule in RULES:
        name = "as fitted" if rule is None else f"{rule[0]}, {'in rounds' if rule[1] else 'every window'}"
        blocks, turns = [], []
        for person in people:
            decoder = decoder_of(rule, session(folder / f"{person}-1"))
            for later in (2, 3):
                files = session(folder / f"{person}-{later}")
                blocks.append(accuracy(decoder, files))
                turns.append(accuracy(decoder, in_turns(files)))
        print(f"{name:24s} in blocks {np.mean(blocks):.3f} ({', '.join(f'{b:.2f}' for b in blocks)})  "
              f"in turns {np.mean(turns):.3f} ({', '.join(f'{t:.2f}' for t in turns)})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
