"""Draws from a seed: the same on every machine, and with every version of NumPy that keeps its word.

NumPy promises that a seed gives the same raw integers of PCG64 for ever, and does not promise it for the methods
of ``Generator`` (its compatibility policy, NEP 19). So only raw integers are taken from it; bounded integers and
permutations are made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from workbench import world
from workbench.errors import BadValue
from workbench.messages import Message

GENERATOR_VERSION = 1
"""Stored with every list; raised with any change by which a seed would give another list or another arm."""
SEED_BITS = 128
MOST_NUMBER = 2**32 - 1
"""Largest number of a stream."""
T = TypeVar("T")


class Draws:
    """One of the streams of a seed: PCG64 seeded by ``SeedSequence(seed, spawn_key=(number,))``.

    Parameters
    ----------
    seed : of 128 bits.
    number : of the stream, 0 to 2³²−1: the stratum of a list, the draw of a minimisation.

    Raises
    ------
    BadValue
        For a seed or number that is none.
    """

    __slots__ = ("_raw",)

    def __init__(self, seed: int, number: int) -> None:
        check_seed(seed)
        if type(number) is not int or not 0 <= number <= MOST_NUMBER:
            raise BadValue(Message("randomisation.number", most=MOST_NUMBER, got=f"{number!r:.60}"))
        # Four words and then the number is what SeedSequence makes of seed and spawn key.
        words = [seed >> shift & 0xFFFFFFFF for shift in range(0, SEED_BITS, 32)]
        self._raw = world.chance.generator([*words, number]).bit_generator.random_raw

    def below(self, n: int) -> int:
        """An integer of 0 to ``n − 1``, each as likely: what does not divide evenly is drawn again."""
        even = 2**64 - 2**64 % n
        while (raw := int(self._raw())) >= even:
            pass
        return raw % n

    def unit(self) -> float:
        """A float64 of [0, 1) with 53 random bits."""
        return float((int(self._raw()) >> 11) / 2**53)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order, each as likely (Fisher–Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def weighted(self, weights: Mapping[str, int]) -> str:
        """A name, as likely as its whole weight says; names count in the order of their code points."""
        left = self.below(sum(weights.values()))
        for name in sorted(weights):
            left -= weights[name]
            if left < 0:
                return name
        raise AssertionError("the weights add up")


def check_seed(seed: int) -> None:
    """Refuse what is no seed. The sentence does not show it, because it may be a secret with a slip.

    Raises
    ------
    BadValue
        For anything but an integer of at most 128 bits.
    """
    if type(seed) is not int or not 0 <= seed < 2**SEED_BITS:
        raise BadValue(Message("randomisation.seed", bits=SEED_BITS, kind=type(seed).__name__))
