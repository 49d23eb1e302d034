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
    page.errors, page.loaded = [], set()
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.set_content("<!doctype html><html lang=en><head><style></style></head><body></body></html>")
    page.add_script_tag(path=str(HERE / "harness.js"))
    return page


@pytest.fixture(scope="session")
def usual_page(chromium: Any) -> Iterator[Any]:
    """The page that every mount without a clock of its own fills again; a new one takes a second."""
    page = new_page(chromium)
    yield page
    page.context.close()


@pytest.fixture
def mount(chromium: Any, usual_page: Any) -> Iterator[Callable[..., Any]]:
    """``mount(WidgetClass, traits, width=, height=, dark=, own=, clock=)`` → the page with the widget alone.

    Widgets with their traits after it stand below it, as on the dashboard. The next mount takes them away, unless
    ``own`` asks for a page of its own, whose scripts the test may change, ``clock`` for one whose time it moves.
    """
    pages: list[Any] = []

    def show(
        widget: Any,
        traits: dict[str, Any],
        *below: tuple[Any, dict[str, Any]],
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
        own: bool = False,
        clock: bool = False,
    ) -> Any:
        page = usual_page
        if own or clock:
            pages.append(page := new_page(chromium))
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        places = ["here", *(f"below-{i}" for i in range(len(below)))]
        style = "body{margin:0;--wb-height:100vh}" + "".join(one._css for one in (widget, *dict(below)))
        page.evaluate("([style, places]) => window.clear(style, places)", [style, places])
        for place, (one, more) in zip(places, ((widget, traits), *below), strict=True):
            name = (one if isinstance(one, type) else type(one)).__name__
            if name not in page.loaded:
                page.evaluate("([name, esm]) => window.load(name, esm)", [name, str(one._esm)])
                page.loaded.add(name)
            shown = {"language": "en", "theme": "auto", **more}
            page.evaluate("([name, traits, place]) => window.mount(name, traits, place)", [name, shown, place])
        if clock:
            page.clock.install()
        return page

    yield show
    # Nothing is left of the last test: no timer, no focus, no pointer over what comes next.
    usual_page.mouse.move(0, 0)
    usual_page.evaluate("() => window.clear('', [])")
    usual_page.errors.clear()
    for page in pages:
        page.context.close()
