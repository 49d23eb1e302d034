"""`workbench protocol`: a file is checked, compared with its amendment, and visits are planned from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.study import Study
from workbench.study.protocol import Protocol, read
from workbench.vocabulary import Participant

EXAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "protocol_neo_hand.toml"


@pytest.fixture
def amended(tmp_path):
    """The example with some texts replaced."""

    def amend(*pairs):
        text = EXAMPLE.read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "amended.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return amend


def test_a_process_of_its_own_checks_the_example_and_prints_its_hash(workbench):
    said = workbench("protocol", "check", EXAMPLE)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("EXAMPLE-HAND 1.0.0  EXAMPLE, invented: hand function")
    assert said.out.splitlines()[-1].split() == ["sha256", read(EXAMPLE).sha256]


def test_a_system_drafts_a_protocol_that_names_what_the_site_completes(inside, tmp_path):
    drafted = tmp_path / "draft.toml"
    said = inside("protocol", "draft", "--system", "neo_hand", "--out", drafted)
    assert said.code == 1
    assert said.out.startswith(f"{drafted}: 4 visits, 7 forms\nto be completed before it is a protocol:\n")
    inside("protocol", "draft", "--system", "neo_hand", "--out", drafted).refused("draft.toml")
    phases = tmp_path / "phases.toml"
    both = ("--system", "neo_hand", "--system", "brain_spine_interface")
    assert inside("protocol", "draft", *both, "--out", phases).out.startswith(f"{phases}: 8 visits, ")


def test_a_program_reads_the_whole_definition(inside):
    answer = inside("protocol", "check", EXAMPLE, "--json").answer("protocol check")
    protocol = Protocol.from_definition(answer["definition"])
    assert protocol == read(EXAMPLE)
    assert (answer["sha256"], answer["inclusion"], answer["exclusion"]) == (protocol.sha256, 2, 1)
    assert answer["visits"] == [visit.name for visit in protocol.visits]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_all_problems_are_one_list_and_the_command_refuses(inside, amended, options):
    path = amended(("latest = 98", "latest = 8"), ('"neo_hand"', '"neo_foot"'))
    said = inside("protocol", "check", path, *options)
    assert said.out == ""
    assert said.refused(str(path), "to be corrected (4):")
    lines = said.err.splitlines()[1:]
    assert len(lines) == 4
    assert lines[0].startswith("  [[visit]] 'Week 12': the window must hold its day")
    assert all("has no entry 'neo_foot'" in line for line in lines[1:])


def test_a_file_that_is_none_is_refused(inside, tmp_path):
    inside("protocol", "check", tmp_path / "absent").refused("protocol file", "cannot be read")
    (tmp_path / "p.toml").write_text("study", encoding="utf-8")
    inside("protocol", "check", tmp_path / "p.toml").refused("is no valid TOML")


def test_an_amendment_is_listed_and_moves_participants(inside, amended):
    path = amended(("latest = 98", "latest = 99"), ('version = "1.0.0"', 'version = "1.1.0"'))
    said = inside("protocol", "difference", EXAMPLE, path)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "study, version: '1.0.0' → '1.1.0'",
        "visit 'Week 12', latest: 98 → 99",
        "participants move to the new version",
    ]
    answer = inside("protocol", "difference", EXAMPLE, path, "--json").answer("protocol difference")
    assert (answer["moves_participants"], answer["version_rises"]) == (True, True)
    assert answer["new"] == {"code": "EXAMPLE-HAND", "version": "1.1.0", "sha256": read(path).sha256}
    assert [(one["section"], one["entry"], one["field"], one["kind"]) for one in answer["changes"]] == [
        ("study", "", "version", "changed"),
        ("visit", "Week 12", "latest", "changed"),
    ]


def test_a_change_under_the_same_version_does_not_hold(inside, amended):
    path = amended(("greatest = 90", "greatest = 60"))
    said = inside("protocol", "difference", EXAMPLE, path)
    assert said.code == 1
    assert said.out.splitlines()[-1] == "the version must rise with any change, but goes from 1.0.0 to 1.0.0"
    answer = inside("protocol", "difference", EXAMPLE, path, "--json").answer("protocol difference", code=1)
    assert (answer["version_rises"], answer["moves_participants"]) == (False, False)


def test_comments_make_no_difference(inside, amended):
    path = amended(("[study]", "# another comment\n[study]"))
    said = inside("protocol", "difference", EXAMPLE, path)
    assert (said.code, said.out) == (0, "no difference: both files say the same\n")


def test_visits_are_planned_from_anchors_and_what_was_held(inside):
    days = ("--anchor", "consent=2028-02-01", "--held", "Screening=2028-02-08", "--on", "2028-02-29")
    said = inside("protocol", "schedule", EXAMPLE, *days)
    assert (said.code, said.err) == (0, "")
    assert "Baseline: 2028-02-15 (2028-02-09 to 2028-03-07), due; forms: arat" in said.out
    assert "Week 12: counted from implant, its anchor has no day yet" in said.out
    answer = inside("protocol", "schedule", EXAMPLE, *days, "--json").answer("protocol schedule")
    assert (answer["on"], answer["sha256"]) == ("2028-02-29", read(EXAMPLE).sha256)
    assert json.loads(json.dumps(answer["visits"][0])) == {
        "visit": "Screening", "anchor": "consent", "status": "held", "provisional": False,
        "anchored_on": "2028-02-01", "planned": "2028-02-01", "earliest": "2028-02-01", "latest": "2028-02-15",
        "held": "2028-02-08",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--anchor", "consent"), "--anchor takes NAME=DATE, as in consent=2026-12-01; got 'consent'"),
        (("--anchor", "consent=soon"), "--anchor must be a date, as 2026-12-01; got 'soon'"),
        (("--anchor", "consent=2027-02-29"), "--anchor must be a date"),
        (("--anchor", "birth=2026-12-01"), "anchor 'birth' is not known; allowed are consent"),
        (("--held", "Week 99=2026-12-01"), "held 'Week 99' is not known; allowed are Screening"),
        (("--on", "20261201"), "--on must be a date"),
        (("--held", "Screening=2026-12-01", "--held", "Screening=2026-12-02"), "--held names 'Screening' twice"),
    ],
)
def test_a_day_that_is_none_is_refused(inside, options, words):
    inside("protocol", "schedule", EXAMPLE, *options).refused(words)


def test_a_study_begins_with_its_protocol_two_people_sign_it_and_a_participant_enrols(run, tmp_path):
    folder = tmp_path / "trial"
    code, out, _ = run("new", folder, "--protocol", EXAMPLE)
    assert (code, f"workbench protocol adopt {folder} {EXAMPLE}" in out) == (0, True)
    for login, role in (("lin", "investigator"), ("he", "statistician")):
        add = ("people", "add", folder, login, "--name", f"Dr {login}", "--roles", role)
        assert run(*add, stdin="correct horse\n")[0] == 0
    adopt = ("protocol", "adopt", folder, EXAMPLE, "--as", "lin")
    code, _, err = run(*adopt, stdin="correct horse\n")
    assert (code, "needs 2 fresh signatures" in err) == (2, True)
    code, out, _ = run(*adopt, "--as", "he", "--json", stdin="correct horse\n" * 2)
    assert (code, json.loads(out)["result"]["sha256"]) == (0, read(EXAMPLE).sha256)
    with Study.open(folder, actor="tests") as study:
        assert (study.code, study.title) == (read(EXAMPLE).about.code, read(EXAMPLE).about.title)
        study.append(Participant("P-041"))
    enrol = ("apply", folder, "Enrol", "participant_id=P-041", "screening_number=S-001", "--as", "lin")
    assert run(*enrol, stdin="correct horse\n")[0] == 0
    assert run("verify", folder)[0] == 0


@pytest.mark.parametrize(
    "more", [("--system", "neo_hand"), ("--code", "X"), ("--simulated",), ("--participant", "P")]
)
def test_a_study_of_a_protocol_takes_nothing_that_the_file_says(run, tmp_path, more):
    code, _, err = run("new", tmp_path / "trial", "--protocol", EXAMPLE, *more)
    assert (code, "the file says what the study is" in err) == (2, True)
    assert not (tmp_path / "trial").exists()
