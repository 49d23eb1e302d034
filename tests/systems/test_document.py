"""``docs/systems.md`` is what the command writes, and tells of every system what the register knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import commands, systems

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "systems.md").read_text(encoding="utf-8")


def chapter(page, name):
    return page.split(f"\n## {name}\n")[1].split("\n## ")[0]


def test_the_committed_page_is_what_the_command_writes(tmp_path, capsys):
    (tmp_path / "stress.md").write_bytes((DOCS / "stress.md").read_bytes())
    assert commands.main(["systems", "--write", str(tmp_path / "systems.md")]) == 0
    remedy = "run: workbench systems --write docs/systems.md"
    # A system that was taken out of the register still has its chapter until the command is run.
    assert (tmp_path / "systems.md").read_text(encoding="utf-8") == registered(PAGE), remedy


def registered(page):
    """The page without chapters of systems that are not in the register."""
    head, *chapters = page.split("\n## ")
    headings = {one: one.partition("\n")[0] for one in chapters}
    gone = {name for name in headings.values() if name.isidentifier()} - set(systems.available())
    rows = [line for line in head.split("\n") if not any(f"(#{name}) |" in line for name in gone)]
    return "\n## ".join(["\n".join(rows), *(one for one in chapters if headings[one] not in gone)])


@pytest.mark.parametrize("name", systems.available())
def test_each_system_has_its_chain_limits_protocol_and_what_is_simulated_and_not_supplied(name):
    system, text = systems.load(name), chapter(PAGE, name)
    chain = text.split("```")[1]
    assert all(
        part in chain
        for part in (system.inputs[0].words, system.tasks[0].decoder, system.effector or "no effector")
    )
    said = [system.published, *system.not_supplied, *system.out_of_scope, *(one.name for one in system.visits)]
    said += [one.variable for one in system.planned] + [one.name for one in system.price_items]
    said += [system.simulator.source if system.simulator else "nothing: hardware or recordings only"]
    assert [words for words in said if words not in text] == []
    assert ("longest activation" in text) == (system.effector is not None)


def test_a_figure_stands_with_the_command_that_printed_it_and_no_other_is_told():
    figure = "20 simulated participants, accuracy 0.9"
    page = systems.document(f"## `workbench stress evoked --n 20`\n```\nspeller_p300: {figure}\n```")
    assert f"- `workbench stress evoked --n 20`: {figure}" in chapter(page, "speller_p300")
    assert "**Figures**: not measured." in chapter(page, "neo_hand")
    without = systems.document("speller_p300: a line that no command printed")
    assert "**Figures**: not measured." in chapter(without, "speller_p300")


def test_a_document_that_cannot_be_written_is_refused_in_one_sentence(tmp_path, capsys):
    assert commands.main(["systems", "--write", str(tmp_path / "absent" / "systems.md")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    (tmp_path / "folder").mkdir()
    for place in ("", str(tmp_path / "folder")):
        assert commands.main(["systems", "--write", place]) == 2
        assert "is not a regular file" in capsys.readouterr().err
    (tmp_path / "folder").rmdir()
    assert commands.main(["systems", "--json", "--write", str(tmp_path / "systems.md")]) == 2
    assert "two different answers" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_of_what_stimulates_the_programme_and_every_limit_of_its_electrodes_are_told():
    for name in systems.available():
        system, text = systems.load(name), chapter(PAGE, name)
        assert ("approved current" in text) == (system.stimulation is not None)
        if system.stimulation is not None:
            told = systems.described(system)["stimulation"]
            assert [one["name"] for one in told["channels"]] == [
                c.name for c in system.stimulation.programme.channels
            ]
            for electrode, signed in zip(told["electrodes"], system.stimulation.example, strict=True):
                limits = {one["name"]: one["value"] for one in electrode["limits"]}
                assert set(limits) == set(signed.limits)
                assert (limits["current_ma"], limits["duty"]) == (signed["current_ma"], 100.0 * signed["duty"])
                assert all(one["title"] in text for one in electrode["limits"])
