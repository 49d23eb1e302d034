"""Arming is granted by the record: the engine verifies a short-lived signed grant and believes no client.

A grant is an envelope that the record signs (``workbench.runs.grant`` issues it). It names session, participant,
effector and decoder, the limits, the activation of the day run by run, and a nonce of this engine, so that it
arms once, here, and within its life. A record that is locked or gone means no arming, never no release.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any

from workbench import control, world
from workbench.devices import lsl
from workbench.errors import Refused
from workbench.live.plan import SessionPlan, home_sha256
from workbench.messages import Message
from workbench.stimulation import fingerprint

PURPOSE = "grant"
"""What the record signs a grant for."""
LIFE_S = 60.0
"""Longest life of a grant, s."""
OTHERS = {
    "session": Message("grant.other_session"),
    "participant": Message("grant.other_participant"),
    "effector": Message("grant.another_effector"),
    "decoder_sha256": Message("grant.another_decoder"),
    "boot": Message("grant.other_engine"),
    "engine": Message("grant.other_engine"),
    "stimulation": Message("grant.other_stimulation"),
    "home": Message("grant.other_home_rule"),
}
"""What a grant may be for instead, by the field in which it differs."""


class GrantGate:
    """Verifies the grants of one session.

    Parameters
    ----------
    plan : of the session.
    """

    def __init__(self, plan: SessionPlan) -> None:
        self._plan = plan
        self.nonce = world.chance.token_hex(16)

    def approves(self, envelope: object, *, decoder_sha256: str) -> bool:
        """Whether the record vouches that a decoder is approved for this session; it does not expire here.

        False without an envelope.

        Raises
        ------
        Refused
            When there is one that does not hold.
        """
        if envelope is None or not decoder_sha256 or self._plan.effector is None:
            return False
        self._payload(envelope, decoder_sha256=decoder_sha256)
        return True

    def arming(self, envelope: object, *, decoder_sha256: str, own_runs: Collection[str]) -> control.Grant:
        """The grant of an envelope; its nonce is used up.

        Parameters
        ----------
        envelope : from the client; may be anything.
        decoder_sha256 : the loaded decoder.
        own_runs : runs of this engine, whose activation it counts itself.

        Raises
        ------
        Refused
            When it is missing, forged, expired, used, or for another session, participant, effector or decoder.
        """
        if envelope is None:
            raise Refused(Message("grant.needed"))
        payload = self._payload(envelope, decoder_sha256=decoder_sha256)
        # The record and the engine run on one computer under one boot, so their monotonic clocks compare.
        left_s = _number(payload, "expires") - world.clock.monotonic()
        if not 0 < left_s <= LIFE_S:
            raise Refused(Message("grant.expired"))
        dose = payload.get("dose")
        if not isinstance(dose, Mapping):
            raise Refused(Message("grant.no_dose"))
        limits = payload.get("limits")
        if not isinstance(limits, Mapping):
            raise Refused(Message("grant.no_limits"))
        grant = control.Grant(
            approval_id=str(payload.get("approval_id")),
            participant=str(payload.get("participant")),
            effector=str(payload.get("effector")),
            decoder_sha256=str(payload.get("decoder_sha256")),
            level_max=_number(limits, "level_max"),
            hold_limit_s=_number(limits, "hold_limit_s"),
            dose_s=_number(limits, "dose_s"),
            # Runs of this engine are left out: its controller has counted them already.
            dose_used_s=sum(_number(dose, run) for run in dose if run not in own_runs),
            expires=lsl.local_clock() + left_s,
        )
        # Only a grant that is true uses the nonce up: a forged one must not spoil the operator's.
        self.nonce = world.chance.token_hex(16)
        return grant

    def _payload(self, envelope: object, *, decoder_sha256: str) -> dict[str, Any]:
        """The signed content, checked against this session."""
        # Only arming needs cryptography; a start does not wait for its import.
        from workbench.study.keys import public_keys, verify_envelope

        if not isinstance(envelope, Mapping):
            raise Refused(Message("grant.no_envelope", got=type(envelope).__name__))
        keys = public_keys(self._plan.study_folder)
        # The newest key alone: older ones verify the past, and whoever kept one must not arm anything.
        epoch = max(keys, default=0)
        if envelope.get("epoch") != epoch or epoch == 0:
            raise Refused(Message("grant.other_key"))
        payload = verify_envelope(envelope, keys[epoch], purpose=PURPOSE)
        plan = self._plan
        expected = {
            "session": plan.session_id,
            "participant": plan.participant,
            "effector": plan.effector,
            "decoder_sha256": decoder_sha256,
            "boot": world.clock.boot_id(),
            "engine": self.nonce,
            "stimulation": fingerprint(plan.stimulation),
            "home": home_sha256(plan.home),
        }
        for name, value in expected.items():
            # Of what does not stimulate, and elsewhere than at home, a grant says nothing.
            if payload.get(name, "") != value:
                raise Refused(Message("grant.for_other", whose=OTHERS[name]))
        if payload.get("method") == "script" and not plan.effector_simulated:
            raise Refused(Message("grant.script"))
        return payload


def _number(content: Mapping[str, Any], name: str) -> float:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not (isfinite(value) and value >= 0):
        raise Refused(Message("grant.no_number", name=name, got=repr(value)))
    return float(value)
