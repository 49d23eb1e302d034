"""Decide on a decoder: approve, reject or withdraw it. The only place where such a decision is made.

A decision is one append-only row of the record: the decoder's hash, the effector and participant it is for, who
decided and how that was confirmed, each check with its value and limit as it stood, and the reason. Nothing is
overwritten; the newest decision holds.

A person signs it, or a script in a simulation. At home the rule of the protocol decides, see :func:`by_home_rule`:
a decoder that passes every check and every bound is taken, any other one is not, and nobody is asked for a reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from workbench import analysis, decoders, messages, reading
from workbench.errors import BadValue, RecordFault, Refused, UnknownName, WorkbenchError
from workbench.messages import Message, restored
from workbench.study import Confirmation, Signer, Study, approvals, home_use, planned, utc_now
from workbench.study.approvals import HOME_RULE, AtHome, may_be_scripted, recordings_of, serves, systems_of
from workbench.study.files import decoder_hash
from workbench.vocabulary import Approval, ApprovalDecision, ApprovalMethod, FittedDecoder, RecalibrationRule

FIT = "fit.json"
"""What the fit found, beside the decoder's own files."""
MOST_SKIPPED = 0.1
"""Fraction of training windows that may be left out before somebody has to say why it may be used."""
MOST_FALSE_PER_MIN = 2.0
"""False starts a minute of rest, over held-out trials, above which somebody has to say why it may be used."""
LEAST_CORRELATION = 0.5
"""Correlation of spatial patterns between runs, below which somebody has to say why it may be used."""
LEAST_SILENT = 0.9
"""Fraction of attempts in which a muscle has to be silent, or somebody has to say why it may be used."""
MOST_NOISY = 0.1
"""Fraction of cued periods in which a channel may be noisy before somebody has to say why it may be used."""
MOST_JSON = 16_000_000
LIMITS = ("level_max", "hold_limit_s", "dose_s")
"""Limits that an approval may state: highest level (fraction 0–1), longest activation and dose of a day (s)."""
HARD = ("file", "participant", "system")
"""Checks that nobody may pass over."""
VERBS = {"reject": Message("approval.reject"), "withdraw": Message("approval.withdraw")}

