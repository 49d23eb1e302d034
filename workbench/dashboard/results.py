"""What a run came to, as a page shows it: the numbers of its report, never those of the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.analysis import Accuracy, EventMetrics, Interval, Reaching, Selections, Tracking
from workbench.messages import Message
from workbench.study import Study
from workbench.study.approvals import HOME_RULE
from workbench.vocabulary import Trial

COMPARED = 5
"""Earlier runs of the same participant that stand beside this one."""
MINUTE_S = 60.0


def run_result(study: Study, run_id: str, *, awaiting: bool) -> dict[str, Any]:
    """The result of one run for ``widgets.ResultPanel``.

    Parameters
    ----------
    study : the open record; the run must have been ingested.
    run_id : of the run.
    awaiting : whether a fit of this participant waits for a decision.

    Raises
    ------
    UnknownName
        When the run is not in the record.
    """
    run = study.get("run", run_id)
    session = study.get("session", run["session_id"])
    visit = study.get("visit", session["visit_id"])
    person = study.get("participant", visit["participant_id"])
    trials = _trials(study, run_id)
    content: dict[str, Any] = {
        "run": run_id,
        "participant": person["pseudonym"],
        "visit": visit["name"],
        "number": run["number"],
        "kind": run["kind"],
        "state": run["state"],
        "total": run["n_trials_planned"] or len(trials),
        "trials": [_trial(trial) for trial in trials],
        "integrity": _integrity(study, run_id, trials),
        "decoder": _decoder(study, run, session, person["id"]),
        "numbers": [],
        "runs": [],
    }
    if run["kind"] == "online":
        content |= _online(study, run, person["id"])
    content["next"] = _next(run, awaiting=awaiting, above=content.get("above"))
    if reason := content.get("failed"):
        content["integrity"].append({"state": "medium", "text": reason})
    return content


def _trials(study: Study, run_id: str) -> list[Trial]:
    return [trial for trial in study.nouns("trial", run_id=run_id) if isinstance(trial, Trial)]


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "index": trial.index,
        "condition": trial.condition,
        "outcome": trial.outcome,
        "decided": trial.decided,
        "onset_s": trial.latency_s,
        "release_s": trial.release_s,
        "held_s": trial.held_s,
        "false": trial.false_activations,
        "excluded": trial.excluded,
    }


def _online(study: Study, run: Mapping[str, Any], person_id: str) -> dict[str, Any]:
    """Sentence, numbers and the comparison of a run that decoded, as its report prints them."""
    from workbench.reports import Cued, Failed, result_of_run

    result = result_of_run(study, run["id"])
    if isinstance(result, Failed):
        return {"hits": None, "n": None, "failed": result.reason}
    numbers = _cued(result.accuracy) if isinstance(result, Cued) else _events(result)
    if isinstance(result, Cued) and result.selections is not None:
        numbers["numbers"] += _rates(result.selections)
    if isinstance(result, Cued) and result.reaching is not None:
        numbers["numbers"] += _reached(result.reaching)
    if isinstance(result, Cued) and result.tracking is not None:
        numbers["numbers"] += _followed(result.tracking)
    numbers["numbers"] += _answer(run)
    return numbers | {"runs": _beside(study, run, person_id) if run["state"] == "finished" else []}


def _cued(accuracy: Accuracy) -> dict[str, Any]:
    """A run in which every cue is answered by one of its classes."""
    numbers = []
    if accuracy.value is not None and accuracy.interval is not None:
        numbers.append(
            _share(
                "result.n.right", accuracy.correct, accuracy.n, value=accuracy.value, interval=accuracy.interval
            )
        )
    return {
        "cued": True,
        "hits": accuracy.correct,
        "n": accuracy.n,
        "limit": accuracy.limit,
        "above": accuracy.above_chance,
        "limit_share": accuracy.limit / accuracy.n if accuracy.limit is not None and accuracy.n else None,
        "median_s": None,
        "numbers": numbers,
    }


def _rates(rates: Selections) -> list[dict[str, Any]]:
    """Selections and bits a minute with their intervals."""
    numbers = []
    for key, unit, value, interval in (
        ("result.n.selections", "/ min", rates.per_min, rates.per_min_interval),
        ("result.n.selection_bits", "bit / min", rates.bits_per_min, rates.bits_interval),
    ):
        if value is not None and interval is not None:
            args = {"low": f"{interval.low:.1f}", "high": f"{interval.high:.1f}"}
            numbers.append({"value": f"{value:.1f}", "unit": unit, "key": key, "args": args})
    return numbers


def _reached(found: Reaching) -> list[dict[str, Any]]:
    """How targets were reached with a cursor."""
    numbers: list[dict[str, Any]] = []
    if found.time is not None:
        args = {"low": f"{found.time.low:.2f}", "high": f"{found.time.high:.2f} s"}
        numbers.append(
            {"value": f"{found.time.median:.2f}", "unit": "s", "key": "result.n.time_to_target", "args": args}
        )
    if found.efficiency is not None:
        middle, low, high = (
            f"{n:.2f}" for n in (found.efficiency.median, found.efficiency.low, found.efficiency.high)
        )
        args = {"low": low, "high": high}
        numbers.append({"value": middle, "unit": "", "key": "result.n.path_efficiency", "args": args})
    if found.bits_per_min is not None:
        args, bits = {"n": str(found.targets)}, f"{found.bits_per_min:.1f}"
        numbers.append({"value": bits, "unit": "/ min", "key": "result.n.bits", "args": args})
    if found.limit is not None:
        numbers.append({"value": f"{found.limit}", "unit": f"/ {found.n}", "key": "result.n.walks", "args": {}})
    return numbers


def _followed(found: Tracking) -> list[dict[str, Any]]:
    """How a force followed its levels."""
    numbers: list[dict[str, Any]] = []
    if found.rmse is not None:
        numbers.append({"value": f"{found.rmse:.3f}", "unit": "", "key": "result.n.rmse", "args": {}})
    if found.r_squared is not None:
        numbers.append({"value": f"{found.r_squared:.2f}", "unit": "", "key": "result.n.r_squared", "args": {}})
    if found.in_band is not None:
        middle, low, high = (
            f"{100 * n:.0f}" for n in (found.in_band.median, found.in_band.low, found.in_band.high)
        )
        args = {"low": low, "high": high}
        numbers.append({"value": middle, "unit": "%", "key": "result.n.in_band", "args": args})
    if found.limit is not None:
        numbers.append({"value": f"{found.limit:.3f}", "unit": "", "key": "result.n.shuffled_levels", "args": {}})
    return numbers


def _events(metrics: EventMetrics) -> dict[str, Any]:
    """A run in which activations are counted whenever they come."""
    numbers = []
    if metrics.recall is not None and metrics.recall_interval is not None:
        interval, missed = metrics.recall_interval, 1.0 - metrics.recall
        numbers.append(_share("result.n.hits", metrics.hits, metrics.n, value=metrics.recall, interval=interval))
        # The share that was missed is the complement, so that its interval is the mirrored one.
        other = Interval(1.0 - interval.high, 1.0 - interval.low)
        numbers.append(_share("result.n.missed", metrics.misses, metrics.n, value=missed, interval=other))
    if metrics.false_per_min is not None and metrics.false_per_min_interval is not None:
        low, high = (f"{edge:.2f}" for edge in metrics.false_per_min_interval)
        args = {
            "n": str(metrics.false_in_rest),
            "min": f"{metrics.rest_s / MINUTE_S:.2f}",
            "low": low,
            "high": high,
        }
        numbers.append(
            {"value": f"{metrics.false_per_min:.2f}", "unit": "/ min", "key": "result.n.false", "args": args}
        )
    if metrics.onset is not None:
        args = {"low": f"{metrics.onset.low:.2f}", "high": f"{metrics.onset.high:.2f} s"}
        numbers.append(
            {"value": f"{metrics.onset.median:.2f}", "unit": "s", "key": "result.n.onset", "args": args}
        )
    guessed = metrics.guessing
    return {
        "hits": metrics.hits,
        "n": metrics.n,
        "limit": guessed.limit if guessed else None,
        "above": guessed.above if guessed else None,
        "shuffles": guessed.shuffles if guessed else None,
        "limit_share": guessed.limit / guessed.n if guessed else None,
        "median_s": metrics.onset.median if metrics.onset else None,
        "middle_s": [metrics.onset.low, metrics.onset.high] if metrics.onset else None,
        "window_s": metrics.onset_window_s,
        "numbers": numbers,
    }


def _answer(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Latency from sample to command; at another speed than real time it means nothing."""
    summary = run["summary"]
    latency, speed = summary.get("latency") or {}, float(summary.get("speed", 1.0))
    if latency.get("p50_ms") is None:
        return []
    if speed != 1.0 or not latency.get("representative", True):
        args = {"speed": f"{speed:g}"}
        return [{"value": "—", "unit": "", "key": "result.n.answer_speed", "args": args}]
    args = {"p99": f"{latency['p99_ms']:.0f}"}
    return [{"value": f"{latency['p50_ms']:.0f}", "unit": "ms", "key": "result.n.answer", "args": args}]


