"""A ledger row leaves the memory when it is written, and not before."""

from __future__ import annotations

import pytest

from workbench.engine.ledger import Ledger
from workbench.errors import RecordingFault
from workbench.vocabulary import LedgerRow


def test_rows_that_cannot_be_written_are_kept_in_their_order():
    ledger, written = Ledger(), []
    for name in "abc":
        ledger.enter(LedgerRow(name, 0.0, 0.0))

    def full(row):
        if len(written) == 1:
            raise RecordingFault("the disk is full")
        written.append(row.kind)

    with pytest.raises(RecordingFault):
        ledger.hand_over(full)
    ledger.enter(LedgerRow("d", 0.0, 0.0))
    assert ledger.hand_over(lambda row: written.append(row.kind)) == 3
    assert written == ["a", "b", "c", "d"]
    assert ledger.hand_over(written.append) == 0
    assert ledger.total == 4


def test_a_row_entered_while_others_are_written_is_written_next_time():
    ledger, written = Ledger(), []
    ledger.enter(LedgerRow("a", 0.0, 0.0))

    def write(row):
        written.append(row.kind)
        if row.kind == "a":
            ledger.enter(LedgerRow("late", 0.0, 0.0))

    assert (ledger.hand_over(write), ledger.hand_over(write)) == (1, 1)
    assert written == ["a", "late"]
