"""The conformance certificate of a site's effector, as ``workbench conform effector --study`` keeps it.

A certificate speaks for the driver that was tested. A device names its driver in its signed statuses, so that the
engine can hold one against the other before anything is armed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from workbench import control, reading
from workbench.errors import BadValue
from workbench.messages import Message

FOLDER = "certificates"
LARGEST = 2**20
"""Bytes of the largest certificate that is read."""


def place(folder: Path, effector: str) -> Path:
    """Where a study keeps the certificate of an effector profile."""
    return folder / FOLDER / f"{control.load(effector).name}.json"


@dataclass(frozen=True, slots=True)
class EffectorCertificate:
    """What a certificate says of the driver that was tested.

    Attributes
    ----------
    effector : name of the profile.
    driver : version and hash as the device stated them, ``""`` where it states none.
    made_at : when it was tested, UTC.
    failed : facts that did not hold.
    sha256 : of its file.
    """

    effector: str
    driver: str
    made_at: str
    failed: tuple[str, ...]
    sha256: str

    @classmethod
    def of(cls, content: Any, *, sha256: str, what: str) -> Self:
        """The certificate of a JSON text.

        Parameters
        ----------
        content : parsed.
        sha256 : of the file.
        what : names it in a refusal.

        Raises
        ------
        BadValue
            When it is no certificate of an effector.
        """
        try:
            if content["format"] != 1 or content["kind"] != "effector" or not content["checks"]:
                raise ValueError(content["kind"])
            about = content["about"]
            # Counted from the facts: the word "held" beside them could be another one.
            failed = tuple(str(check["fact"]) for check in content["checks"] if check["held"] is not True)
            return cls(
                str(about["effector"]), str(about.get("driver", "")), str(content["made_at"]), failed, sha256
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadValue(Message("certificate.not_one", what=what)) from error

    def plan_entry(self) -> dict[str, str]:
        """What the plan of a session says of it."""
        return {"driver": self.driver, "made_at": self.made_at, "sha256": self.sha256}


def load(folder: Path, effector: str) -> EffectorCertificate | None:
    """The certificate that a study keeps for an effector, None without one.

    Raises
    ------
    BadValue
        When what is kept is no certificate of that effector.
    """
    path = place(folder, effector)
    if not reading.is_there(path, "certificate"):
        return None
    data = reading.read_bytes(path, "certificate", largest=LARGEST)
    what = f"{FOLDER}/{path.name}"
    found = EffectorCertificate.of(
        reading.parse_json(data, what), sha256=hashlib.sha256(data).hexdigest(), what=what
    )
    if found.effector != effector:
        raise BadValue(Message("certificate.other_effector", what=what, got=found.effector, effector=effector))
    return found


def judge(folder: Path, effector: str) -> Mapping[str, Any]:
    """What a real effector's certificate means for a session: ``state`` and ``text``.

    The state is ``"held"``, ``"none"`` (the profile asks for none), or ``"refused"``.

    Parameters
    ----------
    folder : of the study.
    effector : name of the profile.
    """
    try:
        found = load(folder, effector)
    except BadValue as error:
        return {"state": "refused", "text": str(error)}
    if found is None:
        if control.load(effector).needs_certificate:
            return {"state": "refused", "text": Message("certificate.needed", effector=effector)}
        return {"state": "none", "text": Message("certificate.none", effector=effector)}
    on = found.made_at[:10]
    if found.failed:
        failed = Message("certificate.failed", effector=effector, on=on, n=len(found.failed), fact=found.failed[0])
        return {"state": "refused", "text": failed}
    if not found.driver:
        return {"state": "held", "text": Message("certificate.held_unnamed", on=on)}
    return {"state": "held", "text": Message("certificate.held", on=on, driver=found.driver)}
