"""From a snapshot to the samples and to the signed report, by keyboard alone, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.conftest import READY_MS
from tests.browser.test_trial_walk import PEOPLE, Keyboard
from tests.dashboard import results_trial
from tests.dashboard.trial import SECRET
from tests.widgets.test_clinic import axe
from workbench.recording import RunFile
from workbench.study import Study
from workbench.study.changes import GrantRole
from workbench.widgets.dashboard import serve

pytestmark = [pytest.mark.job, pytest.mark.timeout(300)]


@pytest.fixture
def folder(tmp_path):
    with results_trial.keys_beside(tmp_path / "study"):
        made = results_trial.make(tmp_path / "study")
        with Study.open(made, actor="tests") as study:
            script = study.script_signer("manager")
            for login in ("sun", "okafor"):
                name, role = PEOPLE[login]
                # Who may learn an arm is who was granted the role.
                who = study.add_person(login, name, SECRET, ("monitor",))
                study.apply(GrantRole(who, role, "GCP 2026"), script, "joins")
        yield made


def drawn(page, name):
    """The marks of a figure inside of what is called so, each with its values across."""
    return page.evaluate(
        "name => document.querySelector(`[data-name='${name}'] .plot`)._fullData"
        ".filter((one) => one.mode.includes('markers') || name === 'scope')"
        ".map((one) => [one.name, [...(name === 'scope' ? one.customdata : one.x)]])",
        name,
    )


def signed_by_two(keys, folder):
    """The report is made and signed; a wrong password leaves the dialog open, and nothing signed."""
    page = keys.page
    keys.go("write-report")
    page.wait_for_selector("[data-name=report-state]:text('Draft')")
    assert "signed" not in page.inner_text("[data-name=report-pdf]")
    for role, login, password in (("investigator", "okafor", "wrong"), ("investigator", "okafor", SECRET),
                                  ("statistician", "sun", SECRET)):  # fmt: skip
        if not page.locator("[data-name=sign-sheet]").count():
            keys.go("sign-report")
        keys.replace("sign-login", login)
        keys.fill("sign-password", password)
        keys.picture(f"sign-{role}")
        keys.go("sheet-send")
        if password != SECRET:
            page.wait_for_selector("[data-name=sheet-problem]:text('do not match')")
            assert page.locator("[data-name=sign-password]").input_value() == ""
            continue
        page.wait_for_selector(f"[data-name=signed-{role}]:has-text('{PEOPLE[login][0]}')")
        page.wait_for_selector("dialog", state="detached")
    page.wait_for_selector("[data-name=report-state]:text-is('Signed')")
    path = page.inner_text("[data-name=report-pdf]").split(" · ")[0]
    assert "-signed-" in path
    assert (folder / path).read_bytes().startswith(b"%PDF")
    with page.context.expect_page() as opened:
        keys.go("read-report")
    assert PEOPLE["okafor"][0] in opened.value.inner_text("body")
    opened.value.close()
    keys.picture("signed")


def test_keys_lead_from_the_overview_to_an_estimate_its_rows_an_exam_and_the_samples_on_the_scope(
    folder, chromium, tmp_path
):
    dashboard = serve(folder, open_browser=False)
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.set_default_timeout(READY_MS)
        page.goto(dashboard.url)
        page.wait_for_selector("[data-name=view-study]")
        page.set_default_timeout(30_000)
        keys = Keyboard(page, tmp_path / "pictures")
        keys.sign_in("sun")
        keys.go("view-study")
        keys.go("results")
        keys.to("plan")
        page.keyboard.type("sap-1")
        keys.picture("choose")
        keys.go("run")
        page.wait_for_selector("[data-name='estimand-primary'] .plot .scatterlayer")
        said = page.inner_text("[data-name=finding]")
        first = page.inner_text("[data-analysis=primary] td:nth-child(3)")
        mark = dict(drawn(page, "estimand-primary"))["Primary: primary"][0]
        assert first.startswith(f"{mark:.2f} (".replace("-", "−")), (first, mark)
        assert first.split(" ")[0] in said
        assert "SIM-003" in dict(drawn(page, "course-arat.total"))
        why = page.inner_text("[data-analysis=grasp]")
        assert "at least 2 are needed" in why
        keys.picture("results")
        found = axe(page)
        assert found == []
        # An estimate → its rows → the exam, by its entry.
        keys.go("rows-primary")
        page.wait_for_selector("[data-name=rows] tbody tr")
        keys.to("behind-row")
        row = page.inner_text("[data-name=rows] tbody tr:first-child")
        keys.press("Enter")
        page.wait_for_selector("[data-name=behind-title]")
        exam = page.inner_text("[data-name=behind]")
        with Study.open(folder, actor="tests") as study:
            entry = next(one for one in study.entries() if f"{one.seq} · {one.hash[:8]}" in row)
            recording = study.rows("recording")[0]
        assert entry.table == "assessment"
        assert all(text in exam for text in (entry.row_id, f"{entry.seq} · {entry.hash}"))
        # A value that recordings gave → its trials → the samples themselves.
        keys.go("rows-performance.grasp_f1")
        page.wait_for_function(
            "document.querySelector('[data-name=rows-title]').textContent.includes('online grasp F1')"
        )
        keys.go("behind-row")
        page.wait_for_selector("[data-name=samples-0]")
        keys.go("samples-0")
        page.wait_for_selector("[data-name=scope] .scatterlayer")
        run = RunFile(folder / recording["path"])
        begin = int(page.inner_text("[data-name=scope-where]").split("samples ")[1].split(" ")[0])
        assert begin == min(one.cue_sample for one in run.trials())
        end = begin + 10 * round(run.signal.fs)
        values = run.units.scale(np.asarray(run.signal.values[begin:end], dtype=float))
        lanes = dict(drawn(page, "scope"))
        wanted = dict(zip(run.signal.channels, (values - np.median(values, axis=0)).T, strict=True))
        assert {name: (max(own), min(own)) for name, own in lanes.items()} == {
            name: pytest.approx((own.max(), own.min())) for name, own in wanted.items()
        }
        keys.picture("scope")
        keys.go("later")
        page.wait_for_function(
            f"document.querySelector('[data-name=scope-where]').textContent.includes('{end} to')"
        )
        signed_by_two(keys, folder)
        page.locator(".bar .seg button[lang='zh-CN']").press("Enter")
        page.wait_for_selector("[data-name='estimand-primary'] h2:text('估计目标')")
        page.wait_for_selector("[data-name='estimand-primary'] .plot .scatterlayer")
        keys.picture("zh")
        assert axe(page) == []
        assert [
            url for url in asked if not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:"))
        ] == []
    finally:
        page.context.close()
        dashboard.stop()
