"""The conditions of arming, each with its name, its state and its reason."""

from __future__ import annotations

from typing import NamedTuple

_SENTENCES = {
    "participant_ready": ("The participant is ready.", "The participant has not been confirmed ready."),
    "decoder_approved": (
        "The decoder is the approved one.",
        "No decoder is loaded whose hash is the approved one.",
    ),
    "montage_good": ("The montage is good.", "Signal quality is bad or not known yet."),
    "estop_tested": (
        "The stop was tested in this session.",
        "The effector has not acknowledged a test of the stop.",
    ),
    "command_acknowledged": (
        "The effector acknowledged the self-test command.",
        "The effector has not acknowledged a self-test command.",
    ),
    "link_authenticated": (
        "The link to the effector is authenticated and nobody else uses its names.",
        "Another stream bears a name of this session's effector.",
    ),
    "operator_present": ("An operator's screen answers.", "No operator's screen answers."),
    "dose_left": ("Dose is left in this session.", "The dose of this session is used."),
    "operator": ("The operator has armed.", "The operator has not armed."),
}

CONDITIONS = tuple(_SENTENCES)
"""Keys of the arming conditions, in the order in which they are shown; the operator's act is the last."""


class Condition(NamedTuple):
    """One arming condition: ``key``, whether it is met, and the sentence that says so or why not."""

    key: str
    ok: bool
    text: str

    @property
    def text_key(self) -> str:
        """Key of its name in the catalogue of screen words, the same whether it is met or not."""
        return f"control.condition.{self.key}"


def condition(key: str, *, ok: bool, instead: str = "") -> Condition:
    """The condition with its sentence.

    Parameters
    ----------
    key : one of :data:`CONDITIONS`.
    ok : whether it is met.
    instead : replaces the sentence when it is not met.
    """
    met, unmet = _SENTENCES[key]
    return Condition(key, ok, met if ok else instead or unmet)
