"""What a person carries from visit to visit: fatigue, practice, the drift of the lead; saved and restored.

A saved state names the model and the person it belongs to, and no other takes it up.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace

from workbench import reading
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.physiology._course import motor_score
from workbench.physiology._model import model_sha256
from workbench.physiology._parameters import CHANGE, MUSCLES
from workbench.physiology._person import Person


@dataclass(frozen=True, slots=True)
class State:
    """What has come of a person until now.

    Attributes
    ----------
    visit : number, from 0. day : since the first visit.
    practised_h : hours of effort until now.
    fatigue : of each muscle of :data:`MUSCLES`, share of the response to stimulation that is lost, 0–1.
    skill : 0–1.
    drift : log of the distance of the lead over that of the first visit.
    lived_s : seconds of this visit that were lived through; they number what is drawn.
    """

    visit: int = 0
    day: float = 0.0
    practised_h: float = 0.0
    fatigue: tuple[float, ...] = (0.0,) * len(MUSCLES)
    skill: float = 0.0
    drift: float = 0.0
    lived_s: float = 0.0


def next_visit(person: Person, state: State, *, days: float) -> State:
    """The state with which the next visit begins.

    Parameters
    ----------
    person : whose lead drifts. state : with which the last one ended. days : from the last one to it, 0 or more.

    Raises
    ------
    BadValue
        For days that cannot be.
    """
    if not 0.0 <= days < math.inf:
        raise BadValue(Message("physiology.days", got=f"{days:g}"))
    step = float(person.chance(2, 1, state.visit + 1).standard_normal())
    left = math.exp(-days * 86_400.0 / CHANGE.rest_s)
    return replace(
        state,
        visit=state.visit + 1,
        day=state.day + days,
        fatigue=tuple(left * one for one in state.fatigue),
        drift=state.drift + CHANGE.drift_week * math.sqrt(days / 7.0) * step,
        lived_s=0.0,
    )


def residual_now(person: Person, state: State) -> float:
    """Share of a full contraction that the legs reach now, 0–1.

    The stated or drawn share of the first visit, and as many fiftieths as the motor score rose since, with what
    skill adds.
    """
    gained = motor_score(person, day=state.day, practised_h=state.practised_h)
    gained -= motor_score(person, day=0.0, practised_h=0.0)
    share = (person.drawn_residual() + gained / 50.0) * (1.0 + CHANGE.skill_gain * state.skill)
    return min(max(share, 0.0), 1.0)


def saved(person: Person, state: State) -> str:
    """The state as JSON, with the hashes of the model and the person."""
    return json.dumps({"model": model_sha256(), "person": person.sha256, **asdict(state)}, sort_keys=True)


def restored(person: Person, text: str) -> State:
    """The state from :func:`saved`.

    Raises
    ------
    BadValue
        For what is no state, or that of another person or model.
    """
    content = reading.parse_json(text, "state of a simulated person")
    names = {field.name for field in fields(State)}
    if not isinstance(content, dict) or set(content) != {"model", "person", *names}:
        raise BadValue(Message("physiology.no_state"))
    for name, needed in (("model", model_sha256()), ("person", person.sha256)):
        if content[name] != needed:
            raise BadValue(
                Message("physiology.other_state", what=name, needed=needed[:12], got=str(content[name])[:12])
            )
    values = {name: content[name] for name in names}
    fatigue = values.pop("fatigue")
    shares = fatigue if isinstance(fatigue, list) and len(fatigue) == len(MUSCLES) else [math.nan]
    # Negated, so that nan is none. A drift of 1 is a lead at thrice its distance.
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (*shares, *values.values()))
    if not (
        numbers
        and isinstance(values["visit"], int)
        and all(0.0 <= share <= 1.0 for share in (*shares, values["skill"]))
        and all(0.0 <= values[name] < math.inf for name in ("visit", "day", "practised_h", "lived_s"))
        and -1.0 <= values["drift"] <= 1.0
    ):
        raise BadValue(Message("physiology.no_state"))
    return State(fatigue=tuple(shares), **values)
