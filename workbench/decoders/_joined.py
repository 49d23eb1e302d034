"""Decoders of several streams: one decoder for each, and a rule that makes one evidence of theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Self

from workbench.decoders._base import WindowDecoder
from workbench.decoding.joined import (
    SIGNAL,
    ClassGate,
    Combination,
    Gate,
    Gating,
    JoinedDecoderStream,
    LateFusion,
    LevelGate,
    PhaseGate,
    is_open,
)
from workbench.errors import BadValue
from workbench.fitting.settings import AdaptSettings
from workbench.html_repr import card
from workbench.messages import Message
from workbench.vocabulary import Evidence, EvidenceType, Montage

GateRule = tuple[str | float, float]
"""What opens a gate, as JSON has it: a class and its least probability, ``"above"`` or ``"below"`` and a level, or
two phases."""

GATES_OF = ("probabilities", "amplitude", "phase")
"""Kinds of evidence that may be a gate."""

GATED_OF = ("probabilities", "phase")
"""Kinds of evidence of a signal that gates let through."""

JOINT_RULES = ("late_fusion", "gating")
"""How several streams decide together; each is the name under which such a decoder is fitted and stored."""

_ROLE = re.compile(r"[a-z][a-z0-9_]{0,30}")


def gate_rule(rule: Sequence[Any]) -> GateRule:
    """What opens a gate, from JSON or from code. Raises BadValue where it is no pair of these."""
    try:
        first, second = rule
        return (first if isinstance(first, str) else float(first)), float(second)
    except (TypeError, ValueError) as error:
        raise BadValue(Message("joined.gate_pair", got=repr(rule))) from error


def picked(montage: Montage, numbers: Sequence[int]) -> Montage:
    """The montage of some channels, by number from 0."""
    return replace(montage, channels=tuple(montage.channels[number] for number in numbers))


@dataclass(eq=False)
class JoinedDecoder:
    """Fitted decoders of several streams that decide together.

    Parameters
    ----------
    name : ``"late_fusion"`` (``log p = Σ v log p`` over the streams) or ``"gating"`` (what the signal says, of
        classes or a phase, counts while each of the other streams agrees, else it is rejected).
    members : by role, fitted; ``"signal"`` is the master, and the only one that may adapt while it decides.
    weights : v by role, for late fusion; see :func:`workbench.decoders.fusion_weights`.
    gates : for gating, of each role but the signal what opens it: a class and its least probability, ``("grasp",
        0.6)``; of a decoder of an amplitude ``("above", 1.0)`` or ``("below", 1.0)``; of a decoder of a phase from
        where to where in the cycle, ``(0.5, 0.95)``, through its beginning where the first is the later one.
    critical : roles without whose valid evidence nothing is valid; None for all. The signal always is one.
    picks : channels of the signal, by number from 0, for each role whose decoder reads them in the place of a
        stream of its own, such as a workload told from the EEG that is decoded.

    Raises
    ------
    BadValue
        Roles, weights, gates or channels that do not belong together, other classes, another than the master that
        adapts.

    Notes
    -----
    A stream that is missing when a sample is decided, or whose window a gap touches, has no valid evidence. One
    that is not critical is then left out of the fusion, and as a gate it is closed.
    """

    name: str
    members: Mapping[str, WindowDecoder]
    weights: Mapping[str, float] = field(default_factory=dict)
    gates: Mapping[str, GateRule] = field(default_factory=dict)
    critical: tuple[str, ...] | None = None
    picks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    sha256_: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.name not in JOINT_RULES:
            raise BadValue(Message("joined.rule", allowed=list(JOINT_RULES), got=repr(self.name)))
        if SIGNAL not in self.members or len(self.members) < 2:
            raise BadValue(
                Message(
                    "joined.roles",
                    decoder=self.name,
                    signal=repr(SIGNAL),
                    got=", ".join(self.members) or "none",
                )
            )
        if wrong := [role for role in self.members if not _ROLE.fullmatch(role)]:
            raise BadValue(Message("joined.role_name", got=repr(wrong[0])))
        # One order, whatever the order in which they were named: sums of floats depend on it.
        self.members = {SIGNAL: self.members[SIGNAL]} | dict(sorted(self.members.items()))
        self.critical = tuple(self.members) if self.critical is None else tuple(self.critical)
        self.gates = {role: gate_rule(rule) for role, rule in self.gates.items()}
        self.picks = {role: tuple(numbers) for role, numbers in sorted(self.picks.items())}
        self._check_members()
        self._check_picks()
        if self.name == "late_fusion":
            self._check_fusion()
        else:
            self._check_gates()

    def _check_members(self) -> None:
        critical = self.critical or ()
        if SIGNAL not in critical or not set(critical) <= set(self.members):
            raise BadValue(
                Message(
                    "joined.critical",
                    signal=repr(SIGNAL),
                    members=list(self.members),
                    got=", ".join(critical) or "none",
                )
            )
        for role, member in self.members.items():
            member.require_fitted()
            kind, gates = member.evidence_type.kind, GATED_OF if role == SIGNAL else GATES_OF
            allowed: tuple[str, ...] = gates if self.name == "gating" else ("probabilities",)
            if kind not in allowed:
                raise BadValue(Message("joined.kind", role=role, rule=self.name, allowed=list(allowed), kind=kind))
            if member.adapt_settings is not None and role != SIGNAL:
                raise BadValue(Message("joined.adapts", role=role))

    def _check_picks(self) -> None:
        signal = self.members[SIGNAL]
        for role, numbers in self.picks.items():
            own = self.members.get(role)
            distinct = len(set(numbers)) == len(numbers) and set(numbers) <= set(range(signal.n_channels_in_))
            fits = own is not None and (own.n_channels_in_, own.fs) == (len(numbers), signal.fs)
            if role == SIGNAL or not (distinct and fits):
                raise BadValue(
                    Message("joined.picks", role=repr(role), n=signal.n_channels_in_, got=str(list(numbers)))
                )

    def _check_fusion(self) -> None:
        if self.gates or set(self.weights) != set(self.members):
            raise BadValue(
                Message("joined.weights_needed", members=list(self.members), got=", ".join(self.weights) or "none")
            )
        if min(self.weights.values()) < 0 or max(self.weights.values()) <= 0:
            raise BadValue(Message("joined.weights", got=str(dict(self.weights))))
        for role, member in self.members.items():
            if member.class_names != self.class_names:
                raise BadValue(
                    Message(
                        "joined.classes",
                        role=role,
                        classes=list(member.class_names),
                        signal_classes=list(self.class_names),
                    )
                )

    def _check_gates(self) -> None:
        others = [role for role in self.members if role != SIGNAL]
        if self.weights or set(self.gates) != set(others):
            raise BadValue(
                Message("joined.gates_needed", others=list(others), got=", ".join(self.gates) or "none")
            )
        for role, rule in self.gates.items():
            if self._gate(role, rule) is None:
                raise BadValue(self._allowed(role, rule))

    def _allowed(self, role: str, rule: GateRule) -> Message:
        """What may open the gate of a role, where a rule cannot."""
        member, first, second = self.members[role], repr(rule[0]), str(rule[1])
        if member.evidence_type.kind == "amplitude":
            return Message("joined.gate_of_level", role=role, first=first, second=second)
        if member.evidence_type.kind == "phase":
            return Message("joined.gate_of_phase", role=role, first=first, second=second)
        return Message("joined.gate", role=role, known=list(member.class_names), opens=first, least=second)

    def _gate(self, role: str, rule: GateRule) -> Gate | None:
        """What opens the gate of a role, None where no evidence of it could."""
        member, (first, second) = self.members[role], rule
        kind, named = member.evidence_type.kind, isinstance(first, str)
        if kind == "probabilities" and first in member.class_names and 0 < second <= 1:
            return ClassGate(member.class_names.index(str(first)), float(second))
        if kind == "amplitude" and first in ("above", "below") and 0 < second < inf:
            return LevelGate(first == "above", float(second))
        if kind == "phase" and not named and first != second and 0 <= float(first) < 1 and 0 <= second < 1:
            return PhaseGate(float(first), float(second))
        return None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Roles of the streams that it decodes, the master first."""
        return tuple(role for role in self.members if role not in self.picks)

    def montages(self, of: Mapping[str, Montage]) -> dict[str, Montage]:
        """What each member reads, of the montages of the streams ``of`` by role."""
        return dict(of) | {role: picked(of[SIGNAL], numbers) for role, numbers in self.picks.items()}

    @property
    def classes_(self) -> Any:
        """Classes of the joint evidence: those of the signal."""
        return self.members[SIGNAL].classes_

    @property
    def class_names(self) -> tuple[str, ...]:
        """Classes as text."""
        return self.members[SIGNAL].class_names

    @property
    def evidence_type(self) -> EvidenceType:
        """What its evidence is: that of the signal."""
        return self.members[SIGNAL].evidence_type

    @property
    def hop_s(self) -> float:
        """Time between decisions, s: the master's."""
        return self.members[SIGNAL].hop_s

    @property
    def step_s(self) -> float:
        """Time between windows of the stream, s: the master's hop in whole samples."""
        return self.members[SIGNAL].step_s

    @property
    def remembers(self) -> bool:
        """Whether evidence of the signal, or of the classes of any stream, rests on more than its own window."""
        # A level or a phase beside it only opens and closes: what it keeps is no evidence that adds up.
        counts = [
            member for role, member in self.members.items() if role == SIGNAL or member.evidence_type.has_classes
        ]
        return any(member.remembers for member in counts)

    @property
    def adapt_settings(self) -> AdaptSettings | None:
        """How it changes while it decides: as the decoder of the master does; the others stay as fitted."""
        return self.members[SIGNAL].adapt_settings

    @property
    def montage_(self) -> Montage:
        """Montage of the master, once saved or read."""
        return self.members[SIGNAL].montage_

    def _combination(self) -> Combination:
        if self.name == "late_fusion":
            return LateFusion({role: float(self.weights[role]) for role in self.members})
        gates = {role: self._gate(role, rule) for role, rule in self.gates.items()}
        return Gating({role: gate for role, gate in gates.items() if gate is not None})

    def _opens_while(self, role: str) -> str:
        """What holds while a gate is open, in words."""
        first, second = self.gates[role]
        kind = self.members[role].evidence_type.kind
        if kind == "amplitude":
            return f"its level is {'at least' if first == 'above' else 'below'} {second:g}"
        if kind == "phase":
            return f"its phase goes from {first:g} to {second:g} of a cycle"
        return f"it says {first} with a probability of at least {second:g}"

    def opens(self, role: str, said: Sequence[Evidence]) -> bool:
        """Whether any of several evidences of a role opens its gate; a role without a gate is always open."""
        gate = self._gate(role, self.gates[role]) if role in self.gates else None
        return gate is None or any(is_open(gate, evidence) for evidence in said)

    def start(self) -> JoinedDecoderStream:
        """A fresh stream at sample 0 of each."""
        # Its updates are chained to the hash of the whole, which is what was approved.
        master = copy(self.members[SIGNAL])
        master.sha256_ = self.sha256_
        members = {**self.members, SIGNAL: master}
        return JoinedDecoderStream(
            {role: member.start() for role, member in members.items()},
            combination=self._combination(),
            critical=self.critical or (),
            classes=self.class_names,
            remembers=self.remembers,
            picks=self.picks,
        )

    def tolerant(self) -> Self:
        """A copy for a rehearsal on noise, see :meth:`WindowDecoder.tolerant`."""
        members = {role: member.tolerant() for role, member in self.members.items()}
        return type(self)(self.name, members, self.weights, self.gates, self.critical, self.picks)

    def described(self) -> dict[str, Any]:
        """The rule as JSON has it."""
        rule: dict[str, Any] = {
            "weights": {role: float(weight) for role, weight in self.weights.items()},
            "gates": {role: list(rule) for role, rule in self.gates.items()},
            "critical": list(self.critical or ()),
        }
        # Left out where there are none, so that decoders without keep their hash.
        return rule | ({"picks": {role: list(own) for role, own in self.picks.items()}} if self.picks else {})

    def _repr_html_(self) -> str:
        facts = [(role, repr(member)) for role, member in self.members.items()]
        facts += [(f"gate of {role}", f"open while {self._opens_while(role)}") for role in self.gates]
        rest = {name: value for name, value in self.described().items() if value and name != "gates"}
        facts += [(what, repr(value)) for what, value in rest.items()]
        return card("Decoder", self.name.replace("_", " "), facts)
