"""What the controller enters in the ledger."""

from __future__ import annotations

from typing import NoReturn

from workbench.control._machine import StateMachine
from workbench.errors import Refused
from workbench.vocabulary import LedgerRow, Priority


class Journal:
    """Ledger rows of one effector, each handed out once.

    Parameters
    ----------
    effector : its name.
    machine : gives the time of a row, and the sample of the newest decision.
    """

    def __init__(self, effector: str, machine: StateMachine) -> None:
        self._effector, self._machine = effector, machine
        self._rows: list[LedgerRow] = []

    def enter(self, kind: str, extent: str, consequence: str, priority: Priority = "info") -> LedgerRow:
        """Enter a row."""
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
        self.enter("refused", sentence, "nothing was changed", "low")
        raise Refused(sentence)

    def take(self) -> list[LedgerRow]:
        """Rows since the last call, oldest first."""
        rows, self._rows = self._rows, []
        return rows
