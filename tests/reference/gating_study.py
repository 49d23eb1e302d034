"""A glove that closes where the EEG says so and the muscle agrees: onsets of simulated people, task by task.

    python -m tests.reference.gating_study --seeds 1-3
    python -m tests.reference.gating_study --seeds 1-3 --demo 1 2 4 8

The first calibrates and decodes each person's next run from files. The second runs `workbench demo` at these
speeds: the same through LSL, engine and glove. What comes out is simulated and is evidence of nothing but the
program.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.runs.limb_runs import Person
from workbench import analysis, decoders, paradigms
from workbench.decode import decode
from workbench.recording import RunFile
from workbench.runs.fitting import fit
from workbench.systems import limb_glove, simulate
from workbench.vocabulary import Trial

TRIALS = (40, 15)
SHORT = {"condition": limb_glove.HANDS}
"""Attempts of 3 s, whose onset counts within 1.5 s of the cue: the paradigm's own."""
HEAD = """| task | seed | speed | attempts found | within 1.5 s | false a minute of rest | onset | held out |
|---|---|---|---|---|---|---|---|"""
SOON_S = 1.5
"""Window of the paradigm itself, beside the one that the task counts in."""


def tasks() -> dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Parameters of paradigm and decoder by task, and those with the EEG that has no muscle to keep rest quiet."""
    bound = {name: simulate(limb_glove.SYSTEM, task=name) for name in ("gated", "at_onset")}
    ways = {name: (one.params_of("online"), one.decoder_params) for name, one in bound.items()}
    params = ways["gated"][1]
    alone = params | {"members": params["members"] | {"signal": limb_glove.EEG}}
    return ways | {
        "gated, EEG with a detector": (ways["gated"][0], alone),
        "gated, EEG with a detector, 1.5 s": (SHORT, alone),
    }


def row(task: str, seed: int, speed: str, trials: Iterable[Trial], metrics: Mapping[str, Any], fs: float) -> None:
    """Print a line of the table.

    Parameters
    ----------
    task, seed, speed : of the run. trials : of it. metrics : of the fit. fs : rate in Hz.
    """
    limit = metrics["held_out"]["events"]["onset_limit_s"]
    trials = list(trials)
    found = analysis.event_metrics(trials, onset_window_s=limit, fs=fs)
    # A hit counts in the window in which it was judged; how soon it came stands beside it.
    soon = sum(one.outcome == "correct" and (one.latency_s or 0.0) <= SOON_S for one in trials)
    low, high = found.recall_interval or (0.0, 1.0)
    false_low, false_high = found.false_per_min_interval or (0.0, float("inf"))
    held = metrics["held_out"]["events"]
    onset = f"{found.onset.median:.2f} s" if found.onset else "none"
    print(
        f"| {task} | {seed} | {speed} | {found.hits}/{found.n} ({low:.2f}–{high:.2f}) "
        f"| {soon}/{found.n} "
        f"| {found.false_in_rest}/{found.rest_s / 60:.1f} min ({false_low:.2f}–{false_high:.2f}) | {onset} "
        f"| {held['hits']}/{held['n']}, {held['false_per_min']:.2f} a minute |",
        flush=True,
    )


def from_files(seed: int, folder: Path) -> None:
    """Rows of one person, each task on a calibration and a run of its own."""
    for task, (params, decoder_params) in tasks().items():
        person, paradigm = Person(seed), paradigms.from_params("grasp_rest", dict(params))
        here = folder / task
        here.mkdir()
        first, second = (
            person.record(here / f"{name}.xdf", paradigm, n, schedule=seed + shift)
            for name, n, shift in zip(("calibration", "online"), TRIALS, (0, 1000), strict=True)
        )
        made = fit(here, [first], "gating", decoder_params)
        decoder, run = decoders.read(Path(made["folder"])), RunFile(second)
        decided = decode(run.items(inputs=decoder.inputs), paradigm, decoder, fs=run.signal.fs)
        trials = [one for one in decided if isinstance(one, Trial)]
        row(task, seed, "file", trials, made["metrics"], run.signal.fs)


def demo(task: str, seed: int, speed: float, folder: Path) -> None:
    """The row of one session of the demo."""
    study = folder / f"{task}-{seed}-{speed:g}"
    options = ["--system", "limb_glove", "--task", task, "--seed", str(seed), "--speed", f"{speed:g}"]
    subprocess.run(
        [sys.executable, "-m", "workbench", "demo", *options, "--no-browser", "--study", str(study)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    run = RunFile(sorted((study / "recordings").glob("*.xdf"))[-1])
    fitted = json.loads((study / "decoders" / run.plan["decoder_sha256"][:12] / "fit.json").read_text("utf-8"))
    row(task, seed, f"{speed:g}", run.trials(), fitted["metrics"], run.signal.fs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1-3", help="first and last seed (1-3)")
    parser.add_argument("--demo", type=float, nargs="*", default=[], help="speeds of demos; none: from files")
    parser.add_argument("--tasks", nargs="*", default=["gated", "at_onset"], help="of the demos")
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(int(first), int(last or first) + 1):
            for speed in asked.demo:
                for task in asked.tasks:
                    demo(task, seed, speed, Path(folder))
            if not asked.demo:
                part = Path(folder) / str(seed)
                part.mkdir()
                from_files(seed, part)


if __name__ == "__main__":
    main()
