"""The conditions of arming, each with its name, its state and its reason."""

from __future__ import annotations

from typing import NamedTuple

from workbench.messages import Message

_SENTENCES = {
    "participant_ready": (Message("condition.ready"), Message("condition.not_ready")),
    "decoder_approved": (Message("condition.approved"), Message("condition.not_approved")),
    "montage_good": (Message("condition.montage_good"), Message("condition.montage_not_good")),
    "estop_tested": (Message("condition.stop_tested"), Message("condition.stop_not_tested")),
    "command_acknowledged": (Message("condition.acknowledged"), Message("condition.not_acknowledged")),
    "link_authenticated": (Message("condition.authenticated"), Message("condition.not_authenticated")),
    "operator_present": (Message("condition.present"), Message("condition.not_present")),
    "dose_left": (Message("condition.dose_left"), Message("condition.no_dose_left")),
    "stimulation_allowed": (Message("condition.stimulation"), Message("condition.no_stimulation_limits")),
    "operator": (Message("condition.armed"), Message("condition.not_armed")),
}

CONDITIONS = tuple(_SENTENCES)
"""Keys of the arming conditions, in the order in which they are shown; the operator's act is the last."""


class Condition(NamedTuple):
    """One arming condition: ``key``, whether it is met, and the sentence that says so or why not."""

    key: str
    ok: bool
    text: Message

    @property
    def text_key(self) -> str:
        """Key of its name in the catalogue of screen words, the same whether it is met or not."""
        return f"control.condition.{self.key}"


def condition(key: str, *, ok: bool, instead: Message | None = None) -> Condition:
    """The condition with its sentence.

    Parameters
    ----------
    key : one of :data:`CONDITIONS`.
    ok : whether it is met.
    instead : replaces the sentence when it is not met.
    """
    met, unmet = _SENTENCES[key]
    return Condition(key, ok, met if ok else instead or unmet)
