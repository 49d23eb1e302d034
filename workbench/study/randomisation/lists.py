"""The arms of a list, from its seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.randomisation.design import Design
from workbench.study.randomisation.draws import Draws


def generate(design: Design, seed: int) -> dict[str, tuple[str, ...]]:
    """The arms of every slot, by stratum: slot ``seq`` is item ``seq − 1``. Not concealed: see :func:`seal`.

    Each stratum has a stream of its own, so that a list with more slots begins with the shorter one.

    Parameters
    ----------
    design : of kind ``blocks`` or ``simple``.
    seed : of 128 bits.

    Raises
    ------
    BadValue
        For a minimisation, which has no list, and for what is no seed.
    """
    if design.kind == "minimisation":
        raise BadValue(Message("randomisation.no_list"))
    return {
        stratum: tuple(islice(chain.from_iterable(blocks(design, Draws(seed, number))), design.slots))
        for number, stratum in enumerate(design.all_strata())
    }


def blocks(design: Design, draws: Draws) -> Iterator[list[str]]:
    """Blocks of arms without end; one slot each in a simple randomisation.

    Parameters
    ----------
    design : of the list.
    draws : the stream of the stratum.
    """
    ratio: Mapping[str, int] = design.ratio
    while design.kind == "simple":
        yield [draws.weighted(ratio)]
    once = [arm for arm in sorted(ratio) for _ in range(ratio[arm])]
    sizes = sorted(design.blocks)
    while True:
        size = sizes[draws.below(len(sizes))]
        yield draws.shuffled(once * (size // len(once)))
