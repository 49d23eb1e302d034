"""The whole state of a controller as JSON, and back, bit for bit.

Nothing is listed by hand: the state is every attribute of every part, but for what joins the parts. An attribute
of a type that JSON cannot carry is refused at once, so that none is left out silently.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any

import numpy as np

from workbench.control._grant import Grant
from workbench.control._law import ControlLaw
from workbench.control._link import Sent
from workbench.control._machine import Now
from workbench.control._profile import Effector, SafeStep
from workbench.control._supervisor import Limits
from workbench.control._table import Thresholds
from workbench.stimulation import (
    Channel,
    ElectrodeLimits,
    Finding,
    Override,
    Programme,
    Setup,
    Signature,
    SignedLimits,
    UnderWay,
    Wearer,
)
from workbench.vocabulary import Acknowledgement, Command, Decision, DeviceStatus, LedgerRow, contents

_NOUNS: dict[str, type[Any]] = {
    noun.__name__: noun
    for noun in (
        Acknowledgement,
        Channel,
        Command,
        ControlLaw,
        Decision,
        DeviceStatus,
        Effector,
        ElectrodeLimits,
        Finding,
        Grant,
        LedgerRow,
        Limits,
        Override,
        Programme,
        SafeStep,
        Sent,
        Setup,
        Signature,
        SignedLimits,
        Thresholds,
        UnderWay,
        Wearer,
    )
}
_PLAIN = frozenset((str, int, bool, type(None)))
"""Types of what JSON holds as it is."""


def to_json(value: Any) -> Any:
    """A value as JSON has it: numbers, texts and lists as they are, the rest as an object that names its type.

    Raises
    ------
    TypeError
        When it is of a type that cannot be read back: a defect, which a test finds.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float and isfinite(value):
        return value
    if isinstance(value, bool | int | str):
        return value
    # A decoder or a paradigm of somebody else may decide in numbers of NumPy.
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, float):
        # JSON knows no infinity; `repr`, with which every other number is written, gives back each bit.
        return float(value) if isfinite(value) else {"float": repr(float(value))}
    name = kind.__name__
    if _NOUNS.get(name) is kind:
        return {name: {field: to_json(part) for field, part in contents(value).items()}}
    if isinstance(value, Mapping):
        return {"dict": [[to_json(key), to_json(part)] for key, part in value.items()]}
    return _sequence_to_json(value)


def _sequence_to_json(value: Any) -> Any:
    if isinstance(value, list):
        return [to_json(part) for part in value]
    if isinstance(value, deque):
        return {"deque": [value.maxlen, *map(to_json, value)]}
    # A `Now` is a tuple too, and comes before.
    for kind in (Now, tuple, set):
        if isinstance(value, kind):
            return {kind.__name__: [to_json(part) for part in (sorted(value) if kind is set else value)]}
    raise TypeError(f"a {type(value).__name__} cannot be kept as the state of a controller")


def from_json(value: Any) -> Any:
    """What :func:`to_json` made, read back; ``ValueError``, ``TypeError`` or ``KeyError`` for anything else."""
    # Most are plain, and asking for an abstract class takes longer than all else.
    kind = type(value)
    if kind in _PLAIN or kind is float:
        return value
    if isinstance(value, list):
        return [from_json(part) for part in value]
    if not isinstance(value, dict | Mapping):
        return value
    ((named, content),) = value.items()
    if named in _NOUNS:
        return _NOUNS[named](**{name: from_json(part) for name, part in content.items()})
    if named == "deque":
        longest, *parts = content
        return deque((from_json(part) for part in parts), maxlen=longest)
    if named == "dict":
        return {from_json(key): from_json(part) for key, part in content}
    if named == "Now":
        return Now(*(from_json(part) for part in content))
    plain = {"float": float, "tuple": tuple, "set": set}[named]
    return plain(from_json(content))


class Parts:
    """The parts that a controller is made of.

    Parameters
    ----------
    whole : the controller; the parts are found from here.
    kinds : types of the parts.
    beside : types of what parts refer to and that is no state of theirs.
    """

    def __init__(self, whole: object, *, kinds: tuple[type[Any], ...], beside: tuple[type[Any], ...]) -> None:
        self._joins = (*kinds, *beside)
        self._parts: dict[str, object] = {}
        waiting: list[object] = [whole]
        while waiting:
            part = waiting.pop()
            name = type(part).__name__
            if name not in self._parts:
                self._parts[name] = part
                waiting += [value for value in vars(part).values() if isinstance(value, kinds)]

    def state(self) -> dict[str, dict[str, Any]]:
        """Each part's attributes by name, as JSON."""
        return {
            name: {attribute: to_json(getattr(part, attribute)) for attribute in self._attributes(part)}
            for name, part in self._parts.items()
        }

    def restore(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Set each attribute.

        Raises
        ------
        ValueError
            When the state is not one of these parts.
        """
        _check_same("parts", state, self._parts)
        for name, part in self._parts.items():
            _check_same(f"attributes of {name}", state[name], self._attributes(part))
            for attribute, value in state[name].items():
                setattr(part, attribute, from_json(value))

    def _attributes(self, part: object) -> list[str]:
        return [
            name
            for name, value in vars(part).items()
            if not isinstance(value, self._joins) and not callable(value)
        ]


def _check_same(what: str, stored: Collection[str], own: Collection[str]) -> None:
    if different := set(stored) ^ set(own):
        raise ValueError(f"the {what} that were stored differ from those of this version in {sorted(different)}")
