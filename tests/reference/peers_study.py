"""Algorithms of MetaBCI, MNE and pyRiemann beside ours, decided as live, in one run.

    python -m tests.reference.peers_study DATA [NAME …] > docs/peers.md

``DATA`` holds the folders eegmmidb, p300_bi2012 and ssvep_exo; ``NAME`` is one of them, all by default. What is
not installed is said on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path

from workbench import evaluation

HEAD = """# Algorithms of others beside ours

Do not edit; made by `python -m tests.reference.peers_study DATA {names} > docs/peers.md`. For any data set and
decoder, `workbench evaluate DATASET FOLDER --peers` does the same.

Each algorithm stands in the place of ours: the same causal filters, windows, folds and rule, so it decides at
the same moments on the same numbers, and only the algorithm differs. Several bands are ours with our weights,
summed as MetaBCI sums them, as its own filter banks filter forwards and backwards and cannot run live. *stream*
is a continuous run through the paradigm's rule, decided by what all other runs trained; *run* and *blocks* are
one decision an epoch. Intervals are 95 %. The lights of ssvep_exo are not locked to the cue, as templates (all
but cca and fbcca) assume. An algorithm that is not installed has no row.

| recordings | participant | split | algorithm | result | 95 % interval | windows |
|---|---|---|---|---|---|---|"""

FOOT = """## Rows in which another is better

By its result alone: the intervals of each pair overlap where the table says so.

"""

MOTOR = ("csp_lda", "fbcsp", "riemann_mdm", "tangent_space_lda", "fgmdm")
TEMPLATES = ("ecca", "mset_cca", "trca", "etrca", "tdca")


def installed(name):
    """None for ours, and the peers beside it that are there."""
    for peer in evaluation.PEERS[name]:
        if not peer.installed:
            print(f"{peer.name} is left out: it is not installed", file=sys.stderr)
    return [None, *(peer for peer in evaluation.PEERS[name] if peer.installed)]


ROWS = []
"""Source, algorithm of ours, algorithm of the row, and share that was right or area, of each row so far."""


def row(judged, split, result, interval, windows="", *, ours, value):
    low, high = interval
    source = f"{judged.dataset} | {judged.participant} | {split}"
    print(f"| {source} | {judged.decoder} | {result} | {low:.3f}–{high:.3f} | {windows} |", flush=True)
    ROWS.append((source, ours, judged.decoder, value))


def better(rows):
    """In words, each row in which an algorithm of others is better than ours beside it."""
    of_ours = {(source, name): value for source, ours, name, value in rows if name == ours}
    lines = [
        f"- {source.replace(' | ', ', ')}: {name} {value:.3f}, {ours} {of_ours[source, ours]:.3f}"
        for source, ours, name, value in rows
        if value > of_ours[source, ours]
    ]
    return lines or ["- none"]


def epochs(dataset, folder, names, **params):
    for one in dataset.read(folder):
        for name in names:
            for peer in installed(name):
                judged = evaluation.judge(dataset, one, decoder=name, params=params, peer=peer)
                if judged.area is None:
                    result, value = f"{judged.correct}/{judged.n}", judged.correct / judged.n
                    row(judged, judged.split, result, judged.interval, ours=name, value=value)
                else:
                    value = round(judged.area.value, 3)
                    row(judged, judged.split, f"AUC {value:.3f}", judged.area.interval, ours=name, value=value)


def streams(dataset, folder, names):
    for one in dataset.read_runs(folder):
        for name in names:
            for peer in installed(name):
                judged = evaluation.judge_stream(dataset, one, decoder=name, peer=peer)
                n, windows = len(judged.judged), f"{judged.window_accuracy:.3f}"
                value = judged.correct / n
                result = f"{judged.correct}/{n}"
                row(judged, "stream", result, judged.interval, windows, ours=name, value=value)


def eegmmidb(folder):
    for kind in ("hands_feet_executed", "hands_feet_imagined", "left_right_executed", "left_right_imagined"):
        streams(evaluation.load(f"eegmmidb_{kind}"), folder, MOTOR)


def p300_bi2012(folder):
    epochs(evaluation.load("p300_bi2012"), folder, ("xdawn_tangent_space",))


def ssvep_exo(folder):
    dataset = evaluation.load("ssvep_exo")
    epochs(dataset, folder, ("cca", "fbcca"))
    # A shorter window: these begin later, by the latency of the response, and the lights end after 5 s.
    epochs(dataset, folder, TEMPLATES, window_s=3.0)


STUDIES = {one.__name__: one for one in (eegmmidb, p300_bi2012, ssvep_exo)}


def main(data, names):
    print(HEAD.format(names=" ".join(names)), flush=True)
    for name in names:
        STUDIES[name](data / name)
    print("\n" + FOOT + "\n".join(better(ROWS)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(STUDIES))
