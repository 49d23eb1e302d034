"""A session with an amplifier and an effector that are not ours, from the dashboard's buttons alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench import live
from workbench.commands import main
from workbench.conformance._engine_side import EFFECTOR, KEY
from workbench.devices import pairing
from workbench.errors import EngineFault
from workbench.study import Study, verify
from workbench.vocabulary import Participant, Visit
from workbench.widgets.dashboard import serve

pytestmark = [pytest.mark.release, pytest.mark.timeout(900)]

AMPLIFIER = "acme-ecog"
PASSWORD = "a long enough password"
LABELS = "G1 G2 G3 G4 G5 G6 G7 G8"
STEP_MS = 180_000
"""How long any one step may take; the machine may be busy."""


@dataclass
class Room:
    """The page of a study whose participant is a person, with a foreign amplifier on the network."""

    page: Any
    folder: Path
    keys: Path
    processes: list[subprocess.Popen[bytes]]

    def attach(self, script: Path, *arguments: str, **environment: str) -> None:
        """Start a process that is not ours."""
        command = [sys.executable, str(script), *arguments]
        with (self.folder.parent / f"{script.stem}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(command, env={**os.environ, **environment}, stderr=log))


NETWORK = "import sys; from workbench.devices import lsl; print(lsl.configure(session_id=sys.argv[1]).path)"


@pytest.fixture
def room(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    # An LSL session of its own: an amplifier would hear the cues of every other test on this computer too.
    asked = [sys.executable, "-c", NETWORK, f"job-{os.getpid()}"]
    monkeypatch.setenv(
        "LSLAPICFG", subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    )
    folder, keys = tmp_path / "study", tmp_path / "keys of the device"
    with Study.create(folder, code="WARD", title="Ward", actor="test") as study:
        study.add_person("lin", "Lin Q.", PASSWORD, roles=("operator", "engineer"))
        study.add_person("okafor", "Dr Okafor A.", PASSWORD, roles=("investigator",))
        study.append(Visit(study.append(Participant("P-041")), "Month 1"))
    dashboard = serve(folder, open_browser=False)
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    made = Room(context.new_page(), folder, keys, [])
    made.page.set_default_timeout(STEP_MS)
    made.attach(Path(__file__).with_name("foreign_amplifier.py"), AMPLIFIER)
    try:
        made.page.goto(dashboard.url)
        made.page.wait_for_selector("[data-name=row-P-041]")
        yield made
    finally:
        with suppress(EngineFault), live.attach(folder) as client:
            client.shutdown()
        context.close()
        dashboard.stop()
        for process in made.processes:
            process.terminate()
            process.wait(20.0)


def sign_in(page: Any) -> None:
    page.click("[data-name=sign-person]")
    page.fill("[data-name=login]", "lin")
    page.fill(".sign [data-name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-name=operator]:text('Lin Q.')")  # a code that was read for somebody else lapses


def record_consent(page: Any) -> None:
    """On the participant's page, signed by an investigator who is not signed in to the page."""
    page.click("[data-name=view-today]")
    page.click("[data-name=open-P-041]")
    page.click("[data-name=record-consent]")
    page.fill("[data-name=document-version]", "1.0")
    page.fill("[data-name=sign-login]", "okafor")
    page.fill("[data-name=sign-password]", PASSWORD)
    page.click("[data-name=sheet-send]:enabled")
    page.wait_for_selector("[data-name=withdraw-participation]")
    page.click("[data-name=back]")


def confirm(page: Any) -> None:
    page.click("[data-name=view-today]")
    page.click("[data-name=row-P-041]")
    page.fill("[data-name=code]", "P-041")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-name=confirmed]:has-text('P-041')")


def pair_the_device(room: Room) -> None:
    """The code from the screen, typed at the device's computer, which has keys of its own; then it starts."""
    room.page.click("[data-name=effector-real]")
    room.page.click("[data-name=pair]")
    code = room.page.locator("[data-name=pair-code]")
    room.page.wait_for_function("document.querySelector('[data-name=pair-code]').textContent.length === 19")
    name = room.page.locator("[data-name=pair-command]").inner_text().split()[3]
    command = [sys.executable, "-m", "workbench", "pair", "device", name, "glove"]
    there = {**os.environ, "WORKBENCH_KEYS": str(room.keys)}
    subprocess.run(command, input=code.inner_text().encode(), env=there, check=True, capture_output=True)
    script = Path(__file__).parents[1] / "conformance" / "foreign_effector.py"
    (key,) = room.keys.rglob("*.key")
    room.attach(script, **{KEY: str(key), EFFECTOR: "glove"})


