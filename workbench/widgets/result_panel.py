"""The result of a run: a sentence, its numbers with intervals, every trial in order, and the next steps.

Every number arrives computed; the page only draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.widgets._base import SYNCED, Panel, compose, styles

TAGS = ("fatigue", "spasm", "interrupted", "cap_moved")
LONGEST_NOTE = 2000


class ResultPanel(Panel):
    """The result of one run.

    Parameters
    ----------
    result : what is shown: ``participant, number, kind, state, hits, n, total, limit, above, shuffles, cued,
        failed`` (the sentence), ``numbers`` (``{"value", "unit", "key", "args"}``), ``trials`` (``{"index",
        "condition", "outcome", "decided", "onset_s", "release_s", "held_s", "false", "excluded"}``), ``median_s``,
        ``middle_s``, ``window_s``, ``runs`` (``{"name", "when", "value", "low", "high", "now", "false",
        "onset"}``, newest first), ``limit_share``, ``integrity`` and ``decoder`` (``{"state", "key", "args"}`` or
        ``{"name", "text"}``) and ``next`` (``{"name", "key", "args", "primary"}``).
    act : called with the name of a next step; the sentence that it returns is shown beside the steps.
    note : called as ``note(text=…, tags=…)``; keeps a note with the record and returns the sentence to show. None
        hides the field.

    Traits
    ------
    kept : the sentence about the last note; done : the sentence about the last step that stays on this page.
    """

    _esm = compose("parts/dom", "parts/icons", "result_panel")
    _css = styles("panels", "result")

    result = traitlets.Dict().tag(**SYNCED)
    kept = traitlets.Unicode("").tag(sync=True)
    done = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        result: Mapping[str, Any],
        *,
        act: Callable[[str], str | None] | None = None,
        note: Callable[..., str] | None = None,
        **traits: Any,
    ) -> None:
        self._act, self._note = act, note
        super().__init__(result={**result, "can_note": note is not None}, **traits)

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """Participant, state and hits of the run."""
        return f"run {self.result.get('number', '')}", [
            ("participant", self.result.get("participant")),
            ("visit", self.result.get("visit")),
            ("state", self.result.get("state")),
            (
                "hits",
                f"{self.result['hits']} of {self.result['n']}" if self.result.get("hits") is not None else "",
            ),
        ]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """A next step, and a note."""
        return {"act": self.act, "note": self.note}

    def act(self, name: str) -> str:
        """Take one of the offered next steps; returns the sentence to show."""
        offered = [step["name"] for step in self.result.get("next", [])]
        if self._act is None or name not in offered:
            allowed = offered or Message("word.none")
            raise BadValue(Message("result_page.next_step", allowed=allowed, name=repr(name)))
        self.done = sentence = self._act(name) or ""
        return sentence

    def note(self, text: str, tags: list[str] | None = None) -> str:
        """Keep a note of the signed-in person; notes are never edited. Returns the sentence to show."""
        if self._note is None:
            raise Refused(Message("result_page.no_notes"))
        chosen = list(tags or [])
        if not isinstance(text, str) or len(text) > LONGEST_NOTE or any(tag not in TAGS for tag in chosen):
            raise BadValue(Message("result_page.note_limits", n=LONGEST_NOTE, tags=TAGS))
        if not text.strip() and not chosen:
            raise BadValue(Message("result_page.note_empty"))
        self.kept = sentence = self._note(text=text.strip(), tags=tuple(chosen))
        return sentence