def _share(key: str, part: int, n: int, *, value: float, interval: Interval) -> dict[str, Any]:
    args = {"p": _percent(value), "low": _percent(interval.low), "high": _percent(interval.high)}
    return {"value": f"{part}", "unit": f"/ {n}", "key": key, "args": args}


def _beside(study: Study, run: Mapping[str, Any], person_id: str) -> list[dict[str, Any]]:
    """This run and the last finished online runs of the same participant and paradigm, newest first."""
    from workbench.reports import Cued, Failed, result_of_run

    visits = {row["id"] for row in study.rows("visit", participant_id=person_id)}
    sessions = {row["id"]: row for row in study.rows("session") if row["visit_id"] in visits}
    alike = study.rows("run", kind="online", state="finished", paradigm=run["paradigm"])
    runs = [row for row in alike if row["session_id"] in sessions]
    # Up to the run that is shown and not beyond: an old page is compared with what was before it.
    at = next((i for i, row in enumerate(runs) if row["id"] == run["id"]), len(runs) - 1)
    rows = []
    for row in reversed(runs[max(0, at - COMPARED) : at + 1]):
        result = result_of_run(study, row["id"])
        if isinstance(result, Failed):
            continue
        more: dict[str, Any] = {}
        if isinstance(result, Cued):
            value, interval = result.accuracy.value, result.accuracy.interval
        else:
            value, interval = result.recall, result.recall_interval
            more = {"false": result.false_per_min, "onset": result.onset.median if result.onset else None}
        if value is None or interval is None:
            continue
        name = f"{row['number']} · {sessions[row['session_id']]['started'][:10]}"
        now = row["id"] == run["id"]
        row = {"name": name, "when": "", "value": value, "low": interval.low, "high": interval.high, "now": now}
        rows.append(row | more)
    return rows


