"""How well the loop of ``ecap_closed_loop`` holds the response.

``python -m tests.reference.ecap_figures [SEED ...]`` prints it, of persons 4001 to 4020 unless others are
named, in virtual time: two bouts with the loop closed and two with it open under the system's own postures, as the
stream carries them, without link and ramp. Some two minutes.
"""

from __future__ import annotations

import sys

import numpy as np

from workbench.devices.simulated_spinal_participant import Participant
from workbench.signals.ecap import amplitude_of
from workbench.systems.ecap_closed_loop import (
    BOUT_S,
    CLOSED,
    LOOP,
    OPEN,
    PRESET,
    SAMPLE_UV,
    SWEEP_FS,
    TARGET_UV,
    Held,
    summed,
)  # fmt: skip

CLAIM_UV, SEEDS = 6.0, range(4001, 4021)
BEFORE_S, EVERY_S = 1.0, 8.0


class Flowing:
    """What may flow on each channel, mA, in place of the statuses of a stimulator."""

    flowing_ma: dict[str, float] = {}

    def fields(self) -> dict[str, object]:
        return {"trains": ()}


def bouts_of(seed: int) -> tuple[Held, ...]:
    """Figures of one person."""
    participant = Participant({**PRESET, "person": {**PRESET["person"], "seed": seed}})
    participant._stimulator = flowing = Flowing()
    bouts, first = [], 0

    def until(at_s: float) -> np.ndarray:
        nonlocal first
        rows = participant.samples("ecap", first, round(at_s * 50.0) - first)
        first += len(rows)
        return rows

    for n, kind in enumerate((CLOSED, OPEN, CLOSED, OPEN)):
        at_s = BEFORE_S + n * EVERY_S
        until(at_s)
        participant.cue(at_s, kind, BOUT_S)
        flowing.flowing_ma = {LOOP[kind]: LOOP["most_ma"]}
        rows = until(at_s + BOUT_S)
        flowing.flowing_ma = {}
        rows = rows[rows[:, -1] > 0.0]
        sizes = [amplitude_of(row[:-1], fs=SWEEP_FS, noise=SAMPLE_UV) for row in rows]
        bouts.append((kind, rows[:, -1], np.array(sizes)))
    return summed(bouts, target_uv=TARGET_UV)


def main() -> None:
    seeds = [int(text) for text in sys.argv[1:]] or list(SEEDS)
    found = {seed: bouts_of(seed) for seed in seeds}
    for seed, (closed, opened) in found.items():
        print(
            f"person {seed}: closed {closed.error_uv:.1f} µV, {100 * closed.in_window:.0f} %; "
            f"open {opened.error_uv:.1f} µV, {100 * opened.in_window:.0f} %; at most {closed.most_ma:.1f} mA"
        )
    for number, kind in enumerate((CLOSED, OPEN)):
        errors = [one[number].error_uv for one in found.values()]
        shares = [100 * one[number].in_window for one in found.values()]
        print(
            f"loop {kind}: median error {np.median(errors):.1f} µV ({min(errors):.1f} to {max(errors):.1f}); "
            f"median in the window {np.median(shares):.0f} % ({min(shares):.0f} to {max(shares):.0f})"
        )
    within = sum(one[0].error_uv <= CLAIM_UV for one in found.values())
    print(f"closed at most {CLAIM_UV:g} µV: {within} of {len(found)}")


if __name__ == "__main__":
    main()
