"""The report of a trial: what it counts, what a blinded one never reads, how numbers lead back, same bytes."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import io
import json
import re
import shutil
import zipfile
from html import unescape

import pytest

from tests.reports import handed_over, trial
from tests.study.conftest import fill
from workbench import estimation, figures
from workbench.commands import main
from workbench.errors import BadValue, Refused, UnknownName
from workbench.reports import _trial_facts, docx, html, signing, trial_report
from workbench.reports._trial_facts import Wanted
from workbench.reports._trial_say import spread
from workbench.reports.blocks import Heading, KeyValue, Link, Table, each
from workbench.reports.texts import Texts
from workbench.reports.trial import analyses_of, trial_document
from workbench.study import Study, allocations
from workbench.study.changes import CutData
from workbench.vocabulary import Participant

pytestmark = pytest.mark.job


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One trial with a data cut, and an entry behind it; read by every test, changed in copies alone."""
    folder = tmp_path_factory.mktemp("trial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(folder / "keys"))
        made = trial.begin(folder / "study")
        both = [made.who[login].confirm(trial.SECRET) for login in ("he", "stat")]
        made.study.apply(CutData("interim-1"), both, "interim analysis")
        made.study.append(Participant("P-099", simulated=True))
        made.study.close()
        yield folder


@pytest.fixture
def study(home, tmp_path, monkeypatch):
    """A copy of the trial that may be written."""
    monkeypatch.setenv("WORKBENCH_KEYS", str(home / "keys"))
    shutil.copytree(home / "study", tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tests") as opened:
        yield opened


@pytest.fixture(scope="module")
def documents(home):
    """Documents by kind and view, made once."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(home / "keys"))
        shutil.copytree(home / "study", home / "read")
        with Study.open(home / "read", actor="tests") as study:
            stat = study.sign_in("stat", trial.SECRET)
            for view, reader in (("blinded", None), ("unblinded", stat)):
                facts = _trial_facts.read(study, Wanted("interim", snapshot="interim-1"), reader=reader)
                made[view] = facts, trial_document(facts, Texts("en"))
    return made


def plain(document) -> str:
    """Text of the HTML page, white space folded."""
    page = html.render(document)
    body = page[page.index("<body") :]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def tables(document):
    return [block for block in each(document) if isinstance(block, Table)]


# ------------------------------------------------------------------------------------ what it counts
def test_the_flow_counts_everybody_once_with_the_reasons_that_were_entered(documents):
    facts, document = documents["unblinded"]
    said = plain(document)
    assert "Screened 10, enrolled 8: taking part 5, completed 1, withdrawn 1, lost to follow-up 1." in said
    for box in ("Screened (n = 10)", "Not enrolled (n = 2)", "criterion E1: 1", "still in screening: 1",
                "Randomised (n = 8)", "moved away: 1", "no answer to five calls: 1"):  # fmt: skip
        assert box in said, box
    by_arm = {group.arm: len(group.people) for group in facts.groups if group.arm}
    assert by_arm == {"interface": 4, "timed": 4}
    assert "P-099" not in facts.names.values()  # entered behind the cut


def test_scores_at_baseline_are_the_last_ones_before_the_study_did_anything(documents):
    facts, document = documents["unblinded"]
    totals = [8.0 + 2 * k for k in range(8)]
    row = next(row for table in tables(document) for row in table.rows if row[0] == "ARAT, right, total")
    assert row[3] == spread(totals)
    arms = {person.name: person.arm for person in facts.people}
    own = [total for k, total in enumerate(totals) if arms[f"P-{k + 1:03d}"] == "interface"]
    assert row[1] == spread(own)


def test_means_behind_a_figure_are_those_of_the_record(documents):
    facts, document = documents["unblinded"]
    arms = {person.name: person.arm for person in facts.people}
    own = [k for k in range(8) if arms[f"P-{k + 1:03d}"] == "interface" and k != 1]  # who left after Week 4
    week_8 = [trial.total(k, 2, device=True) for k in own]
    row = next(
        row for table in tables(document) for row in table.rows if row[0] == "interface: device off, unassisted"
    )
    assert row[3] == f"{sum(week_8) / len(week_8):.1f} ({len(week_8)})"


def test_safety_counts_events_in_participants_by_arm_and_reads_its_clocks_at_the_cut(documents):
    _, document = documents["unblinded"]
    said = plain(document)
    rows = {row[0]: row for table in tables(document) for row in table.rows if isinstance(row[0], str)}
    assert rows["serious (SAE)"][1:4] == ("0", "1 in 1", "1 in 1")
    assert rows["related to device, procedure or stimulation (ADE)"][1:4] == ("1 in 1", "0", "1 in 1")
    assert rows["Implant-days"][1:4] == ("100", "0", "100")
    assert "Reports overdue at the data cut: 1." in said
    assert "cn.sae.other" in said


# ------------------------------------------------------------------------------------ who may see what
def test_a_blinded_report_holds_nothing_that_tells_an_arm(documents):
    facts, document = documents["blinded"]
    said = plain(document)
    assert all(person.arm == "" for person in facts.people)
    assert not facts.entries
    for word in ("device on, assisted", "glove under", "moved away", "redness", "contact 3", "97 min", "F1 0"):
        assert word not in said, word
    assert said.count("Kept from a blinded reader") == 4


def test_a_blinded_report_is_made_where_no_arm_could_be_opened(study, monkeypatch):
    def opened(*_args, **_kwargs):
        raise AssertionError("an arm was opened")

    monkeypatch.setattr(allocations, "open_slot", opened)
    monkeypatch.setattr(allocations, "open_arm", opened)
    before = study.head()
    assert trial_report(study, "interim", snapshot="interim-1", formats=("html",)).view == "blinded"
    added = study.entries(after=before[0])
    assert [entry.action for entry in added if entry.table == "allocation"] == []


def test_each_arm_that_an_unblinded_report_reads_is_an_entry_and_who_may_not_gets_none(study):
    stat, doctor = (study.sign_in(login, trial.SECRET) for login in ("stat", "okafor"))
    before = study.head()[0]
    made = trial_report(study, "interim", snapshot="interim-1", reader=stat, reason="board", formats=("html",))
    read = [entry for entry in study.entries(after=before) if entry.action == "arm_read"]
    assert (made.view, len(read)) == ("unblinded", 8)
    assert {entry.actor for entry in read} == {"Novak P."}
    n = study.count("report")
    with pytest.raises(Refused, match="learns no arm"):
        trial_report(study, "interim", snapshot="interim-1", reader=doctor, formats=("html",))
    assert study.count("report") == n
    assert [entry.action for entry in study.entries(after=before)].count("arm_refused") == 8


# ------------------------------------------------------------------------------------ back to the record
def test_every_link_leads_to_one_row_or_heading(documents):
    for _, document in documents.values():
        names = [block.name for block in each(document) if isinstance(block, Heading) and block.name]
        names += [name for table in tables(document) for name in table.names if name]
        assert len(set(names)) == len(names)
        cells = [cell for table in tables(document) for row in table.rows for cell in row]
        cells += [cell for block in each(document) if isinstance(block, KeyValue) for _, cell in block.pairs]
        links = [cell.to for cell in cells if isinstance(cell, Link)]
        assert set(links) <= set(names)
        assert len(links) > 20


def test_a_row_of_a_listing_names_its_entry_of_the_chain_and_the_samples_behind_it(study, documents):
    facts, document = documents["unblinded"]
    entries = {entry.seq: entry for entry in study.entries()}
    listed = [
        (name, row) for table in tables(document) for name, row in zip(table.names, table.rows, strict=False)
    ]
    scores = [(name, row) for name, row in listed if name.startswith("assessment-")]
    assert len(scores) == len(facts.tables["assessment"])
    for name, row in scores:
        seq, digest = row[-1].text.split(" · ")
        entry = entries[int(seq)]
        assert (entry.table, entry.row_id) == ("assessment", name.removeprefix("assessment-"))
        assert entry.hash.startswith(digest)
    runs = [row for name, row in listed if name.startswith("run-")]
    # From the first to the last trial, as the datasets have it and `workbench scope` takes it.
    spans = set()
    for row in study.rows("recording"):
        own = study.rows("trial", run_id=row["run_id"])
        first, last = min(one["cue_sample"] for one in own), max(one["end_sample"] for one in own)
        spans.add(f"{row['sha256'][:12]} {first}:{last}")
    assert {row[6].text for row in runs} == spans


# ------------------------------------------------------------------------------------ what a plan estimated
@pytest.fixture
def handed(study, tmp_path):
    """Folder of results that rest on the trial's snapshot."""
    handed_over.hand_over(study, tmp_path / "results")
    return tmp_path / "results"


def test_estimates_are_printed_as_they_were_handed_over_and_lead_to_their_assessments(study, handed):
    stat = study.sign_in("stat", trial.SECRET)
    facts = _trial_facts.read(study, Wanted("interim", snapshot="interim-1"), reader=stat)
    document = trial_document(facts, Texts("en"), analyses_of(facts, handed))
    said = plain(document)
    assert "difference of means 3.66 (95 % interval 0.45 to 6.86; p 0.031), interface against timed" in said
    assert said.count("3.66 (0.45 to 6.86)") >= 4  # first page, two rows by estimand, forest
    assert f"few has no result: {handed_over.REFUSAL}" in said
    assert "in the primary analysis: 4, with an outcome: 3" in said
    names = {name for table in tables(document) for name in table.names}
    rows = [row for table in tables(document) for row in table.rows if len(row) == 7 and isinstance(row[5], Link)]
    week_8 = [row for row in study.rows("visit", name="Week 8") if row["status"] == "done"]
    assert len(rows) == 2 * len(week_8)
    assert {row[5].to for row in rows} <= names
    listed = {name: row for table in tables(document) for name, row in zip(table.names, table.rows, strict=False)}
    for row in rows:
        score = listed[row[5].to]
        assert (score[0].text, score[1], float(score[4])) == (row[0], row[2], float(row[3]))
        assert score[-1].text == row[-1].text


PLAN = """
[plan]
protocol = "1.0.0"
reference = "timed"
seed = 1
[[event]]
name = "training stopped early"
kind = "left"
[[event]]
name = "implant removed"
kind = "explanted"
[[analysis]]
name = "means"
estimand = "primary"
role = "primary"
method = "t_test"
variable = "arat.total"
side = "right"
visits = ["Week 8"]
[[analysis]]
name = "unknown"
estimand = "primary"
method = "t_test"
variable = "arat.nothing"
side = "right"
visits = ["Week 8"]
[looks]
analysis = "means"
spending = "pocock"
snapshots = ["interim-1", "final"]
information = { planned = [10, 20] }
"""


def test_what_an_analysis_of_the_snapshot_writes_is_what_the_report_prints(study, tmp_path):
    stat = study.sign_in("stat", trial.SECRET)
    made = estimation.analyse(study, plan=PLAN, where="plan.toml", signer=stat)
    estimation.write(made, tmp_path / "made")
    facts = _trial_facts.read(study, Wanted("interim", snapshot="interim-1"), reader=stat)
    document = trial_document(facts, Texts("en"), analyses_of(facts, tmp_path / "made"))
    (estimate,) = made.results.analyses[0].estimates
    said = plain(document)
    # An interim estimate stands there with what holds at every look, or with what counts when a trial stops.
    look = made.results.analyses[0].look
    ends = (look.low, look.high) if look.p is None else (look.adjusted_low, look.adjusted_high)
    value = estimate.value if look.p is None else look.value
    assert said.count(f"{value:.2f} ({ends[0]:.2f} to {ends[1]:.2f})".replace("-", "\u2212")) >= 2
    assert (f"interval {ends[0]:.2f} to {ends[1]:.2f}; p –)".replace("-", "\u2212") in said) is (look.p is None)
    assert f"unknown has no result: {made.results.analyses[1].refusal}" in said
    share = f"Look 1 of 2 at the analysis means, with {100 * estimate.n / 20:.0f} % of the planned information"
    verdict = "is not reached and the trial goes on" if look.p is None else "is reached; by the order"
    assert re.search(rf"{share} .*: the boundary {verdict}", said)


def test_results_make_no_report_where_they_do_not_belong(study, handed):
    with pytest.raises(Refused, match="stand in no blinded report"):
        trial_report(study, "interim", snapshot="interim-1", results=handed)
    stat = study.sign_in("stat", trial.SECRET)
    facts = _trial_facts.read(study, Wanted("interim", snapshot="interim-1"), reader=stat)
    with pytest.raises(Refused, match="the results rest on snapshot interim-1"):
        analyses_of(dataclasses.replace(facts, snapshot=None), handed)
    content = json.loads((handed / "results.json").read_text())
    for change in ({"format": "x"}, {"analyses": [{"name": "x"}]}, {"plan": 7}):
        handed_over.save(handed, {**content, **change})
        with pytest.raises(BadValue, match="holds no results of 'workbench analyse'"):
            analyses_of(facts, handed)
    handed_over.save(handed, content)
    (handed / "visits.csv").write_text((handed / "visits.csv").read_text().replace("timed", "interface"))
    with pytest.raises(Refused, match="not the dataset that the results rest on"):
        analyses_of(facts, handed)
    assert not (study.folder / "reports").exists()


# ------------------------------------------------------------------------------------ bytes
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_same_snapshot_gives_the_same_bytes_whatever_is_entered_afterwards(study, language):
    if language == "zh-CN" and figures.chinese_font() is None:
        pytest.skip("no Simplified Chinese face is installed")
    formats = ("html", "pdf", "docx") if language == "en" else ("pdf",)
    first = trial_report(study, "interim", snapshot="interim-1", language=language, formats=formats)
    n = study.count("report")
    study.append(Participant("P-100", simulated=True))
    again = trial_report(study, "interim", snapshot="interim-1", language=language, formats=formats)
    assert again == first
    assert study.count("report") == n
    stored = {row["path"]: row["sha256"] for row in study.rows("report")}
    for path, digest in first.files.values():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
        assert stored[path.relative_to(study.folder).as_posix()] == digest


def test_a_file_of_word_has_the_text_the_pictures_and_the_links_of_the_document(documents):
    _, document = documents["blinded"]
    content = docx.render(document)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        body = archive.read("word/document.xml").decode()
        media = [name for name in archive.namelist() if name.startswith("word/media/")]
    anchors = set(re.findall(r'w:anchor="(b\d+)"', body))
    assert anchors
    assert anchors <= set(re.findall(r'<w:bookmarkStart [^>]*w:name="(b\d+)"', body))
    assert len(media) == 3  # flow, course, code square
    assert "Flow of participants" in body
    assert "w:tblHeader" in body


@pytest.mark.job
def test_a_report_is_signed_by_its_draft_and_the_signed_issue_differs_by_its_signatures_alone(
    study, monkeypatch, capsys
):
    def made():
        with Study.open(study.folder, actor="tests") as again:
            return trial_report(again, "interim", snapshot="interim-1", formats=("html", "docx"))

    draft, sha256 = made().files["html"]
    doctor = study.sign_in("okafor", trial.SECRET)
    signing.sign_report(study, draft, doctor, "investigator", password=trial.SECRET)
    with pytest.raises(Refused, match="signed already as investigator"):
        signing.sign_report(study, draft, doctor, "investigator", password=trial.SECRET)
    with pytest.raises(BadValue, match="has not the role statistician"):
        signing.sign_report(study, draft, doctor, "statistician", password=trial.SECRET)
    assert "Signed in part" in made().files["html"][0].read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{trial.SECRET}\n"))
    study.close()
    assert main(["sign", str(study.folder), str(draft), "--as", "stat", "--role", "statistician"]) == 0
    assert "still to sign: nobody" in capsys.readouterr().out
    issue = made().files["html"][0]
    assert {"-signed-" in path.name for path, _ in made().files.values()} == {True}
    before, after = (path.read_text().splitlines() for path in (draft, issue))
    changed = [line for line in difflib.ndiff(before, after) if line[:1] in "+-"]
    assert len(changed) < 12, changed
    assert sha256 in "".join(changed)
    with Study.open(study.folder, actor="tests") as after:
        assert not [said for said in after.verify().problems if "reports/" in said]
        with pytest.raises(
            BadValue, match=f"is a signed issue; sign the draft that it was made of.*{sha256[:12]}"
        ):
            signing.sign_report(after, issue, doctor, "investigator", password=trial.SECRET)
        issue.write_bytes(issue.read_bytes().replace(b"Screened 10", b"Screened 12"))
        assert [said for said in after.verify().problems if issue.name in said]
        with pytest.raises(BadValue, match="is no report of this record, or was changed"):
            signing.sign_report(after, issue, doctor, "investigator", password=trial.SECRET)


def test_what_was_signed_is_no_signature_on_a_report_that_says_something_else_or_goes_on(study):
    draft = trial_report(study, "interim", snapshot="interim-1", formats=("html",)).files["html"][0]
    doctor = study.sign_in("okafor", trial.SECRET)
    signing.sign_report(study, draft, doctor, "investigator", password=trial.SECRET)
    other = trial_report(study, "interim", snapshot="interim-1", formats=("html",), language="zh-CN")
    goes_on = trial_report(study, "interim", formats=("html",)).files["html"][0]
    assert not [path for path in (other.files["html"][0], goes_on) if "-signed-" in path.name]
    with pytest.raises(BadValue, match="cut the data with 'workbench snapshot'"):
        signing.sign_report(study, goes_on, doctor, "investigator", password=trial.SECRET)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_record_in_which_every_table_holds_something_is_reported_whole(tmp_path, monkeypatch, language):
    monkeypatch.setattr(_trial_facts, "conceals", lambda *_: False)
    with Study.create(tmp_path / "full", code="FULL", title="Every table", actor="tests") as full:
        fill(full)
        facts = _trial_facts.read(full, Wanted("interim"))
        (charge,) = full.rows("charge")
    document = trial_document(facts, Texts(language))
    said = plain(document)
    assert facts.view == "open"
    assert charge["amount"] in said
    for row in (*full_names(facts), facts.events[0]["term"], facts.deviations[0].text):
        assert Texts(language).translate(row) in said, row
    assert "{" not in said
    # Of somebody who was never enrolled, and counted all the same.
    other = Texts(language).word("tr_deviation", "other")
    assert next(row for table in tables(document) for row in table.rows if row[0] == other)[1].startswith("1")


def full_names(facts):
    """Names that a whole report must hold: participants, and the names of implants and charged items."""
    return [person.name for person in facts.people] + [one.device for one in facts.desk.surveillance]


# ------------------------------------------------------------------------------------ refusals
@pytest.mark.parametrize(
    ("kind", "options", "error", "words"),
    [
        ("final", {}, Refused, "never locked"),
        ("final", {"snapshot": "interim-1"}, Refused, "data cut while entry went on"),
        ("interim", {"snapshot": "x"}, UnknownName, "no snapshot 'x'; it has interim-1"),
        ("interim", {"participant": "P-001"}, BadValue, "leave the participant out"),
        ("participant", {}, BadValue, "none was named"),
        ("participant", {"participant": "P-777"}, UnknownName, "no participant 'P-777'"),
        ("weekly", {}, BadValue, "must be of kind participant, interim, final"),
        ("interim", {"formats": ("rtf",)}, BadValue, "one or more of html, pdf, docx, got 'rtf'"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused_in_words_and_leaves_nothing(study, kind, options, error, words):
    head = study.head()
    with pytest.raises(error, match=words):
        trial_report(study, kind, **options)
    assert study.head() == head
    assert not (study.folder / "reports").exists()


def test_a_snapshot_that_is_not_what_it_was_makes_no_report(study):
    path = study.folder / "snapshots" / "interim-1.jsonl"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"P-001", b"P-00X"))
    with pytest.raises(Refused, match="not the file whose hash the record holds"):
        trial_report(study, "interim", snapshot="interim-1")


def test_a_participant_report_tells_of_nobody_else_and_reads_no_other_arm(study):
    stat = study.sign_in("stat", trial.SECRET)
    before = study.head()[0]
    facts = _trial_facts.read(study, Wanted("participant", "P-001"), reader=stat)
    assert [entry.action for entry in study.entries(after=before)] == ["arm_read"]
    said = plain(trial_document(facts, Texts("en")))
    assert "P-001" in said
    assert not re.findall(r"P-0(?!01)\d\d", said)


def test_a_blinded_participant_report_does_not_even_count_events(study):
    for name in ("P-001", "P-002", "P-003"):
        facts = _trial_facts.read(study, Wanted("participant", name))
        said = plain(trial_document(facts, Texts("en")))
        assert "adverse events in" not in said
        assert said.count("Kept from a blinded reader") == 5
