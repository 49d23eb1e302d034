"""The long fault tests in a small size, as a user runs them."""

from __future__ import annotations

import pytest

from tests.shares import some
from workbench.commands import stress


def test_the_list_describes_every_stress_test(workbench):
    said = workbench("stress", "list")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == list(stress.TESTS)
    assert said.out.count("full size") == len(stress.TESTS)


SIZES = (
    ("record", "--n 1", "0 lost, 0 broken"),
    ("trial", "--n 1", "0 neither before nor after a change, 0 broken"),
    ("recording", "--n 2", "0 lost more than 1 s"),
    ("lossless", "--n 3", "samples recorded, 0 lost, 0 doubled"),
    ("backup", "--n 1", "restored, verified, a beginning of the chain: yes"),
    ("evoked", "--n 1", "0 choices without a decision, 0 runs decoded again otherwise"),
    ("attempts", "--n 1", "0 runs decoded again otherwise"),
    ("cued", "--n 1", "0 runs decoded again otherwise"),
    ("responses", "--n 1", "loop closed mean error"),
    ("soak", "--minutes 0.07 --channels 16 --rate 1000", "recorded, 0 lost, 0 doubled, 0 changed, 0 gaps"),
    ("lives", "--n 1", "changes ("),
    ("control", "--n 300", "0 limits passed"),
)


@pytest.mark.parametrize(("name", "size", "figure"), some(SIZES, of=len(SIZES)))
def test_a_small_size_holds_and_prints_its_figures(workbench, tmp_path, name, size, figure):
    said = workbench("stress", name, *size.split(), "--out", tmp_path / "stress.md")
    assert said.code == 0, said.out + said.err
    assert figure in said.out
    assert said.out.splitlines()[-1].startswith("held, ")
    assert said.err == ""
    document = (tmp_path / "stress.md").read_text(encoding="utf-8")
    assert f"## `workbench stress {name} {size} --seed 1`" in document
    assert figure in document


def test_a_test_that_measures_no_system_enters_no_card(workbench, tmp_path):
    said = workbench("stress", "lossless", "--n", "3", "--cards", tmp_path / "cards.json")
    assert (said.code, said.out) == (2, "")
    assert "the stress test lossless measures no figure of a card; leave --cards out" in said.err
    assert not (tmp_path / "cards.json").exists()


def test_a_folder_that_does_not_exist_is_named_before_anything_is_measured(workbench, tmp_path):
    said = workbench("stress", "attempts", "--n", "20", "--cards", tmp_path / "none" / "cards.json")
    assert (said.code, said.out) == (2, "")
    assert "cannot be written" in said.err
