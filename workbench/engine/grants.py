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
from workbench.live.plan import SessionPlan

PURPOSE = "grant"
"""What the record signs a grant for."""
LIFE_S = 60.0
"""Longest life of a grant, s."""


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
            raise Refused(
                "arming needs a grant of the study record, got none; give the client the record with "
                "client.use_grants(…)"
            )
        payload = self._payload(envelope, decoder_sha256=decoder_sha256)
        left_s = _number(payload, "expires") - world.clock.monotonic()
        if not 0 < left_s <= LIFE_S:
            raise Refused("the grant of the record has expired; ask for a new one and arm again")
        dose = payload.get("dose")
        if not isinstance(dose, Mapping):
            raise Refused("the grant does not state the dose of the day; ask the record for a new one")
        limits = payload.get("limits")
        if not isinstance(limits, Mapping):
            raise Refused("the grant states no limits; ask the record for a new one")
        grant = control.Grant(
            approval_id=str(payload.get("approval_id")),
            participant=str(payload.get("participant")),
            effector=str(payload.get("effector")),
            decoder_sha256=str(payload.get("decoder_sha256")),
            level_max=_number(limits, "level_max"),
            hold_limit_s=_number(limits, "hold_limit_s"),
            dose_s=_number(limits, "dose_s"),
            dose_used_s=sum(_number(dose, run) for run in dose if run not in own_runs),
            expires=lsl.local_clock() + left_s,
        )
        self.nonce = world.chance.token_hex(16)
        return grant

    def _payload(self, envelope: object, *, decoder_sha256: str) -> dict[str, Any]:
        """The signed content, checked against this session."""
        from workbench.study.keys import public_keys, verify_envelope

        if not isinstance(envelope, Mapping):
            raise Refused(f"a grant is a signed envelope, got {type(envelope).__name__}; ask the record for one")
        keys = public_keys(self._plan.study_folder)
        epoch = max(keys, default=0)
        if envelope.get("epoch") != epoch or epoch == 0:
            raise Refused("the grant is not signed with the record's key of today; ask the record for a new one")
        payload = verify_envelope(envelope, keys[epoch], purpose=PURPOSE)
        plan = self._plan
        wanted = {
            "session": plan.session_id,
            "participant": plan.participant,
            "effector": plan.effector,
            "decoder_sha256": decoder_sha256,
            "boot": world.clock.boot_id(),
            "engine": self.nonce,
        }
        for name, value in wanted.items():
            if payload.get(name) != value:
                whose = "another or an earlier engine" if name in ("engine", "boot") else f"another {name}"
                raise Refused(f"the grant of the record is for {whose}; ask for one for this session")
        if payload.get("method") == "script" and not plan.effector_simulated:
            raise Refused("a script cannot be granted a real effector; a person signs in and arms")
        return payload


def _number(content: Mapping[str, Any], name: str) -> float:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not (isfinite(value) and value >= 0):
        raise Refused(f"{name} of the grant must be a number from 0, got {value!r}; ask the record for a new one")
    return float(value)
