"""What the study record grants: one decoder may move one effector of one participant, within limits."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from workbench.control._machine import Now
from workbench.control._profile import Effector
from workbench.control._supervisor import Limits, check_limits
from workbench.errors import Refused
from workbench.messages import Message


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant of the record. Whoever makes this object has verified its signature.

    Attributes
    ----------
    approval_id, participant : the approval it rests on, and for whom.
    effector, decoder_sha256 : what it allows to be moved, and by which decoder.
    level_max : highest level, fraction 0–1.
    hold_limit_s, dose_s : longest activation, and activation in a day, s.
    dose_used_s : activation of that day outside of this session, runs that are not in the record yet included, s.
    expires : local monotonic time of this computer after which it no longer arms, s.
    """

    approval_id: str
    participant: str
    effector: str
    decoder_sha256: str
    level_max: float
    hold_limit_s: float
    dose_s: float
    dose_used_s: float
    expires: float

    def limits(self, effector: Effector, *, decoder_sha256: str, now: Now) -> Limits:
        """The limits it sets.

        Parameters
        ----------
        effector : the profile in use.
        decoder_sha256 : the loaded decoder.
        now : the controller's time.

        Raises
        ------
        Refused
            When it is for another effector or decoder, has expired, or states no amount of dose used.
        BadValue
            When a limit is wider than the profile's.
        """
        # Checked again although the engine has compared them: the controller relies on no caller for what may
        # move.
        if self.effector != effector.name:
            raise Refused(Message("grant.other_effector", effector=self.effector, wanted=effector.name))
        if self.decoder_sha256 != decoder_sha256:
            loaded = decoder_sha256[:8] or Message("word.none")
            raise Refused(Message("grant.other_decoder", hash=self.decoder_sha256[:8], loaded=loaded))
        # Not `>=`: an expiry that is not a number has passed.
        if not now.local < self.expires:
            raise Refused(Message("grant.expired"))
        if not (isfinite(self.dose_used_s) and self.dose_used_s >= 0):
            raise Refused(Message("grant.no_dose_used", n=f"{self.dose_used_s}"))
        limits = Limits(self.approval_id, self.level_max, self.hold_limit_s, self.dose_s)
        return check_limits(limits, effector)
