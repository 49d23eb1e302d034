"""After unblinding: whether a list is what its seed gives, and each minimised allocation what its history gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench import messages
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.randomisation.design import Design
from workbench.study.randomisation.draws import check_seed
from workbench.study.randomisation.minimisation import Allocation, minimise
from workbench.study.randomisation.sealing import SealedList, SealedSlot, seal
from workbench.study.randomisation.secret import Secret


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared, and each difference in a sentence.

    Parameters
    ----------
    compared : slots or allocations.
    differences : empty when all are equal.
    """

    compared: int
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything is equal."""
        return not self.differences


def prove(sealed: SealedList, secret: Secret) -> Proof:
    """Draw and seal the list again from its seed, and compare every slot.

    That the root is the one in the record, and the design the protocol's, is for the caller to compare.

    Parameters
    ----------
    sealed : the list as it was stored.
    secret : that it was made from.

    Raises
    ------
    Refused
        When another version of the generator drew it.
    BadValue
        For the secret of a minimisation, which has no list.
    """
    again = seal(secret)
    differences = [*_heads(sealed, again), *_slots(_by_place(sealed), _by_place(again))]
    if not differences and sealed.slots != again.slots:
        differences.append(Message("randomisation.order_differs"))
    return Proof(len(again.slots), tuple(differences))


def replay_minimisation(design: Design, seed: int, allocations: Sequence[Allocation]) -> Proof:
    """Allocate everybody again, each after those before, and compare arm and state.

    Parameters
    ----------
    design : of kind ``minimisation``.
    seed : of 128 bits.
    allocations : in the order in which they were made.

    Raises
    ------
    BadValue
        For a design of another kind and for what is no seed.
    """
    if design.kind != "minimisation":
        raise BadValue(Message("randomisation.no_minimisation", kind=design.kind))
    check_seed(seed)
    history: list[tuple[Mapping[str, str], str]] = []
    differences: list[str] = []
    before = -1
    for number, made in enumerate(allocations, start=1):
        differences += _allocation(design, seed, history, made, number, before)
        history.append((made.covariates, made.arm))
        before = made.n
    return Proof(len(allocations), tuple(differences))


def _heads(sealed: SealedList, again: SealedList) -> Iterator[str]:
    if sealed.list_id != again.list_id:
        yield Message("randomisation.list_id_differs", got=sealed.list_id, own=again.list_id)
    if sealed.generator != again.generator:
        yield Message("randomisation.generator_differs", got=sealed.generator, own=again.generator)
    if sealed.made_from != again.made_from:
        yield Message("randomisation.made_from_differs")
    if sealed.root != again.root:
        yield Message("randomisation.root_differs", got=f"{sealed.root:.12}", own=again.root[:12])


def _by_place(sealed: SealedList) -> dict[tuple[str, int], SealedSlot]:
    return {(slot.stratum, slot.seq): slot for slot in sealed.slots}


def _slots(
    stored: Mapping[tuple[str, int], SealedSlot], again: Mapping[tuple[str, int], SealedSlot]
) -> Iterator[str]:
    for (stratum, seq), slot in again.items():
        if (stratum, seq) not in stored:
            yield Message("randomisation.slot_missing", stratum=stratum, seq=seq)
        elif stored[stratum, seq] != slot:
            yield Message("randomisation.slot_differs", stratum=stratum, seq=seq)
    for stratum, seq in stored:
        if (stratum, seq) not in again:
            yield Message("randomisation.slot_added", stratum=stratum, seq=seq)


def _allocation(
    design: Design,
    seed: int,
    history: Sequence[tuple[Mapping[str, str], str]],
    made: Allocation,
    number: int,
    before: int,
) -> Iterator[str]:
    try:
        arm, state = minimise(design, seed, history, made.covariates, made.n)
    except BadValue as error:
        yield Message("randomisation.not_replayed", n=number, why=messages.of(error))
        return
    if made.n <= before:
        yield Message("randomisation.draw_repeated", n=number, draw=made.n, before=before)
    if arm != made.arm:
        yield Message("randomisation.arm_differs", n=number, got=f"{made.arm!s:.80}", own=arm)
    if state != made.state:
        yield Message("randomisation.state_differs", n=number, got=f"{made.state!s:.12}", own=state[:12])
