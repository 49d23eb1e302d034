"""Physiology behind simulated participants of the spinal systems: seeded models, and a body that feels and moves.

Pure: no clock, no disk, no stream. A :class:`Person` says who it is, :class:`Body` gives what amplifiers would
record, and :class:`State` is what goes on from visit to visit. What they give is simulated, says so by
:func:`model_sha256` and :attr:`Person.sha256`, and is never evidence. ``docs/physiology.md`` says what is
modelled, from which source, and what is not.
"""

from __future__ import annotations

from workbench.physiology._body import Body, Input, Signals, Spasm, Train
from workbench.physiology._course import motor_score, untreated_score
from workbench.physiology._gait import Step
from workbench.physiology._mapping import RecruitmentMap, recruitment_map
from workbench.physiology._model import VERSION, model_sha256
from workbench.physiology._parameters import CONTACTS, ECAP_FS, EMG_FS, MUSCLES, SWEEP, SWEEP_FS
from workbench.physiology._person import Person, person_of, read_person
from workbench.physiology._state import State, next_visit, restored, saved

__all__ = [
    "CONTACTS",
    "ECAP_FS",
    "EMG_FS",
    "MUSCLES",
    "SWEEP",
    "SWEEP_FS",
    "VERSION",
    "Body",
    "Input",
    "Person",
    "RecruitmentMap",
    "Signals",
    "Spasm",
    "State",
    "Step",
    "Train",
    "model_sha256",
    "motor_score",
    "next_visit",
    "person_of",
    "read_person",
    "recruitment_map",
    "restored",
    "saved",
    "untreated_score",
]
