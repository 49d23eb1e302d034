"""One attempt of a paradigm that judges as ``force_track`` does, followed near its level to the end."""

from __future__ import annotations

from typing import Any

from workbench.paradigms import Paradigm
from workbench.vocabulary import Decision, Evidence, LocatedCue, Trial


def attempt_of(paradigm: Paradigm, *, probabilities: tuple[float, ...]) -> tuple[set[Any], Trial]:
    """What the decisions of an attempt at 0.6 carry, decoded as 0.55 throughout, and its trial."""
    rule = paradigm.start(fs=100.0, hop=5, classes=tuple(sorted(paradigm.classes)))
    rule.cue(LocatedCue(0, 0.0, "force_60", 5.0, 0), at=0)
    made = []
    while rule.due.at <= 500:
        evidence = Evidence(rule.due.end, probabilities, values=(0.55,))
        made += rule.decide(rule.due, stamp=rule.due.at / 100.0, evidence=evidence)
    (trial,) = [one for one in made if isinstance(one, Trial)]
    return {(one.kind, one.values, one.probabilities) for one in made if isinstance(one, Decision)}, trial
