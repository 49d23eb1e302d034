"""The arm of one minimised allocation, encrypted by itself: a minimisation has no list to seal beforehand.

The key comes from the secret, the number of the draw and the state that :func:`minimise` gave. The state depends
on all that the arm depends on, so that one key never seals two arms.
"""

from __future__ import annotations

import json

from workbench.errors import RecordFault
from workbench.messages import Message
from workbench.study.chain import canonical
from workbench.study.randomisation.sealing import decrypted, encrypted
from workbench.study.randomisation.secret import Secret


def seal_arm(secret: Secret, n: int, state: str, arm: str) -> bytes:
    """The ciphertext of an arm; equally long for each arm of the design.

    Parameters
    ----------
    secret : of a minimisation.
    n, state : number and state of the draw.
    arm : that it gave.
    """
    length = max(len(_text(secret, n, state, other)) for other in secret.design.ratio)
    key, _ = secret.slot_keys(state, n)
    return encrypted(key, _text(secret, n, state, arm), length)


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
    key, _ = secret.slot_keys(state, n)
    text = decrypted(key, cipher)
    if text is None:
        raise RecordFault(Message("allocation.arm_changed", list=secret.list_id, n=n))
    return str(json.loads(text)[3])


def _text(secret: Secret, n: int, state: str, arm: str) -> bytes:
    return canonical([secret.list_id, state, n, arm]).encode()