CheckState = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a decoder.

    Attributes
    ----------
    name : ``"file"``, ``"participant"``, ``"system"``, ``"accuracy"``, ``"accuracy_by_run"``, ``"onset"``,
        ``"false_starts"``, ``"windows"``, ``"pattern"``, ``"muscle"``, ``"channels"``, ``"compared"``; of the rule
        for use at home ``"rule"``, ``"site"``, ``"present"``, ``"age"``, ``"in_a_row"``, ``"recipe"``, ``"data"``,
        ``"least"``, ``"worse"``.
    value, limit : as shown, with units; ``limit`` ``""`` where there is none.
    state : ``"pass"``, ``"warn"`` (needs a reason) or ``"fail"`` (refused).
    text : what it says, one sentence.
    """

    name: str
    value: str
    limit: str
    state: CheckState
    text: str


# ------------------------------------------------------------------------------------ entering
def enter(study: Study, fitted: Mapping[str, Any]) -> str:
    """Enter a fitted decoder, so that it awaits a decision on every page. Returns its hash.

    Parameters
    ----------
    study : the open record.
    fitted : what ``runs.run_fit`` returned: ``sha256``, ``name``, ``folder``, ``recordings``, ``metrics``.
    """
    sha256 = str(fitted["sha256"])
    # The same data and settings give the same hash, and one row: fitting twice is no second decoder.
    if not study.rows("decoder", sha256=sha256):
        path = Path(str(fitted["folder"])).absolute().relative_to(study.folder.absolute()).as_posix()
        study.append(
            FittedDecoder(
                sha256=sha256,
                name=str(fitted["name"]),
                path=path,
                recordings=tuple(fitted["recordings"]),
                metrics=fitted["metrics"],
                fitted_at=utc_now(),
            ),
            reason="fitted",
        )
    return sha256


def entered(
    study: Study, recordings: Sequence[str], decoder_name: str, params: Mapping[str, Any] | None = None
) -> str:
    """Hash of the newest decoder in the record that such a fit gave; ``""`` when there is none.

    Parameters
    ----------
    study : the open record.
    recordings : SHA-256 of each.
    decoder_name, params : as the fit was asked for.
    """
    # As the record gives them back: JSON has no tuples.
    recipe = json.loads(json.dumps(dict(params or {})))
    for row in reversed(study.rows("decoder", name=decoder_name)):
        # A fit of before they were kept has no parameters, and is made again.
        if list(row["recordings"]) == list(recordings) and row["metrics"].get("params") == recipe:
            return str(row["sha256"])
    return ""


def enter_waiting(study: Study) -> list[str]:
    """Enter fits that are on disk and never entered, because a process died after the fit. Returns their
    hashes.
    """
    known = {row["path"] for row in study.rows("decoder")}
    fits = (study.folder / "decoders").glob(f"*/{FIT}")
    # Those in the record are not read: a page asks again and again, and reading one means hashing its arrays.
    new = [path for path in fits if path.parent.relative_to(study.folder).as_posix() not in known]
    hashes = []
    for path in sorted(new, key=lambda file: file.lstat().st_mtime):
        fitted = _read_fit(path)
        if fitted is not None and not study.rows("decoder", sha256=fitted["sha256"]):
            hashes.append(enter(study, {**fitted, "folder": path.parent}))
    return hashes


def _read_fit(path: Path) -> dict[str, Any] | None:
    """What a fit left beside its decoder, None for a file that a fit did not write."""
    try:
        data = reading.read_bytes(path, Message("file.noun_fit"), largest=MOST_JSON, error=RecordFault)
        fitted = dict(restored(reading.parse_json(data, Message("file.noun_fit"), error=RecordFault)))
        needed = {"sha256", "name", "recordings", "metrics"}
        # Only while its files still have the hash of the fit: what was changed since is not what was judged.
        return fitted if needed <= set(fitted) and decoder_hash(path.parent) == fitted["sha256"] else None
    except (RecordFault, ValueError, TypeError):
        return None


# ------------------------------------------------------------------------------------ checks
def checks(
    study: Study, sha256: str, *, effector: str, participant_id: str, system: str = ""
) -> tuple[Check, ...]:
    """Every check of a decoder for one use, with value and limit.

    Parameters
    ----------
    study : the open record.
    sha256 : hash of the decoder.
    effector : effector profile it would command, ``"screen"`` for none.
    participant_id : with whom.
    system : ``"name task"`` of the session that it would serve, ``""`` where none is named.

    Raises
    ------
    UnknownName
        When the decoder or the participant is not in the record.
    """
    decoder = _decoder(study, sha256)
    person = study.get("participant", participant_id)
    metrics = decoder["metrics"]
    results = [_file(study, decoder), _participant(study, decoder, person)]
    if system:
        results.append(_system(study, decoder, system))
    results.append(_accuracy(metrics, effector))
    if metrics.get("validation") == "leave one run out":
        results.append(_by_run(metrics))
    if events := (metrics.get("held_out") or {}).get("events"):
        results += [_onset(events), _false_starts(events)]
    if metrics.get("windows"):
        results.append(_windows(metrics))
    results += _of_signal(metrics.get("signal") or {})
    if "n" in (metrics.get("compared") or {}):
        results.append(_compared(metrics["compared"]))
    return tuple(results)


def _file(study: Study, decoder: Mapping[str, Any]) -> Check:
    try:
        digest = decoder_hash(study.folder / decoder["path"])
    except RecordFault as error:
        unusable = Message("check.files_unusable", why=messages.of(error))
        return Check("file", Message("check.unreadable"), decoder["sha256"][:12], "fail", unusable)
    same = digest == decoder["sha256"]
    text = Message("check.files_same") if same else Message("check.files_differ")
    return Check("file", digest[:12], decoder["sha256"][:12], "pass" if same else "fail", text)


def _participant(study: Study, decoder: Mapping[str, Any], person: Mapping[str, Any]) -> Check:
    own = recordings_of(study, person["id"])
    n = sum(sha256 in own for sha256 in decoder["recordings"])
    total = len(decoder["recordings"])
    # A decoder of no recording belongs to nobody.
    right = n == total > 0
    name = person["pseudonym"]
    text = Message("check.fitted_on", name=name) if right else Message("check.not_fitted_on", name=name)
    value, limit = Message("check.recordings", n=n, all=total), Message("check.part", n=total, all=total)
    return Check("participant", value, limit, "pass" if right else "fail", text)


def _system(study: Study, decoder: Mapping[str, Any], system: str) -> Check:
    """The system and task of its calibration are those that it would serve; the approval keeps both names."""
    made_for = sorted(systems_of(study, decoder))
    if serves(study, decoder, system):
        value = ", ".join(made_for) or Message("check.not_known")
        return Check("system", value, system, "pass", Message("check.same_system"))
    return Check("system", ", ".join(made_for), system, "fail", Message("check.other_system", systems=made_for))


def _accuracy(metrics: Mapping[str, Any], effector: str) -> Check:
    """Held-out trials against the exact limit of guessing: reaching it is unlikely by chance."""
    correct, limit, n = (metrics.get(name) for name in ("correct", "chance_limit", "n"))
    if not n or correct is None or limit is None:
        return Check("accuracy", Message("check.not_known"), "", "warn", Message("check.accuracy_unknown"))
    better = correct >= limit
    text = Message("check.better", n=n) if better else Message("check.not_better", n=n)
    # On a screen a poor decoder moves nobody, so that a reason suffices.
    worse: CheckState = "warn" if effector == "screen" else "fail"
    return Check("accuracy", _share(correct, n), _share(limit, n), "pass" if better else worse, text)


def _by_run(metrics: Mapping[str, Any]) -> Check:
    """Each run, decoded by a decoder that was fitted on the others, against the limit for its own n."""
    values: list[Message] = []
    limits: list[Message] = []
    low: list[str] = []
    for table in metrics["confusion"]:
        counts = table["counts"]
        n, correct = sum(map(sum, counts)), sum(row[at] for at, row in enumerate(counts))
        limit = analysis.chance_limit(n, classes=len(counts))
        values.append(_share(correct, n))
        limits.append(Message("check.too_few") if limit is None else _share(limit, n))
        if limit is None or correct < limit:
            low.append(str(table["run"]))
    text = Message("check.not_better_in_runs", runs=low) if low else Message("check.better_each_run")
    return Check("accuracy_by_run", _joined(values), _joined(limits), "fail" if low else "pass", text)


def _joined(parts: Sequence[Message]) -> Message:
    """The figures of the runs, one after the other."""
    return parts[0] if len(parts) == 1 else Message("check.runs", first=parts[0], rest=_joined(parts[1:]))


def _onset(events: Mapping[str, Any]) -> Check:
    """The median onset over all held-out attempts, a missed one counted as later than any.

    A median of the hits alone could not fail: a hit is an onset within the limit.
    """
    n, missed = int(events["n"]), int(events["missed"])
    limit, onset = Message("amount.s", n=f"{events['onset_limit_s']:g}"), events["onset"]
    value = Message("check.missed", n=missed, all=n)
    if onset is not None:
        value = Message("check.median_and_missed", median=f"{onset['median']:.2f}", missed=value)
    # With half of the attempts missed, the median over all of them is a missed one.
    late = 2 * missed >= n
    text = Message("check.late", n=n, limit=limit) if late else Message("check.in_time", n=n, limit=limit)
    return Check("onset", value, limit, "warn" if late else "pass", text)


def _false_starts(events: Mapping[str, Any]) -> Check:
    """Activations in the rest between held-out attempts."""
    limit = Message("check.per_minute", n=f"{MOST_FALSE_PER_MIN:g}")
    rate = events["false_per_min"]
    if rate is None:
        return Check("false_starts", Message("check.not_known"), limit, "warn", Message("check.no_rest"))
    value = Message(
        "check.false_starts",
        n=str(events["false"]),
        min=f"{events['rest_s'] / 60:.1f}",
        rate=Message("check.per_minute", n=f"{rate:.2f}"),
    )
    many = rate > MOST_FALSE_PER_MIN
    least = Message("check.no_more_false_starts", limit=limit)
    text = Message("check.more_false_starts", limit=limit) if many else least
    return Check("false_starts", value, limit, "warn" if many else "pass", text)


def _windows(metrics: Mapping[str, Any]) -> Check:
    skipped, total = int(metrics.get("skipped") or 0), int(metrics["windows"]) + int(metrics.get("skipped") or 0)
    many = skipped > MOST_SKIPPED * total
    text = Message("check.windows_left_out", n=skipped, all=total)
    value = Message("check.part", n=skipped, all=total)
    limit = Message("check.percent_of", percent=f"{MOST_SKIPPED:.0%}", all=total)
    return Check("windows", value, limit, "warn" if many else "pass", text)


def _of_signal(signal: Mapping[str, Any]) -> Iterator[Check]:
    """What the signal of the calibration itself says; nothing of what was not there to be found."""
    if pattern := signal.get("pattern"):
        yield _pattern(pattern)
    if muscle := signal.get("muscle"):
        yield _muscle(muscle)
    if channels := signal.get("channels"):
        yield _channels(channels)


def _pattern(pattern: Mapping[str, Any]) -> Check:
    """Contrast in power over the derivations, from run to run: another pattern is another source."""
    other = pattern["r"] < LEAST_CORRELATION
    parts = Message("check.parts_runs") if pattern["parts"] == "runs" else Message("check.parts_halves")
    text = Message("check.other_pattern", parts=parts) if other else Message("check.same_pattern", parts=parts)
    value = Message("check.correlation", r=f"{pattern['r']:.2f}")
    limit = Message("check.at_least", n=f"{LEAST_CORRELATION:g}")
    return Check("pattern", value, limit, "warn" if other else "pass", text)


def _muscle(muscle: Mapping[str, Any]) -> Check:
    """Attempts in which no window of the EMG was above its threshold: what is decoded may else be muscle."""
    name = str(muscle["stream"])
    if "why" in muscle:
        not_known = Message("check.muscle_not_known", stream=name, why=muscle["why"])
        return Check("muscle", Message("check.not_known"), "", "warn", not_known)
    n, silent = int(muscle["n"]), int(muscle["silent"])
    active = silent < LEAST_SILENT * n
    value = Message("check.silent", n=silent, all=n)
    limit = Message("check.at_least", n=Message("check.percent_of", percent=f"{LEAST_SILENT:.0%}", all=n))
    text = Message("check.muscle_active", stream=name) if active else Message("check.muscle_silent", stream=name)
    return Check("muscle", value, limit, "warn" if active else "pass", text)


def _channels(channels: Mapping[str, Any]) -> Check:
    """The channels that were noisy in too many cued periods, by name; else the one that was so most often."""
    n, noisy = int(channels["n"]), {str(name): int(count) for name, count in channels["noisy"].items()}
    limit = Message("check.percent_of", percent=f"{MOST_NOISY:.0%}", all=n)
    bad = [name for name, count in noisy.items() if count > MOST_NOISY * n]
    worst = sorted(bad or noisy, key=lambda name: -noisy[name])[: len(bad) or 1]
    value = [Message("check.noisy_in", channel=name, n=noisy[name], all=n) for name in worst]
    shown = _joined(value) if value else Message("check.part", n=0, all=n)
    text = Message("check.noisy", channels=bad) if bad else Message("check.not_noisy")
    return Check("channels", shown, limit, "warn" if bad else "pass", text)


def _compared(compared: Mapping[str, Any]) -> Check:
    """The same trials, decided by the one that was approved last: a worse one replaces it with a reason only."""
    n, verdict = int(compared["n"]), compared["verdict"]
    new, last = compared["only_new"], compared["only_last"]
    state: CheckState = "warn" if verdict == "worse" else "pass"
    text = Message("compare.no_different", n=n, new=new, last=last)
    if verdict == "worse":
        text = Message("compare.worse", n=n, new=new, last=last)
    elif verdict == "better":
        text = Message("compare.better", n=n, new=new, last=last)
    return Check("compared", _share(compared["correct"], n), _share(compared["last_correct"], n), state, text)


def _share(count: int, n: int) -> Message:
    return Message("check.share", n=count, all=n, percent=f"{100 * count / n:.1f}")


# ------------------------------------------------------------------------------------ decisions
def approve(
    study: Study,
    sha256: str,
    *,
    effector: str,
    participant_id: str,
    by: Confirmation,
    system: str = "",
    reason: str = "",
    limits: Mapping[str, Any] | None = None,
) -> str:
    """Approve a decoder for one effector with one participant. Returns the approval's id.

    Parameters
    ----------
    study : the open record.
    sha256 : hash of the decoder; exactly what is approved.
    effector, participant_id : what for; ``"screen"`` for a session without an effector.
    by : a fresh confirmation of who signs (:meth:`workbench.study.Signer.confirm`); used up by this call.
    system : ``"name task"`` of the session that it is approved for, ``""`` where none is named.
    reason : in words; needed when a check warns.
    limits : limits of the effector that were shown, of :data:`LIMITS`; those left out are the profile's.

    Raises
    ------
    Refused
        The signer may not approve, a script signs for a real participant, a check fails, one warns and there is no
        reason, or the confirmation is used up.
    UnknownName, BadValue
        No such decoder or participant; a name of an effector with white space or ``@``; a limit that arming does
        not keep.
    """
    _check_limits(limits or {})
    signer = by.signer
    if not signer.can_approve:
        raise Refused(Message("approval.may_not", name=signer.name, roles=signer.roles))
    # Judged now, whatever a page showed a while ago: files and record may have changed since.
    results = checks(study, sha256, effector=effector, participant_id=participant_id, system=system)
    failed = [check for check in results if check.state == "fail"]
    # In a simulation nobody is moved: a script's decision keeps a failed accuracy on record, and is not stopped.
    stopping = [check for check in failed if check.name in HARD or signer.method != "script"]
    if stopping:
        raise Refused(Message("approval.not_fit", why=[check.text for check in stopping]))
    open_ = [check for check in results if check.state != "pass"]
    if open_ and not reason.strip():
        raise Refused(Message("approval.say_why", why=[check.text for check in open_]))
    return _decide(
        study,
        sha256,
        "approve",
        effector,
        participant_id,
        by=by,
        reason=reason,
        results=results,
        limits=limits or {},
    )


def _check_limits(limits: Mapping[str, Any]) -> None:
    for name, value in limits.items():
        number = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
        if name not in LIMITS or not number:
            raise BadValue(Message("approval.limits", allowed=LIMITS, name=str(name), value=f"{value!r:.40}"))


def reject(
    study: Study,
    sha256: str,
    *,
    effector: str,
    participant_id: str,
    by: Confirmation,
    reason: str,
    system: str = "",
) -> str:
    """Reject a decoder for one use; another one that is in use stays so. Returns the decision's id.

    Parameters
    ----------
    study, sha256, effector, participant_id, by, system : as in :func:`approve`.
    reason : why; must not be empty.

    Raises
    ------
    Refused
        Without a reason, or when the confirmation is used up. No check is needed.
    """
    results = checks(study, sha256, effector=effector, participant_id=participant_id, system=system)
    return _decide(
        study, sha256, "reject", effector, participant_id, by=by, reason=reason, results=results, limits={}
    )


def withdraw(
    study: Study, sha256: str, *, effector: str, participant_id: str, by: Confirmation, reason: str
) -> str:
    """Take an approval back. Returns the decision's id.

    Parameters
    ----------
    study, sha256, effector, participant_id, by : as in :func:`approve`.
    reason : why; must not be empty.

    Raises
    ------
    Refused
        When there is no approval, without a reason, or when the confirmation is used up.
    """
    newest = study.approval_of(sha256, effector=effector, participant_id=participant_id)
    # What was made at home can be taken back wherever somebody signs.
    if not approvals.holds(study, newest, place=home_use.PLACE):
        raise Refused(Message("approval.nothing_to_withdraw", hash=sha256[:12], effector=effector))
    return _decide(
        study, sha256, "withdraw", effector, participant_id, by=by, reason=reason, results=(), limits={}
    )


# ------------------------------------------------------------------------------------ by the rule for use at home
@dataclass(frozen=True, slots=True)
class HomeDecision:
    """What the rule for use at home said of a decoder.

    Attributes
    ----------
    id : of the decision in the record.
    taken : whether the decoder is in use at home now; else the one before stays.
    failed : checks and bounds that it did not pass.
    """

    id: str
    taken: bool
    failed: tuple[Check, ...]


def by_home_rule(
    study: Study,
    sha256: str,
    *,
    effector: str,
    participant_id: str,
    system: str,
    present: Sequence[str],
    signer: Signer,
) -> HomeDecision:
    """Let the protocol's rule for use at home take a decoder, or not; either is a decision in the record.

    It takes one that passes every check and every bound. The limits are those that the site approved.

    Parameters
    ----------
    study : the open record, at home.
    sha256 : of the decoder, as it was fitted and entered.
    effector, participant_id, system : as in :func:`approve`.
    present : roles that said to be there when the practice began.
    signer : in whose name the session runs; decides nothing.

    Raises
    ------
    Refused
        Where the protocol has no such rule, the site has no decoder in use or the decoder was decided on before,
        and for a script with a participant who is not simulated.
    UnknownName
        No such decoder or participant.
    """
    decoder = _decoder(study, sha256)
    _check_script(study, signer, effector=effector, participant_id=participant_id)
    now = approvals.at_home(study, effector=effector, participant_id=participant_id, system=system)
    whole = home_use.rule_of(study, participant_id)
    if whole is None or now.rule is None:
        raise Refused(Message("recalibration.no_rule"))
    if now.site is None:
        raise Refused(Message("recalibration.no_site", effector=effector))
    if study.approval_of(sha256, effector=effector, participant_id=participant_id) is not None:
        raise Refused(Message("recalibration.decided", hash=sha256[:12]))
    use = {"effector": effector, "participant_id": participant_id, "system": system}
    version = planned.protocol_of(study, participant_id)[1]
    results = (
        *_named(now, now.site, version),
        _present(whole.present, present),
        *_alone(now, now.rule),
        *checks(study, sha256, **use),
        *_made_anew(study, decoder, now.site, now.rule),
        _least(decoder["metrics"], now.rule),
        _worse(decoder["metrics"], now.rule, approvals.in_use(study, **use, place=home_use.PLACE)),
    )
    failed = tuple(check for check in results if check.state != "pass")
    made = _enter_decision(
        study, sha256, "reject" if failed else "approve", effector, participant_id,
        signer=signer, method=HOME_RULE, reason=_reason(version, present, failed), results=results,
        limits=dict(now.site["approval"]["limits"] or {}),
    )  # fmt: skip
    return HomeDecision(made, not failed, failed)


def _reason(version: str, present: Sequence[str], failed: Sequence[Check]) -> Message:
    there = list(present) or Message("word.none")
    if not failed:
        return Message("recalibration.reason", version=version, present=there)
    why = [check.text for check in failed]
    return Message("recalibration.reason_kept", version=version, present=there, why=why)


def back_to_site(
    study: Study, *, effector: str, participant_id: str, system: str, present: Sequence[str], signer: Signer
) -> str:
    """Take back what was made at home, so that the decoder of the site is in use again. Returns the decision's id.

    Parameters
    ----------
    study, effector, participant_id, system, present, signer : as in :func:`by_home_rule`.

    Raises
    ------
    Refused
        When the decoder of the site is in use already.
    """
    use = {"effector": effector, "participant_id": participant_id}
    _check_script(study, signer, **use)
    used = approvals.in_use(study, **use, system=system, place=home_use.PLACE)
    if used is None or used["approval"]["method"] != HOME_RULE:
        raise Refused(Message("recalibration.nothing_back"))
    reason = Message("recalibration.reason_back", present=list(present) or signer.name)
    return _enter_decision(
        study, used["sha256"], "withdraw", effector, participant_id,
        signer=signer, method=HOME_RULE, reason=reason, results=(), limits={},
    )  # fmt: skip


def _named(now: AtHome, site: Mapping[str, Any], version: str) -> tuple[Check, ...]:
    """Rule and decision of the site, by hash and id: the decision holds as long as both are in force."""
    approval = site["approval"]
    made_from = Message(
        "recalibration.site", hash=site["sha256"][:12], by=approval["signer"], on=approval["utc"][:10]
    )
    return (
        Check("rule", now.rule_sha256, "", "pass", Message("recalibration.rule", version=version)),
        Check("site", approval["id"], "", "pass", made_from),
    )


def _present(asked: Sequence[str], present: Sequence[str]) -> Check:
    missing = set(asked) - set(present)
    text = Message("recalibration.absent") if missing else Message("recalibration.present")
    there = ", ".join(present) or Message("word.none")
    return Check("present", there, ", ".join(asked), "fail" if missing else "pass", text)


def _alone(now: AtHome, rule: RecalibrationRule) -> Iterator[Check]:
    """How long, and how often, the home went on without the site; this decoder counts."""
    over = now.age_days > rule.alone_days
    text = Message("recalibration.age_over") if over else Message("recalibration.age")
    value = Message("recalibration.days", n=f"{now.age_days:.1f}")
    limit = Message("recalibration.at_most", n=Message("recalibration.days", n=str(rule.alone_days)))
    yield Check("age", value, limit, "fail" if over else "pass", text)
    n = now.in_a_row + 1
    over = n > rule.most_in_a_row
    text = Message("recalibration.in_a_row_over") if over else Message("recalibration.in_a_row")
    limit = Message("recalibration.at_most", n=str(rule.most_in_a_row))
    yield Check("in_a_row", str(n), limit, "fail" if over else "pass", text)


def _made_anew(
    study: Study, decoder: Mapping[str, Any], site: Mapping[str, Any], rule: RecalibrationRule
) -> Iterator[Check]:
    """The same recipe on other data: one practice run at home, of the last day, with all its cues."""
    other = _other_recipe(study, decoder, site)
    text = Message("recalibration.recipe") if other is None else Message("recalibration.other_recipe", what=other)
    state: CheckState = "pass" if other is None else "fail"
    yield Check("recipe", str(decoder["name"]), str(site["name"]), state, text)
    rows = [row for sha256 in decoder["recordings"] for row in study.rows("recording", sha256=sha256)]
    cues, sound = 0, len(rows) == len(decoder["recordings"]) == 1
    for row in rows:
        run = study.get("run", row["run_id"])
        plan = study.get("session", run["session_id"])["plan"]
        cues += len(study.rows("trial", run_id=run["id"]))
        fresh = approvals.days_since(str(run["summary"].get("started") or "")) <= 1.0
        sound &= run["kind"] == "calibration" and plan.get("place") == home_use.PLACE and fresh
    sound &= cues >= rule.cues
    text = Message("recalibration.data") if sound else Message("recalibration.other_data")
    value = Message("recalibration.cues", n=cues)
    limit = Message("check.at_least", n=Message("recalibration.cues", n=rule.cues))
    yield Check("data", value, limit, "pass" if sound else "fail", text)


def _other_recipe(study: Study, decoder: Mapping[str, Any], site: Mapping[str, Any]) -> Message | None:
    """In what a decoder differs from that of the site beside what it learned, None for nothing."""
    recipe = site["metrics"].get("params")
    if recipe is None:
        return Message("recalibration.part_stated")
    if decoder["name"] != site["name"]:
        return Message("recalibration.part_name")
    if decoder["metrics"].get("params") != recipe:
        return Message("recalibration.part_params")
    if systems_of(study, decoder) != systems_of(study, site):
        return Message("recalibration.part_task")
    try:
        inputs = [decoders.read(study.folder / one["path"]).montage_ for one in (decoder, site)]
    except WorkbenchError:
        return Message("recalibration.part_inputs")
    return None if inputs[0] == inputs[1] else Message("recalibration.part_inputs")


def _least(metrics: Mapping[str, Any], rule: RecalibrationRule) -> Check:
    """Held-out periods, as the site's own approval counts them."""
    correct, n = metrics.get("correct"), metrics.get("n")
    limit = Message("check.at_least", n=_percent(rule.least_accuracy))
    if not n or correct is None:
        return Check("least", Message("check.not_known"), limit, "fail", Message("recalibration.less"))
    less = correct < rule.least_accuracy * n
    text = Message("recalibration.less") if less else Message("recalibration.least")
    return Check("least", _share(correct, n), limit, "fail" if less else "pass", text)


