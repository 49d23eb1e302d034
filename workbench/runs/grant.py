"""Grants: the record's signed word that a decoder or a schedule may move an effector of a participant, now.

Issued from the record alone: the approval, its limits (of a schedule, the narrowest approved),
and the activation of the day over all sessions, runs that are not in the record yet included. The engine verifies
it (``workbench.live``); nothing that a client says arms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench import control, messages, world
from workbench.errors import RecordingFault, Refused
from workbench.live.plan import home_sha256
from workbench.messages import Message
from workbench.recording import RunFile, index, run_writer
from workbench.runs.approve import LIMITS
from workbench.stimulation import fingerprint, setup_of
from workbench.study import approvals, home_use, stimulation_limits
from workbench.vocabulary import HomeRule

if TYPE_CHECKING:
    from workbench.study import Signer, Study

PURPOSE = "grant"
LIFE_S = 30.0
"""How long a grant may wait to be used, s."""
LAPSE_S = 5.0
"""What is added where a recording ends with the effector engaged: its safe state takes at most so long, s."""

Request = Mapping[str, Any]
"""What a client asks for: ``session_id``, ``participant``, ``effector``, ``decoder_sha256``, ``engine_nonce``."""


def issue(study: Study, request: Request, *, signer: Signer) -> dict[str, Any]:
    """Sign a grant.

    Parameters
    ----------
    study : the open record.
    request : see :data:`Request`; from the status of the engine that is to verify it.
    signer : who arms; stands in the grant by name and method.

    Returns
    -------
    dict
        The envelope, as ``study.sign`` makes it. Times are s: ``issued`` and ``expires`` by the monotonic clock of
        this computer and boot, ``dose`` activation by run.

    Raises
    ------
    Refused
        When the signer's access was closed since, the record does not hold the session, it has no approval of
        this decoder for its participant and effector, or one of the home that does not hold here and now; the
        decoder was made for another system or task; or a session at home goes by another rule than the protocol in
        force, or has used up its day.
    RecordFault
        When the record is locked or its keys are not on this computer.
    RecordingFault
        When a recording of today cannot be read, so that the dose is not known.
    """
    # The person may have signed in before access was closed; a script is no person.
    if signer.person_id and study.get("person", signer.person_id)["state"] != "active":
        raise Refused(Message("granting.access_closed", name=signer.name))
    session_id, sha256 = str(request["session_id"]), str(request["decoder_sha256"])
    effector = str(request["effector"])
    participant = _participant(study, session_id)
    if participant["pseudonym"] != request["participant"]:
        asked = str(request["participant"])
        raise Refused(Message("granting.other_participant", recorded=participant["pseudonym"], asked=asked))
    approval = _approval(study, sha256, effector=effector, participant=participant, session_id=session_id)
    now = world.clock.monotonic()
    payload = {
        "approval_id": approval["id"],
        "participant": participant["pseudonym"],
        "session": session_id,
        "effector": effector,
        "decoder_sha256": sha256,
        "limits": _limits(effector, approval.get("limits") or {}),
        "dose": dose_of_today(study.path.parent, participant=participant["pseudonym"], effector=effector),
        "stimulation": _stimulation(study, session_id),
        "home": _home(study, session_id, str(participant["id"])),
        "engine": str(request["engine_nonce"]),
        "nonce": world.chance.token_hex(16),
        "boot": world.clock.boot_id(),
        "issued": now,
        # By the monotonic clock, so that setting the wall clock neither shortens nor lengthens it.
        "expires": now + LIFE_S,
        "by": signer.name,
        "method": signer.method,
    }
    return study.sign(payload, purpose=PURPOSE)


def _approval(
    study: Study, mover: str, *, effector: str, participant: Mapping[str, Any], session_id: str
) -> Mapping[str, Any]:
    """The approval of a decoder. A schedule decides nothing: whoever signs the grant answers for it, within the
    narrowest limits that were approved for this effector and participant.

    Parameters
    ----------
    study : the open record.
    mover : hash of the decoder, or :data:`control.SCHEDULE` and a procedure.
    effector : profile name. participant : row. session_id : in whose system and task the decoder is to move it.
    """
    if mover in {f"{control.SCHEDULE}{kind}" for kind in control.SCHEDULED}:
        stated = [
            dict(row["limits"] or {})
            for row in study.approvals(participant_id=str(participant["id"]))
            if row["effector"] == effector and row["decision"] == "approve" and approvals.holds(study, row)
        ]
        names = {name for limits in stated for name in limits}
        return {"id": mover, "limits": {n: min(limits[n] for limits in stated if n in limits) for n in names}}
    _check_system(study, mover, session_id)
    approval = study.approval_of(mover, effector=effector, participant_id=str(participant["id"]))
    place = str(study.get("session", session_id)["plan"].get("place") or "clinic")
    if approval is None or not approvals.holds(study, approval, place=place):
        if approval is not None and approval["method"] == approvals.HOME_RULE:
            raise Refused(_why_not_at_home(study, approval, place))
        raise Refused(_why_not(approval, mover[:8], effector=effector, participant=participant["pseudonym"]))
    return dict(approval)


def _stimulation(study: Study, session_id: str) -> str:
    """Fingerprint of what a session stimulates with, whose limits are in force; ``""`` where nothing does."""
    stored = study.get("session", session_id)["plan"].get("stimulation")
    if not stored:
        return ""
    setup, force = setup_of(stored), stimulation_limits.in_force(study)
    for signed in setup.limits:
        electrode = signed.limits.electrode
        if force.get(electrode) != signed:
            raise Refused(Message("stimulation.not_in_force", electrode=electrode))
    return fingerprint(setup)


def _home(study: Study, session_id: str, participant_id: str) -> str:
    """Hash of the rule of a session at home, which is that of the protocol in force; ``""`` elsewhere.

    Raises
    ------
    Refused
        Where the protocol has no such rule, or has another one by now, and once the use of the day is over.
    """
    plan = study.get("session", session_id)["plan"]
    if plan.get("place") != "home":
        return ""
    rule = home_use.rule_of(study, participant_id)
    if rule is None or not plan.get("home"):
        raise Refused(Message("home.no_rule"))
    if HomeRule(**plan["home"]) != rule:
        raise Refused(Message("home.other_rule"))
    today = world.clock.local().date()
    used = home_use.of_participant(study, participant_id, today).minutes_of(today)
    if used >= rule.day_min:
        raise Refused(Message("home.day_over", used=f"{used:.0f}", most=f"{rule.day_min:g}"))
    return home_sha256(rule)


def issuer(study: Study, signer: Signer) -> Callable[[Request], dict[str, Any]]:
    """What a client needs to arm by itself: ``client.use_grants(issuer(study, signer))``.

    The record is opened again for each grant, so that the study may be closed and the caller on any thread.
    """
    folder = study.path.parent

    def issued(request: Request) -> dict[str, Any]:
        from workbench.study import Study

        with Study.open(folder, actor=signer.name) as opened:
            return issue(opened, request, signer=signer)

    return issued


def _why_not(approval: Mapping[str, Any] | None, sha256: str, *, effector: str, participant: str) -> Message:
    decoder = sha256 or Message("word.none")
    if approval is None:
        return Message("granting.not_approved", hash=decoder, effector=effector, participant=participant)
    if approval["decision"] == "approve":
        return Message("granting.approved_by_script", hash=decoder, effector=effector, participant=participant)
    decision = str(approval["decision"])
    return Message("granting.decided", hash=decoder, decision=decision, effector=effector, participant=participant)


def _why_not_at_home(study: Study, approval: dict[str, Any], place: str) -> Message:
    """Why a decoder that was made at home is not granted; of one that was refused or taken back, that."""
    decoder = str(approval["decoder_sha256"])[:8]
    if approval["decision"] == "approve" and place != home_use.PLACE:
        return Message("granting.home_only", hash=decoder)
    why = approvals.why_not_at_home(study, approval) or Message("recalibration.replaced")
    return Message("granting.home_over", hash=decoder, why=why)


def _check_system(study: Study, sha256: str, session_id: str) -> None:
    """Refuse a decoder that was made for another system or task, even with the same effector and channels."""
    used = approvals.system_of(study.get("session", session_id))
    for decoder in study.rows("decoder", sha256=sha256):
        if not approvals.serves(study, decoder, used):
            made_for = sorted(approvals.systems_of(study, decoder))
            raise Refused(Message("granting.other_system", hash=sha256[:8], made_for=made_for, used=used))


def _participant(study: Study, session_id: str) -> dict[str, Any]:
    """The participant of a session, by the record."""
    sessions = study.rows("session", id=session_id)
    if not sessions:
        raise Refused(Message("granting.session_unknown", id=session_id))
    (visit,) = study.rows("visit", id=sessions[0]["visit_id"])
    (participant,) = study.rows("participant", id=visit["participant_id"])
    return dict(participant)


def _limits(effector: str, approved: Mapping[str, Any]) -> dict[str, float]:
    """The approval's limits; where it states none, the profile's. Refused for one that nobody keeps."""
    for name in sorted(set(approved) - set(LIMITS)):
        raise Refused(Message("granting.limit_unknown", name=f"{name!r:.40}", allowed=LIMITS))
    profile = control.profile_limits(control.load(effector))
    return {name: float(approved.get(name, getattr(profile, name))) for name in LIMITS}


def dose_of_today(folder: Path, *, participant: str, effector: str) -> dict[str, float]:
    """Activation in s of each run that a participant had with an effector today, from the recordings themselves.

    Parameters
    ----------
    folder : of the study.
    participant : pseudonym.
    effector : profile name.

    Raises
    ------
    RecordingFault
        When a recording of today cannot be read.
    """
    today = world.clock.local().date()
    dose: dict[str, float] = {}
    for path in sorted((folder / "recordings").glob("*.xdf")):
        # One dated in the future counts too: the clock was set, and no dose is forgotten for it.
        if datetime.fromtimestamp(path.stat().st_mtime).astimezone().date() < today:
            continue
        try:
            given = _given(path, (*_version(path), *_version(index.path_of(path))))
        except RecordingFault as error:
            raise RecordingFault(
                Message("granting.dose_unknown", file=path.name, why=messages.of(error), path=str(path))
            ) from error
        if given.participant == participant and given.effector == effector:
            dose[given.run] = given.seconds
    return dose


class _Given(NamedTuple):
    """What one recording says of its dose."""

    run: str
    participant: str
    effector: str
    seconds: float


def _version(path: Path) -> tuple[int, ...]:
    """What tells a file from what it was before; empty where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


