"""The long fault tests in a small size, as a user runs them."""

from __future__ import annotations

import pytest

from workbench import doses


def test_the_list_describes_every_dose(workbench):
    said = workbench("dose", "list")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == list(doses.DOSES)
    assert said.out.count("full dose") == len(doses.DOSES)


@pytest.mark.parametrize(
    ("name", "n", "figure"),
    [
        ("record", 2, "0 lost, 0 broken"),
        ("recording", 2, "0 lost more than 1 s"),
        ("lossless", 3, "0 lost, 0 doubled"),
    ],
)
def test_a_small_dose_holds_and_prints_its_figures(workbench, tmp_path, name, n, figure):
    said = workbench("dose", name, "--n", n, "--out", tmp_path / "doses.md")
    assert said.code == 0, said.out + said.err
    assert figure in said.out
    assert said.out.splitlines()[-1].startswith("held, ")
    assert said.err == ""
    document = (tmp_path / "doses.md").read_text(encoding="utf-8")
    assert f"## `workbench dose {name} --n {n} --seed 1`" in document
    assert figure in document
