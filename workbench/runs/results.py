"""What a run came to, as a page shows it: computed from the record's trials, never from the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench import analysis
from workbench.study import Study
from workbench.vocabulary import Trial

COMPARED = 5
"""Earlier runs of the same participant that stand beside this one."""
MINUTE_S = 60.0


def run_result(study: Study, run_id: str, *, onset_window_s: float, fs: float, awaiting: bool) -> dict[str, Any]:
    """The result of one run for ``widgets.ResultPanel``.

    Parameters
    ----------
    study : the open record; the run must have been ingested.
    run_id : of the run.
    onset_window_s : the paradigm's window that defines a hit, s.
    fs : rate of the decoded stream, Hz.
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
    found: dict[str, Any] = {
        "run": run_id,
        "participant": person["pseudonym"],
        "visit": visit["name"],
        "number": run["number"],
        "kind": run["kind"],
        "state": run["state"],
        "total": run["n_trials_planned"] or len(trials),
        "trials": [_trial(one) for one in trials],
        "integrity": _integrity(study, run_id, trials),
        "decoder": _decoder(study, run, person["id"]),
        "next": _next(run, awaiting=awaiting),
        "numbers": [],
        "runs": [],
    }
    if run["kind"] == "online":
        found |= _online(study, run, trials, person["id"], onset_window_s=onset_window_s, fs=fs)
    return found


def _trials(study: Study, run_id: str) -> list[Trial]:
    return [one for one in study.nouns("trial", run_id=run_id) if isinstance(one, Trial)]


def _trial(one: Trial) -> dict[str, Any]:
    return {"index": one.index, "condition": one.condition, "outcome": one.outcome, "onset_s": one.latency_s}


def _online(
    study: Study,
    run: Mapping[str, Any],
    trials: Sequence[Trial],
    person_id: str,
    *,
    onset_window_s: float,
    fs: float,
) -> dict[str, Any]:
    """Sentence, numbers and the comparison of a run that decoded."""
    metrics = analysis.event_metrics(trials, onset_window_s=onset_window_s, fs=fs)
    numbers: list[dict[str, Any]] = []
    if metrics.n and metrics.recall is not None and metrics.recall_interval is not None:
        low, high = metrics.recall_interval
        args = {"p": _percent(metrics.recall), "low": _percent(low), "high": _percent(high)}
        numbers.append(
            {"value": f"{metrics.hits}", "unit": f"/ {metrics.n}", "key": "result.n.hits", "args": args}
        )
        numbers.append({"value": f"{metrics.misses}", "unit": "", "key": "result.n.missed", "args": {}})
    if metrics.false_per_min is not None:
        args = {"n": str(metrics.false_in_rest), "min": f"{metrics.rest_s / MINUTE_S:.1f}"}
        numbers.append(
            {"value": f"{metrics.false_per_min:.1f}", "unit": "/ min", "key": "result.n.false", "args": args}
        )
    if metrics.onset is not None:
        args = {"low": f"{metrics.onset.low:.2f}", "high": f"{metrics.onset.high:.2f} s"}
        numbers.append(
            {"value": f"{metrics.onset.median:.2f}", "unit": "s", "key": "result.n.onset", "args": args}
        )
    return {
        "hits": metrics.hits,
        "n": metrics.n,
        "limit": None,
        "median_s": metrics.onset.median if metrics.onset else None,
        "numbers": numbers,
        "runs": _beside(study, run, person_id) if run["state"] == "finished" else [],
    }


def _beside(study: Study, run: Mapping[str, Any], person_id: str) -> list[dict[str, Any]]:
    """This run and the last finished online runs of the same participant, newest first."""
    visits = {row["id"] for row in study.rows("visit", participant_id=person_id)}
    sessions = {row["id"]: row for row in study.rows("session") if row["visit_id"] in visits}
    runs = [one for one in study.rows("run", kind="online", state="finished") if one["session_id"] in sessions]
    at = next((i for i, one in enumerate(runs) if one["id"] == run["id"]), len(runs) - 1)
    rows = []
    for one in reversed(runs[max(0, at - COMPARED) : at + 1]):
        judged = [t for t in _trials(study, one["id"]) if t.outcome in ("correct", "missed")]
        if not judged:
            continue
        hits = sum(t.outcome == "correct" for t in judged)
        low, high = analysis.wilson(hits, len(judged))
        when = sessions[one["session_id"]]["started"][:10]
        name = f"{one['number']} · {when}"
        rows.append({"name": name, "when": "", "value": hits / len(judged), "low": low, "high": high})
        rows[-1]["now"] = one["id"] == run["id"]
    return rows


def _integrity(study: Study, run_id: str, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Gaps and heartbeats in one line each; a heartbeat that was followed by the next one is a count."""
    ledger = study.rows("ledger", run_id=run_id)
    gaps = sum(row["kind"] == "gap" for row in ledger)
    excluded = sum(one.outcome == "excluded" for one in trials)
    found: list[dict[str, Any]] = [
        {"state": "medium", "key": "result.integrity.gaps", "args": {"n": str(gaps), "trials": str(excluded)}}
        if gaps or excluded
        else {"state": "ok", "key": "result.integrity.complete", "args": {}}
    ]
    for row in ledger:
        if row["kind"] == "heartbeats":
            found.append({"state": "dot", "text": row["extent"]})
    recordings = study.rows("recording", run_id=run_id)
    if recordings:
        path = {"path": recordings[-1]["path"]}
        found.append({"state": "ok", "key": "result.integrity.recording", "args": path})
    return found


def _decoder(study: Study, run: Mapping[str, Any], person_id: str) -> list[dict[str, Any]]:
    """Which decoder the run used, and who approved it."""
    sha256 = run.get("decoder_sha256") or ""
    if not sha256:
        return []
    found = [{"name": "hash", "text": f"{sha256[:4]} {sha256[4:8]}"}]
    approvals = [
        one for one in study.approvals(participant_id=person_id, sha256=sha256) if one["decision"] == "approve"
    ]
    if approvals:
        found.append({"name": "approved", "text": f"{approvals[-1]['signer']}, {approvals[-1]['utc'][:10]}"})
    return found


def _next(run: Mapping[str, Any], *, awaiting: bool) -> list[dict[str, Any]]:
    """The next steps, the one that the run's result asks for first and primary."""
    steps: list[dict[str, Any]] = []
    if awaiting:
        steps.append({"name": "approve", "key": "result.next_why.awaits", "args": {}})
    steps += [{"name": name} for name in ("online", "calibrate", "assess", "report")]
    if run["kind"] == "calibration" and not awaiting:
        steps = [steps[1], steps[0], *steps[2:]]
    steps[0]["primary"] = True
    return steps


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