# Remembered by the version of the file and its index: each grant of a day asks for all its recordings again.
@lru_cache(maxsize=1024)
def _given(path: Path, _versions: tuple[int, ...]) -> _Given:
    """The dose of one recording; not remembered where it cannot be read."""
    # Events and commands say it of a whole recording, however large its signals are.
    file = RunFile(path, damaged="skip", only=(run_writer.EVENTS, run_writer.COMMANDS))
    if file.file.damaged or _is_sham(file):
        file = RunFile(path, damaged="skip")
    run, participant, effector = (str(file.plan.get(name, "")) for name in ("run", "participant", "effector"))
    return _Given(run, participant, effector, _dose_of(file))


def _dose_of(file: RunFile) -> float:
    """Activation of one run; of a damaged recording its whole length, since commands may be missing."""
    if not file.file.damaged:
        return activation_s(file)
    stamps = file.signal.stamps[np.isfinite(file.signal.stamps)]
    longest = float(np.ptp(stamps)) if len(stamps) else 0.0
    # What a sham asked for is not recomputed from less than everything: its whole length counts.
    return (longest if _is_sham(file) else max(activation_s(file), longest)) + LAPSE_S


def _is_sham(file: RunFile) -> bool:
    stimulation = file.plan.get("stimulation") or {}
    return dict(stimulation.get("programme") or {}).get("mode") == "sham"


def activation_s(file: RunFile) -> float:
    """Stream time in s during which a level above 0 was asked for; in a sham too, whose commands have none.

    Parameters
    ----------
    file : with its commands; of a sham with everything that its commands are recomputed from.
    """
    # By sequence number: stamps may jump, and then a span would begin before it ended.
    commands = sorted(file.commands(), key=lambda command: command.seq)
    asked = [(command.stamp, any(command.level)) for command in commands]
    if _is_sham(file):
        asked = [(one.stamp, any(one.asked_ma)) for one in control.given(file.control(), file.decisions())]
    return sum(_spans(asked, end=commands[-1].stamp if commands else 0.0))


def _spans(asked: Iterable[tuple[float, bool]], *, end: float) -> Iterator[float]:
    since: float | None = None
    for stamp, engaged in asked:
        if engaged and since is None:
            since = stamp
        elif not engaged and since is not None:
            yield max(0.0, stamp - since)
            since = None
    if since is not None:
        yield max(0.0, end - since) + LAPSE_S
