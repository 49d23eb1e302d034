"""Which slot comes next."""

from __future__ import annotations

from collections.abc import Set

from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.randomisation.sealing import SealedList


def next_slot(sealed: SealedList, used: Set[tuple[str, int]], stratum: str) -> int:
    """The slot for the next participant of a stratum: the lowest that was never used.

    A slot stays used whatever becomes of its participant. The caller enters it as used in the same transaction as
    the allocation, under a unique key, so that two writers cannot both have it.

    Parameters
    ----------
    sealed : the list.
    used : ``(stratum, seq)`` of every slot that was ever released.
    stratum : as :meth:`Design.stratum` gives it, which asks for every factor.

    Raises
    ------
    UnknownName
        For a stratum that the list does not have.
    Refused
        When all slots of the stratum are used.
    """
    n = sealed.length(stratum)
    for seq in range(1, n + 1):
        if (stratum, seq) not in used:
            return seq
    raise Refused(Message("randomisation.exhausted", n=n, stratum=stratum))
