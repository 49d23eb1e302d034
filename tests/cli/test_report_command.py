"""`workbench report STUDY --kind`: blinded unless somebody is named, and every refusal is one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.reports import trial
from workbench.study import Study
from workbench.study.changes import CutData
from workbench.vocabulary import Participant

PASSWORD = f"{trial.SECRET}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small trial and its keys, to be copied."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(home / "keys"))
        trial.begin(home / "study", n=4).study.close()
    return home


@pytest.fixture
def folder(made, run, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "study"


def test_without_a_reader_the_report_is_blinded_and_names_its_files_and_its_head(run, folder):
    code, out, err = run("report", folder, "--kind", "interim", "--format", "html")
    assert (code, err) == (0, "")
    path, last = out.splitlines()
    with Study.open(folder, actor="tests") as study:
        (row,) = study.rows("report")
        assert path == f"{folder / row['path']}  {row['sha256']}"
        assert last == f"interim report, blinded, as of entry {row['head_seq']}:{row['head_hash']}"
        assert row["parameters"]["view"] == "blinded"


def test_an_unblinded_report_takes_the_password_of_who_reads_it(run, folder):
    words = ("report", folder, "--kind", "participant", "--participant", "P-001", "--format", "html")
    code, _, err = run(*words, "--unblinded", "stat", stdin="wrong\n")
    assert code == 2
    assert len(err.splitlines()) == 1
    code, out, _ = run(*words, "--unblinded", "stat", "--reason", "board", stdin=PASSWORD)
    assert code == 0
    assert "participant-P_001-unblinded-en-" in out


def test_a_script_reads_the_arms_where_everybody_is_simulated_and_nowhere_else(run, folder):
    words = ("report", folder, "--kind", "interim", "--format", "html", "--unblinded")
    code, out, _ = run(*words)
    assert (code, "interim report, unblinded" in out) == (0, True)
    with Study.open(folder, actor="tests") as study:
        study.append(Participant("P-777"))
        n = study.count("report")
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "simulated" in err
    with Study.open(folder, actor="tests") as study:
        assert study.count("report") == n


@pytest.mark.release
def test_other_processes_with_other_hash_seeds_write_the_same_bytes(run, folder, tmp_path):
    with Study.open(folder, actor="tests") as study:
        people = [study.sign_in(login, trial.SECRET).confirm(trial.SECRET) for login in ("he", "stat")]
        study.apply(CutData("look"), people, "interim analysis")
    words = ("report", folder, "--kind", "interim", "--snapshot", "look", "--unblinded")
    formats = [word for name in ("html", "pdf", "docx") for word in ("--format", name)]
    said = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "workbench", *map(str, words), *formats],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        said.add(done.stdout)
    assert len(said) == 1
    assert len(said.pop().splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--unblinded",), "--unblinded goes with --kind"),
        (("--kind", "final"), "never locked"),
        (("--format", "pdf"), "--format goes with --kind"),
        (("--snapshot", "x"), "--snapshot goes with --kind"),
        (("--kind", "interim", "--reason", "why"), "--reason goes with --unblinded"),
        (("--kind", "participant"), "none was named"),
    ],
)
def test_what_does_not_go_together_is_one_sentence_and_writes_nothing(run, folder, options, words):
    code, out, err = run("report", folder, *options)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert words in err
    assert not (folder / "reports").exists()
