"""A real browser around one widget: its ESM and CSS on an empty page, the test speaking as Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def guarded() -> ModuleType:
    """The guard; it imports Voila, which takes seconds that not every worker should spend to collect tests."""
    return import_module("workbench.widgets.guarded")


@pytest.fixture(scope="session")
def statuses() -> dict[str, Any]:
    """Statuses of the engine as recorded, by name."""
    return json.loads((HERE / "statuses.json").read_text(encoding="utf-8"))


def new_page(chromium: Any) -> Any:
    """A page in a profile of its own that collects the errors of its scripts in ``errors``."""
    page = chromium.new_context().new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page


@pytest.fixture(scope="session")
def usual_page(chromium: Any) -> Iterator[Any]:
    """The page that every mount without a clock of its own fills again; a new one takes a second."""
    page = new_page(chromium)
    yield page
    page.context.close()


@pytest.fixture
def mount(chromium: Any, usual_page: Any) -> Iterator[Callable[..., Any]]:
    """``mount(WidgetClass, traits, width=, height=, dark=, clock=)`` → the page, blank before, with the widget.

    Widgets with their traits after it stand below it, as on the dashboard. The next mount takes the page away,
    unless ``clock`` asks for a page of its own, whose time the test may move.
    """
    own: list[Any] = []
    usual: list[Any] = []

    def show(
        widget: Any,
        traits: dict[str, Any],
        *below: tuple[Any, dict[str, Any]],
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
        clock: bool = False,
    ) -> Any:
        page = new_page(chromium) if clock else usual_page
        # A new page is blank, and the usual one is between tests: to go there twice takes a sixth of a mount.
        if page in usual:
            blank(page)
        (own if clock else usual).append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_content(
            "<!doctype html><html lang=en><head>"
            "<style>body{margin:0;--wb-height:100vh}"
            f"{''.join(one._css for one in (widget, *dict(below)))}</style>"
            '</head><body><div id="here"></div>'
            + "".join(f'<div id="below-{i}"></div>' for i in range(len(below)))
            + "</body></html>"
        )
        page.add_script_tag(path=str(HERE / "harness.js"))
        page.evaluate(
            "([esm, traits]) => window.mount(esm, traits)",
            [str(widget._esm), {"language": "en", "theme": "auto", **traits}],
        )
        for i, (one, more) in enumerate(below):
            page.evaluate(
                "([esm, traits, place]) => window.mount(esm, traits, place)",
                [str(one._esm), {"language": "en", "theme": "auto", **more}, f"below-{i}"],
            )
        if clock:
            page.clock.install()
        return page

    yield show
    blank(usual_page)
    for page in own:
        page.context.close()


def blank(page: Any) -> None:
    """Leave nothing of the last document: no timer, no focus, no pointer over what comes next."""
    page.mouse.move(0, 0)
    page.goto("about:blank")
    page.errors.clear()
