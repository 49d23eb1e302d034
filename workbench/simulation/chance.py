"""Random numbers of a virtual world: all from its seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from workbench.world import Chance


class VirtualChance(Chance):
    """What looks unforeseeable to the code, foretold by the seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"chance {seed}")

    def token_bytes(self, n: int) -> bytes:
        return self._random.randbytes(n)

    def token_hex(self, n: int) -> str:
        return self._random.randbytes(n).hex()

    def randbits(self, k: int) -> int:
        return self._random.getrandbits(k)

    def choice(self, values: str) -> str:
        return self._random.choice(values)

    def generator(self, seed: int | Sequence[int] | None = None) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(self._random.getrandbits(128) if seed is None else seed))