def set_up(room: Room) -> None:
    page = room.page
    page.click("[data-name=view-setup]")
    page.click("[data-name=look]")
    page.wait_for_selector(f"[data-name=role-{AMPLIFIER}]")
    page.select_option(f"[data-name=role-{AMPLIFIER}]", "signal")
    page.wait_for_selector("text=names none of its 8 channels")
    page.fill("[data-name=labels-signal]", LABELS)
    page.fill("[data-name=reference-signal]", "mastoid")
    page.keyboard.press("Tab")
    pair_the_device(room)
    page.wait_for_selector("[data-name=setup-title]:has-text('Nothing blocks the session')")
    for _ in range(20):
        page.click("[data-name=look]")
        page.wait_for_selector("[data-name=look]:enabled")
        if "answers" in page.locator("[data-name=effector-answers]").inner_text():
            break
    page.click("[data-name=save-setup]")
    page.wait_for_selector("[data-name=saved]:has-text('Saved by Lin Q.')")
    # Saving measured it.
    page.wait_for_selector("[data-name=checks-signal]:has-text('of 500 Hz; jitter')")


def run(page: Any, kind: str, trials: int) -> None:
    page.wait_for_function(f"!!document.querySelector('[data-name=kind] option[value={kind}]:not([disabled])')")
    page.select_option("[data-name=kind]", kind)
    if kind == "online":
        # The form is drawn again when the approved decoder arrives, and forgets a number typed before.
        page.wait_for_selector("[data-name=decoder-used]:has-text('Lin Q.')")
    page.fill("[data-name=n-trials]", str(trials))
    page.click("[data-name=start-run]:enabled")
    page.wait_for_selector("[data-name=pause]")


def arm(page: Any) -> None:
    """Arm as an operator does: a device that lost its link on a busy computer is reset first."""
    while True:
        either = page.wait_for_selector("[data-name=arm]:enabled, [data-name=reset_stop]:enabled")
        name = either.get_attribute("data-name")
        page.click(f"[data-name={name}]:enabled")
        if name == "arm":
            return
        if page.locator("[data-name=reset-now]").count():
            page.click("[data-name=reset-now]")
        page.wait_for_selector("[data-name=reset_stop]:enabled", state="detached")


def test_a_foreign_amplifier_and_effector_complete_calibration_and_online_by_clicks(room: Room) -> None:
    page = room.page
    sign_in(page)
    confirm(page)
    assert page.locator("[data-name=start-session]").is_disabled()
    page.wait_for_selector("text=Consent of P-041 is not recorded")
    record_consent(page)
    confirm(page)
    assert page.locator("[data-name=start-session]").is_disabled()
    page.wait_for_selector("text=no set-up of the site main is saved")
    set_up(room)
    page.click("[data-name=start-setup]:enabled")
    page.wait_for_selector("[data-name=start-run]")
    assert page.locator("text=Consent not recorded here").count() == 0
    assert page.locator("text=Simulated").count() == 0
    run(page, "calibration", 8)
    page.wait_for_selector("[data-name=sign]")
    if page.locator("[data-name=reason]").is_visible():
        page.fill("[data-name=reason]", "a bench without a person")
    page.fill(".decoder [data-name=password]", PASSWORD)
    page.click("[data-name=sign]:enabled")
    page.wait_for_selector("[data-name=decision]:has-text('Approved by Lin Q.')")
    page.click("[data-name=view-run]")
    run(page, "online", 4)
    arm(page)
    page.wait_for_function(
        "/ACTIVE|HOLD|RELEASE/.test(document.querySelector('[data-name=effector-state] .nm').textContent)"
    )
    page.wait_for_selector("[data-name=result-title]")
    assert "of 4 cues" in page.locator("[data-name=result-title]").inner_text()
    page.click("[data-name=next-report]")
    page.wait_for_selector("[data-name=step-done]:has-text('Report kept: reports/session-')")
    page.click("[data-name=end-session]:enabled")
    page.click("[data-name=end-session-now]")
    page.wait_for_selector("[data-name=row-P-041]")
    assert main(["replay", str(room.folder)]) == 0
    assert verify(room.folder).problems == ()
    with Study.open(room.folder, actor="test") as study:
        (session,) = study.rows("session")
        assert not session["simulated"]
        assert session["plan"]["effector_simulated"] is False
        assert session["plan"]["setup"]["site"] == "main"
        assert [line["channels"] for line in session["plan"]["contract"]] == [LABELS.split()]
        assert session["plan"]["consent"] == "1.0"
        assert study.rows("session_ledger", session_id=session["id"], kind="consent") == []
        assert {one["kind"]: one["state"] for one in study.rows("run")} == {
            "calibration": "finished",
            "online": "finished",
        }
    (page_file,) = (room.folder / "reports").glob("session-*.html")
    assert "Consent not recorded here" not in page_file.read_text(encoding="utf-8")
    assert pairing(room.folder, "glove").path.is_file()
