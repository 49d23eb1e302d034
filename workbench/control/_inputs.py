"""The inputs of a controller: every call that may change it, noted with what it was given.

The controller has neither clock nor chance, so that the same inputs from the same state give the same commands.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from workbench.control._machine import StateMachine
from workbench.control._state import from_json, to_json
from workbench.vocabulary import Decision

Entry = tuple[str, Mapping[str, Any], float]
"""One entry of a recording: kind, content as JSON has it, stream time in s."""


class Input(NamedTuple):
    """One call: ``kind`` with its arguments by name; ``stamp`` is stream time in s once it had taken effect."""

    kind: str
    args: Mapping[str, Any]
    stamp: float

    def entry(self) -> Entry:
        """What a recording holds of it; a decision, which it holds already, by its sample."""
        return self.kind, {name: _named(value) for name, value in self.args.items()}, self.stamp


def _named(value: Any) -> Any:
    return {"decision": value.sample} if isinstance(value, Decision) else to_json(value)


def arguments(content: Mapping[str, Any], decision: Callable[[int], Decision]) -> dict[str, Any]:
    """The arguments of an input from their JSON; ``decision`` gives the decision of a sample."""
    return {
        name: decision(value["decision"]) if isinstance(value, dict) and "decision" in value else from_json(value)
        for name, value in content.items()
    }


class InputLog:
    """Inputs of one controller, each handed out once.

    Parameters
    ----------
    machine : gives the time of an input.
    """

    def __init__(self, machine: StateMachine) -> None:
        self._machine = machine
        self._inputs: list[Input] = []

    def __len__(self) -> int:
        return len(self._inputs)

    def note(self, kind: str, args: Mapping[str, Any]) -> None:
        """An input has taken effect."""
        self._inputs.append(Input(kind, args, self._machine.now.stamp))

    def take(self) -> list[Input]:
        """Inputs since the last call, oldest first."""
        inputs, self._inputs = self._inputs, []
        return inputs


class _TakesInputs(Protocol):
    _inputs: InputLog


Taker = TypeVar("Taker", bound=_TakesInputs)
P = ParamSpec("P")
R = TypeVar("R")


def is_input(method: Callable[Concatenate[Taker, P], R]) -> Callable[Concatenate[Taker, P], R]:
    """Note each call of a method as an input, a refused one too: it may have set clocks, limits or a flag."""
    kind, names = method.__name__, list(inspect.signature(method).parameters)[1:]

    @wraps(method)
    def noted(self: Taker, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        finally:
            self._inputs.note(kind, {**dict(zip(names, args)), **kwargs} if args else kwargs)

    noted.is_input = True  # type: ignore[attr-defined]  # a function takes any attribute
    return noted
