"""A fitted decoder: what it got right, run by run, beside its chance limit, and its approval by hash.

Every number arrives computed (``analysis.accuracy``, ``analysis.confusion_by_run``); the page only draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any, Protocol

import traitlets

from workbench.errors import BadValue, Refused
from workbench.widgets._base import Panel, compose, styles


class AccuracyLike(Protocol):
    """What this panel needs of an accuracy (``analysis.Accuracy`` has it)."""

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
    """The result of a calibration, and the button that approves it.

    Parameters
    ----------
    sha256, name : hash and name of the decoder.
    accuracies : run name → accuracy, the pooled one last; its name is the row's name.
    confusions : one matrix a run (``analysis.Confusion``, or a mapping with its fields), in the same order;
        ``part`` in a mapping says what its ``run`` counts, ``"run"`` or ``"part"``.
    approve : called with the hash; writes the approval to the record and returns the sentence to show. None
        shows the result only.
    signer, effector, participant : who signs, for what, for whom; printed above the button.
    numbers : up to four ``(value, caption)`` in words, computed elsewhere.
    checks : ``{"state": "ok" | "medium" | "high", "text", "more"}`` each; a ``"high"`` one blocks approval,
        a ``"medium"`` one warns.
    fitted_on : one sentence about recordings and parameters.
    validation : how the accuracy was cross-validated, in words.
    adapts : ``{"rule", "bound"}`` of a decoder that adapts while it decides, which approval covers; empty for one
        that stays as it was fitted.
    approved : the sentence of an approval that exists, ``""`` for none.
    """

    _esm = compose("parts/dom", "parts/icons", "decoder_panel")
    _css = styles("panels", "decoder")

    fit = traitlets.Dict().tag(sync=True)
    adapts = traitlets.Dict().tag(sync=True)
    approved = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        sha256: str,
        *,
        name: str,
        accuracies: Mapping[str, AccuracyLike],
        confusions: Sequence[Any] = (),
        approve: Callable[[str], str] | None = None,
        signing: Mapping[str, str] | None = None,
        numbers: Sequence[tuple[str, str]] = (),
        checks: Sequence[Mapping[str, str]] = (),
        fitted_on: str = "",
        validation: str = "",
        **traits: Any,
    ) -> None:
        self._sha256 = sha256
        self._approve = approve
        self._blocked = _blocked(accuracies, checks)
        super().__init__(
            fit={
                "sha256": sha256,
                "name": name,
                "accuracies": [_accuracy(run, one) for run, one in accuracies.items()],
                "confusions": [_matrix(one) for one in confusions],
                "signing": dict(signing or {}),
                "numbers": [list(pair) for pair in numbers],
                "checks": [dict(one) for one in checks],
                "fitted_on": fitted_on,
                "validation": validation,
                "can_approve": approve is not None,
                "blocked": self._blocked,
            },
            **traits,
        )

    @classmethod
    def of_fit(cls, fitted: Mapping[str, Any], **more: Any) -> DecoderPanel:
        """The panel of a fit (what ``live.run_fit`` returned, or a row of the record's decoders).

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
        part = "part" if "blocks" in metrics["validation"] else "run"
        confusions = [{**one, "part": part} for one in metrics["confusion"]]
        return cls(
            str(fitted["sha256"]),
            name=str(fitted["name"]),
            accuracies={"": pooled},
            confusions=confusions,
            validation=str(metrics["validation"]),
            adapts=metrics.get("adapts") or {},
            **more,
        )

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Approve by hash; nothing else."""
        return {"approve": self.approve}

    def approve(self, sha256: str) -> str:
        """Approve this decoder.

        Raises
        ------
        BadValue
            When the hash is not that of the decoder shown.
        Refused
            When a check failed, when it is approved already, or when this page may not approve.
        """
        if sha256 != self._sha256:
            raise BadValue(
                f"approval names decoder {sha256[:12]!r}, shown is {self._sha256[:12]!r}; reload the page"
            )
        if self._approve is None:
            raise Refused("this page shows a decoder and cannot approve it; use notebook 20_live_session")
        if self.approved:
            raise Refused(f"this decoder is approved already: {self.approved}")
        if self._blocked:
            raise Refused(f"a decoder with a failed check is not approved: {self._blocked}")
        self.approved = self._approve(sha256)
        return self.approved


def _accuracy(run: str, one: AccuracyLike) -> dict[str, Any]:
    low, high = one.interval if one.interval is not None else (None, None)
    return {
        "run": run,
        "correct": one.correct,
        "n": one.n,
        "excluded": one.excluded,
        "classes": one.classes,
        "value": one.value,
        "low": low,
        "high": high,
        "limit": one.limit,
        "above": one.above_chance,
    }


def _matrix(one: Any) -> dict[str, Any]:
    """A confusion matrix as the page draws it: counts, their shares of the row, what was right, and of how many.

    A last column counts what was not decided, where there is any; its name is ``""``.
    """
    plain = dict(one) if isinstance(one, Mapping) else asdict(one)
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
    """The reason why nothing can be approved, ``""`` when it can; a catalogue key or a check's own words."""
    if not accuracies:
        return "decoder.no_result"
    if not list(accuracies.values())[-1].above_chance:
        return "decoder.not_above_chance"
    return next((one["text"] for one in checks if one.get("state") == "high"), "")
