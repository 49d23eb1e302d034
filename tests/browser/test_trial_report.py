"""A click in the report of a trial, in a real browser: from an estimate to the samples that it rests on."""

from __future__ import annotations

import re

import pytest

from tests.dashboard import results_trial
from tests.reports import handed_over, trial
from workbench.commands import main
from workbench.reports import trial_report
from workbench.study import Study
from workbench.study.changes import CutData


@pytest.mark.job
def test_clicks_lead_from_an_estimate_to_its_rows_an_assessment_and_the_samples_of_a_run(chromium, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
        made = trial.begin(tmp_path / "study", n=4)
        both = [made.who[login].confirm(trial.SECRET) for login in ("he", "stat")]
        made.study.apply(CutData("look"), both, "interim analysis")
        handed_over.hand_over(made.study, tmp_path / "results")
        report = trial_report(
            made.study, "interim", snapshot="look", reader=made.who["stat"], formats=("html",),
            results=tmp_path / "results",
        )  # fmt: skip
        runs = {
            row["sha256"][:12]: made.study.rows("trial", run_id=row["run_id"])
            for row in made.study.rows("recording")
        }
        made.study.close()
    page = chromium.new_page()
    page.goto(report.files["html"][0].as_uri())
    page.locator("tr.strong a").first.click()
    page.locator(":target ~ .kv a").first.click()
    person = next(
        name for name, who in made.people.items() if made.arms.get(who) == trial.DEVICE and name != "P-002"
    )
    page.locator(":target ~ .scroll").first.locator("tr", has_text=person).locator("a").click()
    assert page.locator(":target td").nth(0).inner_text() == person
    page.locator(":target a[href^='#run-']").click()
    said = page.locator(":target").inner_text()
    spans = [
        (name, min(one["cue_sample"] for one in own), max(one["end_sample"] for one in own))
        for name, own in runs.items()
    ]
    assert any(f"{name} {first}:{last}" in said for name, first, last in spans)
    page.close()


@pytest.mark.job
def test_what_a_listing_prints_of_a_run_opens_the_samples_themselves(chromium, tmp_path):
    with results_trial.keys_beside(tmp_path / "study"):
        folder = results_trial.make(tmp_path / "study", n=2)
        with Study.open(folder, actor="tests") as study:
            made = trial_report(study, "interim", reader=study.script_signer("tests"), formats=("html",))
    report = made.files["html"][0]
    page = chromium.new_page()
    page.goto(report.as_uri())
    page.locator("a[href^='#list-runs-']").first.click()
    said = page.locator(":target ~ .scroll").first.inner_text()
    digest, first, last = re.search(r"([0-9a-f]{12}) (\d+):(\d+)", said).groups()
    about = ("--recording", digest, "--samples", f"{first}:{last}", "--output", str(tmp_path / "page.html"))
    assert main(["scope", str(folder), *about]) == 0
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_selector("#figure .scatterlayer .trace")
    assert digest in page.inner_text("dl")
    assert f"{first}:{last} of" in page.inner_text("dl")
    page.close()