def _integrity(study: Study, run_id: str, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Gaps, the effector's first fault, and heartbeats: one that was followed by the next one is a count."""
    ledger = study.rows("ledger", run_id=run_id)
    gaps = sum(row["kind"] == "gap" for row in ledger)
    excluded = sum(trial.outcome == "excluded" for trial in trials)
    rows: list[dict[str, Any]] = [
        {"state": "medium", "key": "result.integrity.gaps", "args": {"n": str(gaps), "trials": str(excluded)}}
        if gaps or excluded
        else {"state": "ok", "key": "result.integrity.complete", "args": {}}
    ]
    faults = [row for row in ledger if row["kind"] == "fault"]
    if faults:
        rows.append({"state": "high", "text": Message("result.fault", why=faults[0]["extent"])})
    for row in ledger:
        if row["kind"] == "heartbeats":
            rows.append({"state": "dot", "text": Message("result.heartbeats", extent=row["extent"])})
    recordings = study.rows("recording", run_id=run_id)
    if recordings:
        path = {"path": recordings[-1]["path"]}
        rows.append({"state": "ok", "key": "result.integrity.recording", "args": path})
    return rows


def _decoder(
    study: Study, run: Mapping[str, Any], session: Mapping[str, Any], person_id: str
) -> list[dict[str, Any]]:
    """Which decoder the run used, and who had approved it for the session's effector when the run began."""
    sha256 = run.get("decoder_sha256") or ""
    if not sha256:
        return []
    facts = [{"name": "hash", "text": f"{sha256[:4]} {sha256[4:8]}"}]
    # Seconds of UTC; records of earlier versions do not say when a run began, or with what.
    began, effector = str(run["summary"].get("started", ""))[:19], session["plan"].get("effector")
    approvals = [
        decision
        for decision in study.approvals(participant_id=person_id, sha256=sha256)
        if decision["decision"] == "approve"
        and (not began or decision["utc"][:19] <= began)
        and (effector is None or decision["effector"] == effector)
    ]
    if approvals:
        facts.append(approval_fact(approvals[-1]))
    return facts


def signer_of(decision: Mapping[str, Any]) -> str:
    """Who signed a decision on a decoder; a script that stood in for somebody is called one, and so is a rule."""
    name = str(decision["signer"])
    if decision["method"] == HOME_RULE:
        return Message("approval.home_rule", name=name)
    return Message("approval.script", name=name) if decision["method"] == "script" else name


def approval_fact(approval: Mapping[str, Any]) -> dict[str, Any]:
    """By whom and when a decoder was approved, for the facts of a page."""
    keys = {"script": "worklist.approved_script", HOME_RULE: "worklist.approved_home"}
    key = keys.get(approval["method"], "worklist.approved_by")
    return {"name": "approved", "key": key, "args": {"by": approval["signer"], "when": approval["utc"][:10]}}


def _next(run: Mapping[str, Any], *, awaiting: bool, above: bool | None) -> list[dict[str, Any]]:
    """The next steps, the one that the run's result asks for first and primary.

    ``above`` : whether the run was better than guessing, None where that is not known.
    """
    why = {True: "result.next_why.not_needed", False: "result.next_why.not_above"}
    calibrate: dict[str, Any] = {"name": "calibrate"}
    if above is not None and run["state"] == "finished":
        calibrate |= {"key": why[above], "args": {}}
    steps: list[dict[str, Any]] = [{"name": "online"}, calibrate, {"name": "assess"}, {"name": "report"}]
    if awaiting:
        steps.insert(0, {"name": "approve", "key": "result.next_why.awaits", "args": {}})
    elif run["kind"] in ("calibration", "passive") or calibrate.get("key") == why[False]:
        # A decoder no better than guessing, or none fitted yet: calibrating comes before another online run.
        steps[:2] = [steps[1], steps[0]]
    steps[0]["primary"] = True
    return steps


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
