"""A certificate says what was tested, on what, and never more than it found."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace

import pytest

from workbench.conformance import Check
from workbench.conformance.certificate import made, places
from workbench.errors import BadValue

GOOD = Check("stop", "A STOP is followed", "after 4 ms", "1.00 s", held=True)
BAD = Check("clipped", "A level is clipped", "ok 1.50", "clipped", held=False)


def certificate(*checks, command=()):
    return made("effector", "my driver", checks=checks, about={"effector": "glove"}, command=command)


def test_it_holds_when_every_fact_does_and_there_is_one():
    assert certificate(GOOD).held
    assert not certificate(GOOD, BAD).held
    assert not certificate().held


def test_its_two_forms_say_the_same(tmp_path):
    paths = certificate(GOOD, BAD).save(tmp_path / "glove.json")
    assert [path.name for path in paths] == ["glove.json", "glove.txt"]
    read = json.loads(paths[0].read_text(encoding="utf-8"))
    text = paths[1].read_text(encoding="utf-8")
    assert read["held"] is False
    assert [check["held"] for check in read["checks"]] == [True, False]
    for said in (
        read["host"],
        read["made_at"],
        *read["versions"].values(),
        "after 4 ms",
        "NOT HELD: 1 of 2 facts",
    ):
        assert said in text
    assert set(read["versions"]) == {"workbench", "Python", "liblsl", "system"}
    assert "no regulation is claimed" in read["note"]


def test_the_files_of_the_command_line_are_hashed_and_a_module_behind_m(tmp_path, monkeypatch):
    script, module = tmp_path / "driver.py", tmp_path / "hand" / "glove.py"
    module.parent.mkdir()
    for path in (script, module):
        path.write_text(f"# {path.name}")
    monkeypatch.syspath_prepend(str(tmp_path))
    files = certificate(GOOD, command=[sys.executable, str(script), "-m", "hand.glove", "x" * 5000]).files
    assert set(files) == {sys.executable, str(script), str(module)}
    assert files[str(script)] == hashlib.sha256(b"# driver.py").hexdigest()


def test_a_fact_is_found_by_its_key():
    one = certificate(GOOD)
    assert one.check("stop") is GOOD
    with pytest.raises(BadValue, match="has no fact 'x'; it has stop"):
        one.check("x")


@pytest.mark.parametrize("name", ["a", "a.json", "a.txt", "a.b", "a.1.json"])
def test_each_form_has_a_place_of_its_own(tmp_path, name):
    as_json, as_text = places(tmp_path / name)
    assert as_json.stem == as_text.stem == name.removesuffix(".json").removesuffix(".txt")
    assert (as_json.suffix, as_text.suffix) == (".json", ".txt")


def test_two_certificates_of_one_test_differ_in_their_time_alone():
    one, other = certificate(GOOD), certificate(GOOD)
    assert replace(one, made_at="") == replace(other, made_at="")
