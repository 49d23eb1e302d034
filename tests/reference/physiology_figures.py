"""Figures of simulated bodies: ``python -m tests.reference.physiology_figures`` prints those of the documents.

Maps of sixteen contacts of persons 100–119, and the loop on the ECAP of persons 0–9 in three postures. Some 20 s.
"""

from __future__ import annotations

import numpy as np

from workbench.control import EcapLaw, EcapState, next_pulse
from workbench.physiology import ECAP_FS, Body, Input, Person, model_sha256, recruitment_map
from workbench.physiology._dorsal import DorsalColumns
from workbench.signals.ecap import ecap, without_exponentials

TARGET_UV, PER_POSTURE = 50.0, 300


def error_uv(seed: int, *, closed: bool, n: int = PER_POSTURE) -> float:
    """Mean distance of the response from the target over ``n`` pulses in each posture, µV."""
    person = Person(seed=seed)
    body, columns = Body(person, senses=("ecap",)), DorsalColumns(person, 0, drift=0.0)
    law = EcapLaw(TARGET_UV, 0.3 / columns.slope, 0.0, 12.0, 0.3, columns.threshold_ma, 4.0, width_us=200.0)
    state, errors = EcapState(columns.threshold_ma + TARGET_UV / columns.slope), []
    for k in range(3 * n):
        posture = ("sitting", "lying", "standing")[k // n]
        body.feel(Input(dorsal_ma=state.current_ma, posture=posture))
        errors.append(abs(columns.amplitude(k / ECAP_FS, state.current_ma, posture) - TARGET_UV))
        (sweep,) = body.step(1.0 / ECAP_FS).ecap
        if closed:
            got = ecap(without_exponentials(sweep, fs=16_000.0), fs=16_000.0, noise=3.0)
            state = next_pulse(law, state, got.amplitude)
    return float(np.mean(errors))


def main() -> None:
    print(f"model {model_sha256()}")
    maps = [recruitment_map(Body(Person(seed=n, grade="ABCD"[n % 4]), senses=("emg",))) for n in range(100, 120)]
    minutes = [one.minutes for one in maps]
    sides = sum(bool((one.best_contact[:4] < 8).all() and (one.best_contact[4:] >= 8).all()) for one in maps)
    best = np.median([np.nanmax(one.selectivity, axis=0) for one in maps], axis=0)
    print(f"{len(maps)} maps: {min(minutes):.1f} to {max(minutes):.1f} simulated minutes;", end=" ")
    print(f"every muscle's best contact on its side in {sides};", end=" ")
    print(f"reflexes proved in {sum(bool(one.reflex.all()) for one in maps)};", end=" ")
    print(f"median best selectivity of a muscle {best.min():.2f} to {best.max():.2f}")
    for closed in (False, True):
        errors = [error_uv(seed, closed=closed) for seed in range(10)]
        spread = f"{min(errors):.1f} to {max(errors):.1f}"
        print(f"ECAP {'closed' if closed else 'open'}: median error {np.median(errors):.1f} µV ({spread})")


if __name__ == "__main__":
    main()
