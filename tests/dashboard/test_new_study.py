"""A new study by its wizard: what is checked, made, entered and signed, and what is refused in one sentence."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.dashboard.trial import EXAMPLE, SECRET
from workbench.dashboard import NewStudyService
from workbench.errors import BadValue, Refused, UnknownName
from workbench.study import Study, protocol, verify
from workbench.widgets import NewStudy

TWO = (("okafor", "Dr Okafor A.", ["investigator"]), ("he", "He D.", ["data_manager"]))


@pytest.fixture
def wizard(tmp_path: Path) -> NewStudy:
    return NewStudy(NewStudyService(tmp_path / "study", operator="Chen L."))


def ask(_prompt: str) -> str:
    return SECRET


def test_a_study_is_made_with_its_people_and_the_protocol_that_was_shown_is_signed_by_two(
    wizard: NewStudy, tmp_path: Path
) -> None:
    file = tmp_path / "protocol.toml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    wizard.choose_file(file)
    shown = wizard.study["protocol"]
    assert (shown["sha256"], wizard.study["code"]) == (protocol.read(EXAMPLE).sha256, "EXAMPLE-HAND")
    assert not (tmp_path / "study").exists()  # nothing is written before it is made
    wizard.create()
    for one in TWO:
        wizard.plan_person(*one)
    asked: list[str] = []
    wizard.enter_people(lambda prompt: asked.append(prompt) or SECRET)
    assert asked == ["Password of Dr Okafor A. (okafor): ", "Password of He D. (he): "]
    file.write_text("no protocol any more", encoding="utf-8")  # what was checked is what is signed
    wizard.adopt("okafor", "he", password=ask, reason="first version")
    assert [one["name"] for one in wizard.study["signed"]] == ["Dr Okafor A.", "He D."]
    with Study.open(tmp_path / "study", actor="test") as study:
        (version,) = study.rows("protocol_version")
        assert (version["sha256"], study.code) == (shown["sha256"], "EXAMPLE-HAND")
        assert {row["login"]: row["roles"] for row in study.people()} == {
            login: roles for login, _name, roles in TWO
        }
    assert verify(tmp_path / "study").ok
    assert SECRET not in repr(wizard.get_state())


def test_a_study_of_a_system_has_its_first_participant_and_nothing_to_sign(
    wizard: NewStudy, tmp_path: Path
) -> None:
    wizard.choose_system("neo_hand")
    wizard.name("HAND-1", "A first look", "SIM-01", simulated=True)
    wizard.create()
    with Study.open(tmp_path / "study", actor="test") as study:
        assert [row["pseudonym"] for row in study.rows("participant")] == ["SIM-01"]
        assert study.rows("visit")
    with pytest.raises(Refused, match="no protocol to sign"):
        wizard.adopt("okafor", "he", password=ask)


@pytest.mark.parametrize(
    ("step", "arguments", "sentence"),
    [
        ("create", {}, "nothing is chosen that the study follows"),
        ("choose_system", {"system": "nowhere"}, "nowhere"),
        ("choose_file", {"path": "absent.toml"}, "absent.toml"),
        ("plan_person", {"login": "wu", "name": " ", "roles": ["assessor"]}, "name must be one line"),
        ("plan_person", {"login": "wu", "name": "Wu R.", "roles": []}, "role"),
        ("plan_person", {"login": "wu", "name": "Wu R.", "roles": ["king"]}, "king"),
        ("leave_out", {"login": "nobody"}, "not on the list"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_writes_nothing(
    wizard: NewStudy, tmp_path: Path, step: str, arguments: dict[str, Any], sentence: str
) -> None:
    reply = wizard.answer(step, arguments)
    assert (reply["ok"], sentence in reply["text"]) == (False, True), reply["text"]
    assert not (tmp_path / "study").exists()
    assert wizard.study["people"] == []


def test_a_file_with_problems_is_shown_with_each_and_makes_no_study(wizard: NewStudy, tmp_path: Path) -> None:
    file = tmp_path / "protocol.toml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace('anchor = "consent"', 'anchor = "luck"'))
    wizard.choose_file(file)
    (problem,) = wizard.study["problems"]
    assert "'Screening'" in problem["text"]
    assert wizard.study["protocol"] == {}
    with pytest.raises(Refused, match="has problems"):
        wizard.create()
    with pytest.raises(Refused, match="protocol file"):
        wizard.name("A", "B")
    assert not (tmp_path / "study").exists()


def test_whoever_is_entered_stays_and_a_made_study_is_not_made_over(wizard: NewStudy) -> None:
    with pytest.raises(Refused, match="not made yet"):
        wizard.enter_people(ask)
    wizard.choose_file(EXAMPLE)
    wizard.create()
    wizard.plan_person(*TWO[0])
    with pytest.raises(BadValue, match="on the list already"):
        wizard.plan_person(*TWO[0])
    assert not wizard.study["can_sign"]  # an investigator alone
    wizard.plan_person(*TWO[1])
    assert wizard.study["can_sign"]
    wizard.leave_out("he")
    with pytest.raises(BadValue, match="characters"):
        wizard.enter_people(lambda _prompt: "short")
    wizard.enter_people(ask)
    with pytest.raises(Refused, match="in the record already"):
        wizard.leave_out("okafor")
    with pytest.raises(UnknownName, match="not on the list"):
        wizard.adopt("okafor", "he", password=ask)
    for change in (lambda: wizard.create(), lambda: wizard.choose_system("neo_hand")):
        with pytest.raises(Refused, match="is made, in"):
            change()


def test_a_request_of_a_page_never_enters_people_or_signs(wizard: NewStudy) -> None:
    for name in ("enter_people", "adopt"):
        assert not wizard.answer(name, {})["ok"]


def completed(text: str) -> str:
    """The draft with what the site decides."""
    drafted = tomllib.loads(text)
    for one in drafted["estimand"]:
        one |= {"population": "All.", "intercurrent_events": {"withdrawal": "hypothetical"}}
        one.setdefault("summary", "A mean.")
    about = {"code": "S-1", "version": "1.0.0", "sponsor": "Hospital", "jurisdictions": ["CN"]}
    purposes = {"required": ["participation"], "optional": []}
    return tomli_w.dumps({
        **drafted, "study": {**drafted["study"], **about, "effective_from": date(2026, 3, 1)},
        "arm": [{"name": "one", "title": "One arm"}],
        "consent": {"purposes": purposes, "document_version": "1", "document_sha256": "0" * 64},
    })  # fmt: skip


def test_a_system_drafts_a_protocol_that_is_completed_in_the_wizard_and_then_signed(
    wizard: NewStudy, tmp_path: Path
) -> None:
    wizard.draft("neo_hand")
    draft = wizard.study["draft"]
    assert Path(draft["path"]).read_text() == draft["text"]
    assert [len(draft[name]) for name in ("visits", "forms", "endpoints", "limits")] == [4, 7, 10, 3]
    assert wizard.study["problems"]  # what only the site can say
    with pytest.raises(Refused, match="has problems"):
        wizard.create()
    wizard.edit(completed(draft["text"]))
    assert (wizard.study["problems"], wizard.study["code"]) == ([], "S-1")
    assert protocol.read(Path(draft["path"])).sha256 == wizard.study["protocol"]["sha256"]
    wizard.create()
    with pytest.raises(Refused, match="is made"):
        wizard.edit(draft["text"])


def test_a_draft_replaces_nothing_and_keeps_no_text_that_is_no_toml_or_that_somebody_else_changed(
    wizard: NewStudy, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="no protocol was drafted"):
        wizard.edit("[study]")
    wizard.draft("neo_hand")
    file = Path(wizard.study["draft"]["path"])
    before = file.read_text()
    with pytest.raises(Refused, match="replaces nothing"):
        wizard.draft("force_glove")
    with pytest.raises(BadValue, match="TOML"):
        wizard.edit("[study")
    with pytest.raises(BadValue, match="longer than"):
        wizard.edit("#" * (protocol.LARGEST + 1))
    assert file.read_text() == before == wizard.study["draft"]["text"]
    file.write_text(completed(before))
    with pytest.raises(Refused, match="changed by somebody else"):
        wizard.edit(before)
    wizard.choose_file(file)
    assert wizard.study["problems"] == []
    assert wizard.study["draft"]["text"] == completed(before)
