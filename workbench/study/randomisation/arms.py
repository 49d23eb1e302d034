"""The arm of one minimised allocation, encrypted by itself: a minimisation has no list to seal beforehand.

The key comes from the secret, the number of the draw and the state that :func:`minimise` gave. The state depends
on all that the arm depends on, so that one key never seals two arms.
"""

from __future__ import annotations

import json

from workbench.errors import RecordFault
from workbench.messages import Message
from workbench.study.chain import canonical
from workbench.study.randomisation.sealing import NONCE
from workbench.study.randomisation.secret import Secret


def seal_arm(secret: Secret, n: int, state: str, arm: str) -> bytes:
    """The ciphertext of an arm; equally long for each arm of the design.

    Parameters
    ----------
    secret : of a minimisation.
    n, state : number and state of the draw.
    arm : that it gave.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    length = max(len(_text(secret, n, state, other)) for other in secret.design.ratio)
    key, _ = secret.slot_keys(state, n)
    # JSON holds no zero byte, so that the padding can be told from the text.
    return AESGCM(key).encrypt(NONCE, _text(secret, n, state, arm).ljust(length, b"\x00"), None)


def open_arm(secret: Secret, n: int, state: str, cipher: bytes) -> str:
    """The arm of a ciphertext.

    Parameters
    ----------
    secret : of the same minimisation.
    n, state : of the same draw.
    cipher : as :func:`seal_arm` gave it.

    Raises
    ------
    RecordFault
        When it is not what was sealed for this draw, or the secret is another.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, _ = secret.slot_keys(state, n)
    try:
        text = AESGCM(key).decrypt(NONCE, cipher, None).rstrip(b"\x00")
    except (InvalidTag, ValueError) as error:
        raise RecordFault(Message("allocation.arm_changed", list=secret.list_id, n=n)) from error
    return str(json.loads(text)[3])


def _text(secret: Secret, n: int, state: str, arm: str) -> bytes:
    return canonical([secret.list_id, state, n, arm]).encode()
