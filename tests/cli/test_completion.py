"""`workbench completion`: what bash offers after it has read the script, and that each shell gets one."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from workbench import commands
from workbench.commands import main
from workbench.commands.completion import SHELLS

MORE = (
    "odm-1.3.2",
    "odm-2.0",
    "usdm",
    "redcap-dictionary",
    "redcap-records",
    "dictionary",
    "audit",
    "queries",
    "deviations",
    "forms",
    "treatments",
    "dataset-json",
    "xpt",
    "parquet",
    "bids",
    "fhir-r5",
    "fhir-r4",
)
ASK = r"""
source "$1"; shift
function=$(complete -p workbench | sed 's/.*-F \([^ ]*\).*/\1/')
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
"$function" workbench "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def offered(tmp_path, capsys):
    """What bash offers for a line whose last word is begun."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "workbench.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    here = tmp_path / "here"
    (here / "a-study").mkdir(parents=True)
    (here / "a-file.xdf").touch()

    def ask(*words):
        command = [bash, "--norc", "-c", ASK, "ask", str(script), "workbench", *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=here, check=True)
        return done.stdout.split()

    return ask


def test_bash_offers_every_command(offered):
    assert set(offered("")) >= set(commands.available())
    assert offered("ver") == ["verify"]


def test_bash_offers_the_actions_of_a_command(offered):
    assert offered("keys", "") == ["show", "backup", "restore", "rotate"]
    assert offered("people", "cl") == ["close"]


def test_bash_offers_options_and_the_values_of_a_choice(offered):
    assert {"--head", "--anchors", "--json"} <= set(offered("verify", "--"))
    assert offered("export", "a-study", "--form", "") == ["core", "ninds", *MORE]
    assert offered("completion", "") == list(SHELLS)


def test_bash_offers_folders_for_a_study_and_files_for_a_recording(offered):
    assert offered("verify", "a-") == ["a-study"]
    assert sorted(offered("inspect", "a-")) == ["a-file.xdf", "a-study"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_a_script_that_names_every_command(capsys, shell):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert [name for name in commands.available() if name not in script] == []


def test_another_shell_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["completion", "tcsh"])
    assert ended.value.code == 2
    assert "invalid choice: 'tcsh'" in capsys.readouterr().err
