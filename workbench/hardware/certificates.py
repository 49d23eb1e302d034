"""Conformance certificates of a site, of effectors and presenters, as ``workbench conform … --study`` keeps them.

That of an effector is valid for the driver that was tested. A device names its driver in its signed statuses, so
that the engine can compare the two before anything is armed. That of a presenter is valid for the stream of its
markers; one that failed keeps the runs that depend on it from starting.
"""

from __future__ import annotations

import hashlib
import re
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


def place_of_presenter(folder: Path, markers: str) -> Path:
    """Where a study keeps the certificate of the presenter whose markers come by the stream of that name."""
    # What is no letter of a file name is written by its number, so that no two streams share a file.
    plain = re.sub(r"[^A-Za-z0-9_-]", lambda found: f"%{ord(found.group()):x}", markers)
    return folder / FOLDER / f"presenter-{plain}.json"


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
            about, failed = content["about"], tuple(str(one["fact"]) for one in _failed(content, "effector"))
            return cls(
                str(about["effector"]), str(about.get("driver", "")), str(content["made_at"]), failed, sha256
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadValue(Message("certificate.not_one", what=what)) from error

    def plan_entry(self) -> dict[str, str]:
        """What the plan of a session says of it."""
        return {"driver": self.driver, "made_at": self.made_at, "sha256": self.sha256}


def _failed(content: Any, kind: str) -> list[Mapping[str, Any]]:
    """Facts of a parsed certificate that did not hold; raises ValueError for one of another kind."""
    if content["format"] != 1 or content["kind"] != kind or not content["checks"]:
        raise ValueError(content["kind"])
    # Counted from the facts: the field "held" beside them may contradict them.
    return [check for check in content["checks"] if check["held"] is not True]


def load(folder: Path, effector: str) -> EffectorCertificate | None:
    """The certificate that a study keeps for an effector, None without one.

    Raises
    ------
    BadValue
        When what is kept is no certificate of that effector.
    """
    path = place(folder, effector)
    if not reading.is_there(path, Message("file.noun_certificate")):
        return None
    data = reading.read_bytes(path, Message("file.noun_certificate"), largest=LARGEST)
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


def refusal_of_presenter(folder: Path, markers: str, *, most_error_ms: float) -> str:
    """Why a presenter may not be used after what a photodiode found, one sentence; ``""`` where it may.

    One that nobody has tested is not refused.

    Parameters
    ----------
    folder : of the study.
    markers : name of the stream of its markers.
    most_error_ms : how far the light may lie from its marker, ms.
    """
    path = place_of_presenter(folder, markers)
    if not reading.is_there(path, Message("file.noun_certificate")):
        return ""
    what = f"{FOLDER}/{path.name}"
    try:
        data = reading.read_bytes(path, Message("file.noun_certificate"), largest=LARGEST)
        content = reading.parse_json(data, what)
        failed = _failed(content, "presenter")
        named, on = str(content["subject"]), str(content["made_at"])[:10]
        # Of a test that failed early nothing more may be known.
        error_ms = float(content["about"].get("error_ms", "nan"))
        fact, measured, allowed = (
            (str(failed[0][name]) for name in ("fact", "measured", "allowed")) if failed else ("", "", "")
        )
    except (BadValue, KeyError, TypeError, ValueError, AttributeError):
        return Message("certificate.not_of_presenter", what=what)
    if named != markers:
        return Message("certificate.not_of_presenter", what=what)
    if failed:
        return Message(
            "certificate.presenter_failed",
            markers=markers,
            on=on,
            n=len(failed),
            fact=fact,
            measured=measured,
            allowed=allowed,
        )
    # Negated: an error that is not known is none that is allowed.
    if not error_ms <= most_error_ms:
        return Message(
            "certificate.presenter_error",
            markers=markers,
            on=on,
            got=f"{error_ms:.1f}",
            allowed=f"{most_error_ms:.1f}",
        )
    return ""
