"""Pseudonyms: drawn at random, read aloud without doubt, with a check character that finds what was misread.

``K7QF-M3XH-V``, behind a prefix such as that of a site ``NEO-K7QF-M3XH-7``. The check character is that of
ISO/IEC 7064:2003, MOD 37-2, over prefix and code: character ``i`` from the right, from 0, weighs ``2 ** i``, and
the sum is 1 modulo 37. As 37 is prime and no weight is a multiple of it, every single wrong character changes the
sum; as 2 is a primitive root of 37, the weights of a code all differ, so that any two characters that changed
places change it too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container

from workbench import world
from workbench.errors import BadValue
from workbench.messages import Message

ALPHABET = "34679CDFGHJKMNPQRTVWXY"
"""None of 0 O, 1 I L, 2 Z, 5 S, 8 B, of U and V only V, and neither A nor E, so that hardly a word comes out."""
DRAWN = 8
"""Characters drawn. Of 10,000 codes that know nothing of each other, two are equal in about 1 of 650 studies."""
LONGEST_PREFIX = 12
VALUES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
"""Each character stands for its place; the last one is only ever a check character, and never one of ours."""
MODULUS = len(VALUES)


def new(prefix: str, taken: Container[str], chance: world.Chance) -> str:
    """A pseudonym that is not taken, drawn at random and never counted up, so that it tells nothing.

    Parameters
    ----------
    prefix : in front of the code, such as that of a site; ``""`` for none.
    taken : pseudonyms that are in use or ever were.
    chance : draws it; ``world.chance``.

    Raises
    ------
    BadValue
        When the prefix has anything but letters A to Z and digits, or is too long.
    """
    start = prefix.upper()
    if len(start) > LONGEST_PREFIX or not set(start) <= set(VALUES[:-1]):
        raise BadValue(Message("identities.prefix", most=LONGEST_PREFIX, got=repr(prefix[:40])))
    while True:
        body = start + "".join(chance.choice(ALPHABET) for _ in range(DRAWN))
        code = body + _check_character(body)
        # A check character outside the alphabet could be misread itself: another draw.
        if code[-1] in ALPHABET and _shown(code) not in taken:
            return _shown(code)


def checked(text: str) -> str:
    """A pseudonym as it is written, from one that was typed: in small or full-width letters, blanks or none.

    Raises
    ------
    BadValue
        When it is too short or too long, a character is none of a code, or the check character does not fit. The
        sentence does not repeat what was typed, which may be a name in the wrong place.
    """
    typed = unicodedata.normalize("NFKC", text).upper()
    code = "".join(c for c in typed if not c.isspace() and unicodedata.category(c) != "Pd")
    if not DRAWN < len(code) <= LONGEST_PREFIX + DRAWN + 1:
        raise BadValue(Message("identities.code_length", n=DRAWN + 1, most=LONGEST_PREFIX, got=len(code)))
    prefix = len(code) - DRAWN - 1
    wrong = [n for n, c in enumerate(code, start=1) if c not in (VALUES[:-1] if n <= prefix else ALPHABET)]
    if wrong:
        raise BadValue(Message("identities.code_character", n=wrong[0], allowed=ALPHABET))
    if _check_character(code[:-1]) != code[-1]:
        raise BadValue(Message("identities.code_check"))
    return _shown(code)


def _check_character(body: str) -> str:
    total = 0
    for character in body:
        total = (total + VALUES.index(character)) * 2 % MODULUS
    return VALUES[(1 - total) % MODULUS]


def _shown(code: str) -> str:
    """In groups that are read aloud at once."""
    groups = (code[: -DRAWN - 1], code[-DRAWN - 1 : -5], code[-5:-1], code[-1])
    return "-".join(group for group in groups if group)
