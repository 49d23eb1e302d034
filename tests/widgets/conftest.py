"""A real browser around one widget: its ESM and CSS on an empty page, the test speaking as Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def statuses() -> dict[str, Any]:
    """Statuses of the engine as recorded, by name."""
    return json.loads((HERE / "statuses.json").read_text(encoding="utf-8"))


@pytest.fixture
def mount(chromium: Any) -> Iterator[Callable[..., Any]]:
    """``mount(WidgetClass, traits, width=, height=, dark=)`` → a page that shows the widget; widgets with
    their traits after it stand below it, as on the dashboard.
    """
    pages = []

    def show(
        widget: Any,
        traits: dict[str, Any],
        *below: tuple[Any, dict[str, Any]],
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
    ) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        pages.append(context)
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
        return page

    yield show
    for context in pages:
        context.close()