def _worse(metrics: Mapping[str, Any], rule: RecalibrationRule, used: Mapping[str, Any] | None) -> Check:
    """Beside the decoder that is in use at home now, on the same periods."""
    compared = metrics.get("compared") or {}
    limit = Message("recalibration.at_most", n=Message("recalibration.points", n=f"{100 * rule.most_worse:g}"))
    if not compared.get("n") or used is None or compared["sha256"] != used["sha256"]:
        return Check("worse", Message("check.not_known"), limit, "fail", Message("recalibration.worse"))
    lost = compared["last_correct"] - compared["correct"]
    worse = lost > rule.most_worse * compared["n"]
    text = Message("recalibration.worse") if worse else Message("recalibration.not_worse")
    value = Message("recalibration.points", n=f"{100 * lost / compared['n']:.1f}")
    return Check("worse", value, limit, "fail" if worse else "pass", text)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def _decide(
    study: Study,
    sha256: str,
    decision: ApprovalDecision,
    effector: str,
    participant_id: str,
    *,
    by: Confirmation,
    reason: str,
    results: tuple[Check, ...],
    limits: Mapping[str, Any],
) -> str:
    """Append the decision of somebody who confirmed it."""
    if not effector or "@" in effector or effector.split() != [effector]:
        raise BadValue(Message("approval.effector_name", name=repr(effector)))
    if decision != "approve" and not reason.strip():
        raise Refused(Message("approval.needs_reason", decision=VERBS[decision]))
    signer = by.signer
    _check_script(study, signer, effector=effector, participant_id=participant_id)
    by.use()
    return _enter_decision(
        study, sha256, decision, effector, participant_id,
        signer=signer, method=signer.method, reason=reason, results=results, limits=limits,
    )  # fmt: skip


def _check_script(study: Study, signer: Signer, *, effector: str, participant_id: str) -> None:
    if signer.method == "script" and not may_be_scripted(study, effector=effector, participant_id=participant_id):
        raise Refused(Message("approval.person_needed"))


def _enter_decision(
    study: Study,
    sha256: str,
    decision: ApprovalDecision,
    effector: str,
    participant_id: str,
    *,
    signer: Signer,
    method: ApprovalMethod,
    reason: str,
    results: tuple[Check, ...],
    limits: Mapping[str, Any],
) -> str:
    """Append a decision."""
    return study.append(
        Approval(
            decoder_sha256=sha256,
            participant_id=participant_id,
            effector=effector,
            decision=decision,
            signer=signer.name,
            method=method,
            utc=utc_now(),
            person_id=signer.person_id,
            reason=reason,
            checks=tuple(asdict(check) for check in results),
            limits=limits,
        ),
        reason=reason or f"{decision} for {effector}",
    )


def _decoder(study: Study, sha256: str) -> dict[str, Any]:
    rows = study.rows("decoder", sha256=sha256)
    if not rows:
        raise UnknownName(Message("approval.unknown_decoder", hash=repr(sha256[:12])))
    return rows[0]
