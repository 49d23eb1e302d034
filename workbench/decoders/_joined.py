"""Decoders of several streams: one decoder for each, and a rule that makes one evidence of theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from workbench.decoders._base import WindowDecoder
from workbench.decoding.joined import SIGNAL, Combination, Gate, Gating, JoinedDecoderStream, LateFusion
from workbench.errors import BadValue
from workbench.html_repr import card
from workbench.vocabulary import EvidenceType, Montage

JOINT_RULES = ("late_fusion", "gating")
"""How several streams decide together; each is the name under which such a decoder is fitted and stored."""

_ROLE = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(eq=False)
class JoinedDecoder:
    """Fitted decoders of several streams that decide together.

    Parameters
    ----------
    name : ``"late_fusion"`` (``log p = Σ v log p`` over the streams) or ``"gating"`` (what the signal says counts
        while each of the other streams agrees, else it is rejected).
    members : by role, fitted; ``"signal"`` is the master.
    weights : v by role, for late fusion; see :func:`workbench.decoders.fusion_weights`.
    gates : for gating, of each role but the signal the class that opens and its least probability,
        ``{"emg": ("grasp", 0.6)}``.
    critical : roles without whose valid evidence nothing is valid; None for all. The signal always is one.

    Raises
    ------
    BadValue
        Roles, weights or gates that do not belong together, other classes, a member that adapts while it decides.

    Notes
    -----
    A stream that is missing when a sample is decided, or whose window a gap touches, has no valid evidence. One
    that is not critical is then left out of the fusion, and as a gate it is closed.
    """

    name: str
    members: Mapping[str, WindowDecoder]
    weights: Mapping[str, float] = field(default_factory=dict)
    gates: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    critical: tuple[str, ...] | None = None
    sha256_: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.name not in JOINT_RULES:
            raise BadValue(f"a joint rule is one of {', '.join(JOINT_RULES)}, got {self.name!r}")
        if SIGNAL not in self.members or len(self.members) < 2:
            raise BadValue(
                f"{self.name} needs the role {SIGNAL!r} and one more, got {', '.join(self.members) or 'none'}"
            )
        if wrong := [role for role in self.members if not _ROLE.fullmatch(role)]:
            raise BadValue(f"a role is a word of lower case letters, got {wrong[0]!r}; name it like 'emg'")
        # One order, whatever the order in which they were named: sums of floats depend on it.
        self.members = {SIGNAL: self.members[SIGNAL]} | dict(sorted(self.members.items()))
        self.critical = tuple(self.members) if self.critical is None else tuple(self.critical)
        self._check_members()
        if self.name == "late_fusion":
            self._check_fusion()
        else:
            self._check_gates()

    def _check_members(self) -> None:
        critical = self.critical or ()
        if SIGNAL not in critical or not set(critical) <= set(self.members):
            raise BadValue(
                f"critical roles are {SIGNAL!r} and any of {', '.join(self.members)}, got "
                f"{', '.join(critical) or 'none'}"
            )
        for role, member in self.members.items():
            member.require_fitted()
            if member.evidence_type.kind != "probabilities":
                raise BadValue(
                    f"only decoders of probabilities decide together; that of {role} gives a "
                    f"{member.evidence_type.kind}, leave it out"
                )
            if member.adapt_settings is not None:
                raise BadValue(f"the decoder of {role} adapts while it decides; fit it without adapt to join it")

    def _check_fusion(self) -> None:
        if self.gates or set(self.weights) != set(self.members):
            raise BadValue(
                f"late fusion needs a weight for each of {', '.join(self.members)} and no gate, got "
                f"{', '.join(self.weights) or 'none'}"
            )
        if min(self.weights.values()) < 0 or max(self.weights.values()) <= 0:
            raise BadValue(f"weights are 0 or more, and one above, got {dict(self.weights)}")
        for role, member in self.members.items():
            if member.class_names != self.class_names:
                raise BadValue(
                    f"late fusion needs the same classes of every stream; {role} has "
                    f"{', '.join(member.class_names)}, the signal {', '.join(self.class_names)}"
                )

    def _check_gates(self) -> None:
        others = [role for role in self.members if role != SIGNAL]
        if self.weights or set(self.gates) != set(others):
            raise BadValue(
                f"gating needs a gate for each of {', '.join(others)} and no weights, got "
                f"{', '.join(self.gates) or 'none'}"
            )
        for role, (opens, least) in self.gates.items():
            known = self.members[role].class_names
            if opens not in known or not 0 < least <= 1:
                raise BadValue(
                    f"the gate of {role} opens at one of {', '.join(known)} with a probability above 0 and up to "
                    f"1, got {opens!r} at {least}"
                )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Roles of the streams that it decodes, the master first."""
        return tuple(self.members)

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
        """What its evidence is: probabilities, as that of each member."""
        return self.members[SIGNAL].evidence_type

    @property
    def hop_s(self) -> float:
        """Time between decisions, s: the master's."""
        return self.members[SIGNAL].hop_s

    @property
    def remembers(self) -> bool:
        """Whether evidence of any stream rests on more than its own window."""
        return any(member.remembers for member in self.members.values())

    @property
    def adapt_settings(self) -> None:
        """It stays as it was fitted."""
        return None

    @property
    def montage_(self) -> Montage:
        """Montage of the master, once saved or read."""
        return self.members[SIGNAL].montage_

    def _combination(self) -> Combination:
        if self.name == "late_fusion":
            return LateFusion({role: float(self.weights[role]) for role in self.members})
        names = {role: self.members[role].class_names for role in self.gates}
        return Gating(
            {role: Gate(names[role].index(opens), float(least)) for role, (opens, least) in self.gates.items()}
        )

    def start(self) -> JoinedDecoderStream:
        """A fresh stream at sample 0 of each."""
        return JoinedDecoderStream(
            {role: member.start() for role, member in self.members.items()},
            combination=self._combination(),
            critical=self.critical or (),
            classes=self.class_names,
        )

    def tolerant(self) -> Self:
        """A copy for a rehearsal on noise, see :meth:`WindowDecoder.tolerant`."""
        members = {role: member.tolerant() for role, member in self.members.items()}
        return type(self)(self.name, members, self.weights, self.gates, self.critical)

    def described(self) -> dict[str, Any]:
        """The rule as JSON has it."""
        return {
            "weights": {role: float(weight) for role, weight in self.weights.items()},
            "gates": {role: [opens, float(least)] for role, (opens, least) in self.gates.items()},
            "critical": list(self.critical or ()),
        }

    def _repr_html_(self) -> str:
        facts = [(role, repr(member)) for role, member in self.members.items()]
        facts += [(what, repr(value)) for what, value in self.described().items() if value]
        return card("Decoder", self.name.replace("_", " "), facts)
