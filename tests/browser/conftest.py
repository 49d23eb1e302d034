"""A dashboard of a simulated study in standalone Voila, and a real browser in front of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from workbench.study import Study
from workbench.vocabulary import Participant, Visit
from workbench.widgets.dashboard import Dashboard, serve

READY_MS = 120_000
SPEED = "5"


@dataclass
class Visited:
    """A page and everything that it asked for."""

    page: Any
    study: Path
    dashboard: Dashboard
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with two simulated participants and a visit of each."""
    folder = tmp_path_factory.mktemp("dashboard") / "study"
    with Study.create(folder, code="BROWSER", title="Browser test", actor="test") as study:
        for name in ("SIM-01", "SIM-02"):
            study.append(Visit(study.append(Participant(name, simulated=True)), "visit 1"))
    return folder


@pytest.fixture(scope="module")
def visited(chromium: Any, study_folder: Path) -> Iterator[Visited]:
    """The dashboard, open in the browser; no session runs yet. One server and one page for the whole file."""
    before = os.environ.get("WORKBENCH_SPEED")
    os.environ["WORKBENCH_SPEED"] = SPEED
    try:
        dashboard = serve(study_folder, open_browser=False)
    finally:
        if before is None:
            del os.environ["WORKBENCH_SPEED"]
        else:
            os.environ["WORKBENCH_SPEED"] = before
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    try:
        found = Visited(context.new_page(), study_folder, dashboard)
        found.page.set_default_timeout(READY_MS)
        context.on("request", lambda request: found.requests.append(request.url))
        found.page.on("websocket", lambda socket: found.requests.append(socket.url))
        found.page.goto(dashboard.url)
        found.page.wait_for_selector("[data-name=row-SIM-01]")
        yield found
    finally:
        context.close()
        dashboard.stop()
