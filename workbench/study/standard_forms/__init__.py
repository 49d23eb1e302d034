"""Forms of data sets that others have defined, to be copied into a protocol: TOML files of this folder, versioned.

A protocol takes such a form with all its items, so that its hash covers them (``workbench protocol forms NAME``).
What was seen of a data set and what is from memory stands in the file; codes from memory are the site's to
confirm.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import UnknownName
from workbench.messages import Message
from workbench.study.forms import Form
from workbench.study.protocol import forms_of

CORE = "sci_core_3"
"""The International SCI Core Data Set v3.0."""


def available() -> tuple[str, ...]:
    """Names of the forms, sorted."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.toml")))


def text(name: str) -> str:
    """The form as it is put into a protocol file.

    Parameters
    ----------
    name : one of :func:`available`.

    Raises
    ------
    UnknownName
        When there is no such form.
    """
    if name not in available():
        raise UnknownName(Message("core.no_form", got=f"{name!r:.60}", known=list(available())))
    return (Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")


@cache
def load(name: str) -> Form:
    """The form. Raises UnknownName."""
    data: dict[str, Any] = tomllib.loads(text(name))
    (form,) = forms_of(data, name)
    return form
