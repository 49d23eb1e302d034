"""The base of every panel: how its ESM and CSS are composed, its language and its theme.

A browser loads a widget's ESM from a string and cannot resolve ``import … from "./x.js"`` in it. The ``.js``
files here and in ``parts/`` are ordinary modules; :func:`compose` joins those a panel needs into one, in the
given order, and drops their import and export words. Top-level names are therefore unique (tested).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from workbench import messages
from workbench.errors import WorkbenchError
from workbench.html_repr import card
from workbench.messages import Message
from workbench.widgets import _tickets
from workbench.widgets._locale import LANGUAGES, catalogue

HERE = Path(__file__).parent
SAYABLE = (WorkbenchError, TypeError, ValueError, OSError)
"""Errors of a request whose sentence the page shows; any other is a defect."""
SYNCED: Mapping[str, Any] = {"sync": True, "to_json": lambda value, _widget: messages.carried(value)}
"""Tags of a trait that goes to the page with the codes of its messages, see ``t.said`` in ``parts/dom.js``."""
STILL = "A picture of the panel at the time when its cell ran; run the notebook to use it."
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|function|class|async) )", re.MULTILINE)


@cache
def compose(*modules: str) -> str:
    """One ES module out of the named files (relative to this folder, without ``.js``), the catalogues first."""
    constants = {
        "CATALOGUE": catalogue(),
        "MESSAGES": messages.catalogue(),
        "BETWEEN": messages.BETWEEN,
        "AFTER": messages.AFTER,
    }
    parts = [f"const {name} = {json.dumps(value, ensure_ascii=False)};" for name, value in constants.items()]
    for name in modules:
        source = (HERE / f"{name}.js").read_text(encoding="utf-8")
        parts.append(_EXPORT.sub("", _IMPORT.sub("", source)))
    return "\n".join(parts)


@cache
def styles(*sheets: str) -> str:
    """The tokens, the common style and the named files of ``css/``, scoped to ``.wb``."""
    parts = [(HERE / "css" / f"{name}.css").read_text(encoding="utf-8") for name in ("tokens", "base", *sheets)]
    return "\n".join(parts).replace(":root", ".wb")


class Panel(anywidget.AnyWidget):
    """A widget with a language and a theme, whose requests arrive as named messages.

    Traits are for showing only: a page can set any synced trait, so no decision here reads one back.
    Requests of a page come through :meth:`answer`, and the function that carries them out checks them again. A
    message holds a ticket in the place of a password (:mod:`workbench.widgets._tickets`).

    Attributes
    ----------
    language : ``"en"`` or ``"zh-CN"``.
    theme : ``"auto"`` (follows JupyterLab, else the system), ``"light"`` or ``"dark"``.
    """

    language = traitlets.Enum(LANGUAGES, default_value="en").tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), default_value="auto").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._received)

    def follow(self, other: Panel) -> None:
        """Take language and theme from another panel, now and whenever they change there."""
        for name in ("language", "theme"):
            traitlets.dlink((other, name), (self, name))

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Requests that this panel accepts: name → function of keyword arguments. The list is closed."""
        return {}

    def answer(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one request; an error becomes a sentence, never a traceback.

        Returns
        -------
        dict
            ``{"kind": "answer", "name", "ok", "text", "value"}``.
        """
        handler = self.requests().get(name)
        # A page is not trusted: names outside the list are answered, never looked up on the object.
        if handler is None:
            allowed = sorted(self.requests()) or Message("word.none")
            sentence = Message("page.request_unknown", request=repr(name), allowed=allowed)
            return _outcome(name, ok=False, text=sentence)
        try:
            value = handler(**arguments)
        except SAYABLE as error:
            return _outcome(name, ok=False, text=messages.of(error))
        return _outcome(name, ok=True, text="", value=value)

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """What a page without a running kernel shows for the panel: a title, and label and value of each line."""
        return "", []

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live panel, with a static picture for notebooks that are saved, exported or printed."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        title, facts = self.describe()
        still = card(type(self).__name__, title, facts, remarks=[STILL])
        return {**data, "text/html": still}, metadata

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        # A page may send anything; what is not a named request is dropped.
        if isinstance(content, dict) and isinstance(content.get("name"), str):
            arguments = content.get("args")
            try:
                given = _tickets.exchanged(arguments if isinstance(arguments, dict) else {})
            except WorkbenchError as error:
                reply = _outcome(content["name"], ok=False, text=messages.of(error))
            else:
                reply = self.answer(content["name"], given)
            self.send({**messages.carried(reply), "id": content.get("id")})


def _outcome(name: str, *, ok: bool, text: str, value: Any = None) -> dict[str, Any]:
    # Only values that JSON can carry: a method may return an object that is of no use to the page.
    plain = value if isinstance(value, (dict, list, str, int, float, bool, type(None))) else None
    return {"kind": "answer", "name": name, "ok": ok, "text": text, "value": plain}
