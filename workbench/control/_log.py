"""What the controller enters in the ledger."""

from __future__ import annotations

from typing import Literal, NoReturn

from workbench.control._machine import StateMachine
from workbench.errors import Refused
from workbench.messages import Message
from workbench.vocabulary import LedgerRow, Priority

RowKind = Literal[
    "ack_clipped",
    "ack_late",
    "ack_missing",
    "ack_unknown",
    "device_lapsed",
    "dose_limit",
    "dose_reminder",
    "effector",
    "estop",
    "evidence_rejected",
    "fault",
    "foreign_stream",
    "heartbeats",
    "hold_limit",
    "hold_reminder",
    "intent_held_back",
    "intent_ignored",
    "level_clipped",
    "move_left_out",
    "operator",
    "operator_absent",
    "operator_back",
    "refused",
    "safe_confirmed",
    "self_test",
    "session_lost",
    "stimulation_asked",
    "stimulation_limited",
    "stop_acknowledged",
    "stop_confirmed",
]
"""Kinds of the rows that the controller enters."""


class ControllerLog:
    """Ledger rows of one effector, each handed out once.

    Parameters
    ----------
    effector : its name.
    machine : gives the time of a row, and the sample of the newest decision.
    """

    def __init__(self, effector: str, machine: StateMachine) -> None:
        self._effector, self._machine = effector, machine
        self._rows: list[LedgerRow] = []

    def enter(self, kind: RowKind, extent: str, consequence: str, priority: Priority = "info") -> LedgerRow:
        """Enter a row.

        Parameters
        ----------
        kind, extent, consequence, priority : see :class:`LedgerRow`.
        """
        now, decision = self._machine.now, self._machine.decision
        row = LedgerRow(
            kind,
            now.stamp,
            now.local,
            sample=-1 if decision is None else decision.sample,
            stream=self._effector,
            extent=extent,
            consequence=consequence,
            priority=priority,
        )
        self._rows.append(row)
        return row

    def refuse(self, sentence: str) -> NoReturn:
        """Enter a refusal and raise it."""
        self.enter("refused", sentence, Message("control.nothing_changed"), "low")
        raise Refused(sentence)

    def take(self) -> list[LedgerRow]:
        """Rows since the last call, oldest first."""
        rows, self._rows = self._rows, []
        return rows
