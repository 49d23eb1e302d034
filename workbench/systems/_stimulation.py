"""What a system stimulates with: its usual programme, and the set-up of a session from the study's record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import reading
from workbench.errors import Refused
from workbench.messages import Message
from workbench.stimulation import (
    ElectrodeLimits,
    Programme,
    Setup,
    Wearer,
    parse_limits,
    parse_programme,
)
from workbench.study import contact_maps, stimulation_limits
from workbench.vocabulary import Participant, Visit

if TYPE_CHECKING:
    from workbench.study import Study

FOLDER = "stimulation"
"""Folder of programmes: beside the systems, and in a study that brings its own."""

LEAD = "limits_paddle-16.toml"
"""Example of limits of a lumbar lead, which belongs to no system."""
LARGEST = 1_000_000
"""Bytes of the largest file of a programme."""


@dataclass(frozen=True, slots=True)
class Stimulation:
    """What a system stimulates with where its study says nothing else.

    Attributes
    ----------
    programme : channels with currents that a study approves for its own participants.
    example : limits of its electrodes, invented; a demonstration puts them into force for a simulated stimulator.
    """

    programme: Programme
    example: tuple[ElectrodeLimits, ...]


def usual(name: str) -> Stimulation:
    """The programme of a system's own file, with the example of limits of each electrode in it."""
    folder = Path(__file__).parent / FOLDER
    programme = _programme(folder / f"{name}.toml")
    models = dict.fromkeys(channel.electrode for channel in programme.channels)
    files = [folder / f"limits_{model}.toml" for model in models]
    return Stimulation(programme, tuple(parse_limits(_text(file), file=file.name) for file in files))


def example_limits() -> ElectrodeLimits:
    """The example of limits of a lumbar lead, every number invented."""
    return parse_limits(_text(Path(__file__).parent / FOLDER / LEAD), file=LEAD)


def example_lead(folder: Path, *, operator: str) -> None:
    """A new study of one simulated participant with a visit, and the example of limits of a lead in force.

    A script signs the limits, which serves a simulated stimulator alone.

    Parameters
    ----------
    folder : of the study, which is made. operator : who makes it.
    """
    from workbench.study import Study

    with Study.create(folder, code="LEAD", title="A simulated lead", actor=operator) as study:
        study.append(
            Visit(study.append(Participant("SIM-01", simulated=True, injury_level="T10")), "mapping visit")
        )
        put_examples_into_force(study, (example_limits(),), operator=operator)


def put_examples_into_force(study: Study, examples: Sequence[ElectrodeLimits], *, operator: str) -> None:
    """Put examples of limits into force for the electrodes that have none, signed by two scripts.

    Signatures of scripts serve a simulated stimulator alone.

    Parameters
    ----------
    study : the open record. examples : one for each electrode. operator : whose scripts sign.
    """
    from workbench.study.changes.stimulating import AdoptStimulationLimits

    force = stimulation_limits.in_force(study)
    signers = [study.script_signer(f"{operator} (script {n})").confirm() for n in (1, 2)]
    for limits in examples:
        if limits.electrode not in force:
            change = AdoptStimulationLimits(limits.definition())
            study.apply(change, signers, "example of limits, simulated devices alone")


def programme_of(study: Study, name: str, usually: Programme) -> Programme:
    """The programme of a study: its own file where it has one, else the usual one of the system.

    Parameters
    ----------
    study : the open record.
    name : of the system.
    usually : of that system.

    Raises
    ------
    BadValue
        When the study's own file holds none.
    """
    own = study.folder / FOLDER / f"{name}.toml"
    return _programme(own) if reading.is_there(own, "programme of stimulation") else usually


def _programme(path: Path) -> Programme:
    return parse_programme(_text(path), file=path.name)


def _text(path: Path) -> str:
    data = reading.read_bytes(path, "programme of stimulation", largest=LARGEST)
    return reading.decoded(data, reading.shown(path), signed=True)


def set_up(study: Study, programme: Programme, *, lesion: str, participant: str = "") -> Setup:
    """Programme, limits in force in the record, person, and the charge that maps of today gave.

    Parameters
    ----------
    study : the open record.
    programme : of the session.
    lesion : level of injury as the record has it; ``""`` counts as one at risk of dysreflexia.
    participant : id; ``""`` for nobody, to whom no map gave charge.

    Raises
    ------
    Refused
        When an electrode of the programme has no limits in force.
    """
    force = stimulation_limits.in_force(study)
    models = dict.fromkeys(channel.electrode for channel in programme.channels)
    for model in models:
        if model not in force:
            raise Refused(Message("stimulation.none_in_force", electrode=model))
    charge = contact_maps.charge_of_today(study, participant) if participant else {}
    leads = {channel.lead for channel in programme.channels}
    earlier = tuple(sorted((place, amount) for place, amount in charge.items() if place[0] in leads))
    return Setup(programme, tuple(force[model] for model in models), Wearer(lesion), earlier_uc=earlier)


def check_in_force(study: Study, setup: Setup, *, simulated: bool) -> None:
    """Refuse a set-up whose limits are not those in force in the record, signed by people.

    Parameters
    ----------
    study : the open record.
    setup : of a session.
    simulated : whether the stimulator is; limits that a script signed serve no other.

    Raises
    ------
    Refused
        The text names the electrode.
    """
    force = stimulation_limits.in_force(study)
    for signed in setup.limits:
        electrode = signed.limits.electrode
        if electrode not in force or force[electrode] != signed:
            raise Refused(Message("stimulation.not_in_force", electrode=electrode))
        if not simulated and stimulation_limits.signed_by_script(study, electrode):
            raise Refused(Message("stimulation.script_limits", electrode=electrode))
