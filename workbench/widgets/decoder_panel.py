"""A fitted decoder: its accuracy beside the chance limit, its checks, and its approval by hash.

Every number arrives computed (``analysis.accuracy``, ``analysis.confusion_by_run``); the page only draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any, Protocol

import traitlets

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.widgets._base import SYNCED, Panel, compose, styles


class AccuracyLike(Protocol):
    """The attributes of an accuracy that this panel uses (``analysis.Accuracy`` has them)."""

    correct: int
    n: int
    excluded: int
    classes: int
    value: float | None
    interval: Any
    limit: int | None

    @property
    def above_chance(self) -> bool: ...


class DecoderPanel(Panel):
    """The result of a calibration, its checks, and its approval or rejection.

    Parameters
    ----------
    sha256, name : hash and name of the decoder.
    accuracies : run name → accuracy, the pooled one last; its name is the row's name.
    confusions : one matrix per run (``analysis.Confusion``, or a mapping with its fields), in the same order;
        ``part`` in a mapping says what its ``run`` counts, ``"run"`` or ``"part"``.
    decide : called as ``decide(sha256, decision=…, reason=…, password=…)`` with ``"approve"`` or ``"reject"``;
        writes the decision to the record and returns it as ``{"decision", "by", "at", "reason"}``. None shows the
        result only. The password came by POST (:mod:`workbench.widgets._tickets`); it is no trait and not kept.
    signing : ``{"signer", "effector", "participant", "system", "replaces", "password"}``: who signs, for what, for
        whom, in which system and task, which decoder it would replace, and whether a password is asked for.
    numbers : up to four ``(value, caption)`` as text, computed elsewhere.
    checks : ``{"name", "state": "pass" | "warn" | "fail", "value", "limit", "text"}`` each; a failed one blocks
        approval, a warning needs a reason.
    proof : further facts about the fit: ``fitted_on``, one sentence about recordings and parameters;
        ``validation``, how the accuracy was cross-validated; ``held_out``, its decisions on unseen data
        (as :mod:`workbench.live` fits it); ``false_limit``, false starts per minute above which a reason is due;
        ``weights``, where it reads (``{"bands", "derivations", "values", "target"}``, one value per electrode and
        band, and the names of its ``channels``); ``compared``, both on the same trials (see
        ``runs.comparing.compare``); ``others``, the decoders of this participant, newest first, each
        ``{"hash", "state", "age", "text"}``.
    actions : what else is offered while nothing is decided, each called with the hash: ``"another"`` records
        another run instead, ``"recentre"`` re-centres the decoder in use on this calibration.
    adapts : ``{"rule", "bound"}`` of a decoder that adapts while it decides, which approval covers; empty for one
        that stays as it was fitted.

    Traits
    ------
    decision : the decision in force, ``{}`` while there is none. :meth:`decided` shows another page's decision.
    """

    _esm = compose(
        "parts/dom", "parts/icons", "parts/signin", "parts/head", "parts/proof", "parts/heldout", "decoder_panel"
    )
    _css = styles("panels", "decoder")

    fit = traitlets.Dict().tag(**SYNCED)
    adapts = traitlets.Dict().tag(sync=True)
    decision = traitlets.Dict().tag(**SYNCED)

    def __init__(
        self,
        sha256: str,
        *,
        name: str,
        accuracies: Mapping[str, AccuracyLike],
        confusions: Sequence[Any] = (),
        decide: Callable[..., Mapping[str, str]] | None = None,
        signing: Mapping[str, Any] | None = None,
        numbers: Sequence[tuple[str, str]] = (),
        checks: Sequence[Mapping[str, str]] = (),
        proof: Mapping[str, Any] | None = None,
        actions: Mapping[str, Callable[[str], None]] | None = None,
        **traits: Any,
    ) -> None:
        self._sha256 = sha256
        self._decide = decide
        self._actions = dict(actions or {})
        self._blocked = _blocked(accuracies, checks)
        self._warned = any(check.get("state") == "warn" for check in checks)
        super().__init__(
            fit={
                "sha256": sha256,
                "name": name,
                "accuracies": [_accuracy(run, accuracy) for run, accuracy in accuracies.items()],
                "confusions": [_matrix(confusion) for confusion in confusions],
                "signing": dict(signing or {}),
                "numbers": [list(pair) for pair in numbers],
                "checks": [dict(check) for check in checks],
                "can_decide": decide is not None,
                "actions": sorted(self._actions),
                "blocked": self._blocked,
                **{"fitted_on": "", "validation": "", "weights": {}, "held_out": {}, "others": [], "compared": {}},
                **(proof or {}),
            },
            **traits,
        )

    @classmethod
    def of_fit(cls, fitted: Mapping[str, Any], **more: Any) -> DecoderPanel:
        """The panel of a fit (as ``runs.run_fit`` returns it, or a row of the record's decoders).

        The pooled accuracy carries the chance limit; the matrices are those of the validation's parts.
        """
        metrics = fitted["metrics"]
        limit = metrics["chance_limit"]
        pooled = SimpleNamespace(
            correct=metrics["correct"],
            n=metrics["n"],
            excluded=0,
            classes=len(metrics["classes"]),
            value=metrics["accuracy"],
            interval=metrics["interval"],
            limit=limit,
            above_chance=limit is not None and metrics["correct"] >= limit,
        )
        proof: dict[str, Any] = {"validation": metrics["validation"]}
        proof |= {name: metrics.get(name) or {} for name in ("weights", "held_out", "compared")}
        part = "part" if "blocks" in metrics["validation"] else "run"
        confusions = [{**matrix, "part": part} for matrix in metrics["confusion"]]
        return cls(
            str(fitted["sha256"]),
            name=str(fitted["name"]),
            accuracies={"": pooled},
            confusions=confusions,
            adapts=metrics.get("adapts") or {},
            proof=proof | more.pop("proof", {}),
            **more,
        )

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """The fit, its accuracy, and the decision on it."""
        return str(self.fit.get("sha256", ""))[:12], [
            ("decoder", self.fit.get("name")),
            *(
                (str(one["run"]), f"{one['correct']} of {one['n']}, chance limit {one['limit']}")
                for one in self.fit.get("accuracies", ())
            ),
            ("decision", self.decision.get("decision")),
            ("by", self.decision.get("by")),
        ]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Decide by hash, and what else is offered for this decoder; each names it by its hash."""
        return {"decide": self.decide, **{name: self._acting(name) for name in self._actions}}

    def _acting(self, name: str) -> Callable[..., None]:
        def act(sha256: str) -> None:
            self._check_shown(sha256)
            self._actions[name](sha256)

        return act

    def _check_shown(self, sha256: str) -> None:
        """Raise unless a hash is that of the decoder shown: nothing goes to one that was swapped meanwhile."""
        if sha256 != self._sha256:
            named, shown = repr(sha256[:12]), repr(self._sha256[:12])
            raise BadValue(Message("decoder.other_shown", named=named, shown=shown))

    def decided(self, decision: Mapping[str, str]) -> None:
        """Show a decision taken on another page or computer; the buttons disappear."""
        self.decision = dict(decision)

    def decide(self, sha256: str, *, decision: str, reason: str = "", password: str = "") -> None:
        """Approve or reject this decoder, once.

        Parameters
        ----------
        sha256 : hash that the page shows.
        decision : ``"approve"`` or ``"reject"``.
        reason : kept with the signature; needed to reject, and to approve despite a warning.
        password : of the person who signs; passed on and forgotten.

        Raises
        ------
        BadValue
            When the hash is not that of the decoder shown, or the decision is neither.
        Refused
            When a check failed, a reason is missing, it is decided already, or this page may not decide.
        """
        self._check_shown(sha256)
        if decision not in ("approve", "reject"):
            raise BadValue(Message("decoder.decision", value=repr(decision)))
        if self._decide is None:
            raise Refused(Message("decoder.shows_only"))
        # Once: a second decision would need its own look at the evidence, on a new page.
        if self.decision:
            raise Refused(Message("decoder.decided", by=self.decision.get("by") or Message("decoder.somebody")))
        if decision == "approve" and self._blocked:
            raise Refused(Message("decoder.check_failed", why=self._blocked))
        if (decision == "reject" or self._warned) and not reason.strip():
            raise Refused(Message("decoder.reason_needed"))
        self.decided(self._decide(sha256, decision=decision, reason=reason.strip(), password=password))


def _accuracy(run: str, accuracy: AccuracyLike) -> dict[str, Any]:
    low, high = accuracy.interval if accuracy.interval is not None else (None, None)
    return {
        "run": run,
        "correct": accuracy.correct,
        "n": accuracy.n,
        "excluded": accuracy.excluded,
        "classes": accuracy.classes,
        "value": accuracy.value,
        "low": low,
        "high": high,
        "limit": accuracy.limit,
        "above": accuracy.above_chance,
    }


def _matrix(confusion: Any) -> dict[str, Any]:
    """A confusion matrix as the page draws it: counts, their shares of the row, number correct, and total.

    A last column counts trials without a decision, where there are any; its name is ``""``.
    """
    plain = dict(confusion) if isinstance(confusion, Mapping) else asdict(confusion)
    labels = list(plain["labels"])
    undecided = list(plain.get("undecided") or [0] * len(labels))
    counts = [
        [*row, *([left] if any(undecided) else [])] for row, left in zip(plain["counts"], undecided, strict=True)
    ]
    totals = [sum(row) for row in counts]
    return {
        "name": str(plain["run"]),
        "part": plain.get("part", ""),
        "labels": labels,
        "columns": [*labels, *([""] if any(undecided) else [])],
        "counts": counts,
        "shares": [[n / total if total else None for n in row] for row, total in zip(counts, totals, strict=True)],
        "right": sum(row[i] for i, row in enumerate(counts)),
        "n": sum(totals),
    }


def _blocked(accuracies: Mapping[str, AccuracyLike], checks: Sequence[Mapping[str, str]]) -> str:
    """The reason why approval is blocked, ``""`` when it is not; a failed check states its own."""
    if not accuracies:
        return Message("decoder.no_result")
    # The pooled accuracy, which comes last: single runs have too few trials to exceed the limit.
    if not list(accuracies.values())[-1].above_chance:
        return Message("decoder.not_above_chance")
    return next((check.get("text", "") for check in checks if check.get("state") == "fail"), "")
