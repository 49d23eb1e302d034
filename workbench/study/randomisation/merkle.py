"""A hash tree over the slots of a list: its root commits to all, and a path proves one of them.

A leaf is SHA-256(0 ‖ salt ‖ canonical text), a node SHA-256(1 ‖ left ‖ right): the byte in front keeps a node from
being passed off as a leaf. A node without a partner is passed on to the next level as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

Side = Literal["left", "right"]
Path = tuple[tuple[Side, str], ...]
"""From the leaf upward: on which side the other node stands, and its hash in hexadecimal digits."""


def leaf(salt: bytes, text: bytes) -> str:
    """Salted hash of one text, 64 hexadecimal digits: without the salt no guess can be tried against it."""
    return hashlib.sha256(b"\x00" + salt + text).hexdigest()


def node(left: str, right: str) -> str:
    """Hash of two hashes."""
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def root(leaves: Sequence[str]) -> str:
    """Hash at the top of one leaf or more."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[str], index: int) -> Path:
    """What it takes beside a leaf to reach the root.

    Parameters
    ----------
    leaves : all of them.
    index : of the leaf that is proven.
    """
    level, steps = list(leaves), []
    while len(level) > 1:
        other = index ^ 1
        if other < len(level):
            side: Side = "left" if other < index else "right"
            steps.append((side, level[other]))
        level, index = _above(level), index // 2
    return tuple(steps)


def climb(start: str, steps: Iterable[tuple[Side, str]]) -> str:
    """The root that a leaf and its path lead to.

    Parameters
    ----------
    start : hash of the leaf.
    steps : its path.
    """
    reached = start
    for side, other in steps:
        reached = node(other, reached) if side == "left" else node(reached, other)
    return reached


def _above(level: Sequence[str]) -> list[str]:
    pairs = [node(level[k], level[k + 1]) for k in range(0, len(level) - 1, 2)]
    return pairs + list(level[len(pairs) * 2 :])
