"""The contract of every command, and the parser that is made from the register."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from workbench import commands

TESTS = Path(__file__).parents[1]
CALLERS = {"main", "run", "inside", "workbench", "refused", "score", "run_command", "Popen", "call"}
"""What the tests of the command line call a command through."""
HEAVY = [
    "numba",
    "scipy",
    "sklearn",
    "mne",
    "pandas",
    "sqlalchemy",
    "matplotlib",
    "plotly",
    "pylsl",
    "zmq",
    "voila",
]
HEAVY += ["workbench.study", "workbench.live", "workbench.runs", "shtab"]


def leaves(command, words=()):
    """Every command that runs, with the words that call it."""
    words = (*words, command.name)
    return [leaf for action in command.actions for leaf in leaves(action, words)] or [(words, command)]


LEAVES = [leaf for name in commands.available() for leaf in leaves(commands.load(name))]


@pytest.mark.parametrize("name", commands.available())
def test_the_name_of_a_command_is_that_of_its_file(name):
    command = commands.load(name)
    assert isinstance(command, commands.Subcommand)
    assert command.name == name


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_a_command_runs_or_has_actions_and_each_argument_of_it_is_explained(words, command):
    assert command.run is not None
    assert command.help
    assert not command.help.endswith(".")
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    assert [action.dest for action in parser._actions if not action.help] == []


def calls_in(path):
    """The words with which a test file calls commands: the leading texts of a call or of a list."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        given = []
        if isinstance(node, ast.Call):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = node.args if function in CALLERS else []
        elif isinstance(node, ast.List | ast.Tuple):
            given = node.elts
        texts = [one.value if isinstance(one, ast.Constant) else None for one in given]
        for start in range(len(texts)):
            yield tuple(texts[start : start + 2])


@cache
def called():
    """The words of every command that some test calls."""
    return {
        words[:n]
        for room in (
            "bench",
            "cli",
            "clinic",
            "estimation",
            "evaluation",
            "faults",
            "reports",
            "simulation",
            "study",
            "systems",
        )
        for path in (TESTS / room).glob("*.py")
        for words in calls_in(path)
        for n in (1, 2)
    }


@pytest.mark.parametrize("words", [words for words, _ in LEAVES], ids=" ".join)
def test_every_entry_has_a_test_of_its_own(words):
    assert words in called(), f"no test calls 'workbench {' '.join(words)}'"


def imported(arguments, modules):
    """Which of the modules a call of the command line has loaded at its end."""
    code = (
        "import sys\n"
        "from workbench.commands import main\n"
        "modules, sys.argv = sys.argv[1].split(','), ['workbench', *sys.argv[2:]]\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print('imported:', *[name for name in modules if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", code, ",".join(modules), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["demo", "--help"]], ids=" ".join)
def test_help_is_printed_without_the_code_that_commands_run(arguments):
    assert imported(arguments, HEAVY) == []


def test_a_command_is_parsed_without_loading_the_others():
    modules = [f"workbench.commands.{name}" for name in commands.available()]
    assert imported(["verify", "--help"], modules) == ["workbench.commands.verify"]
    assert imported(["--help", "verify"], modules) == modules


@pytest.fixture
def install(tmp_path):
    """Installs a package that brings a command, and returns what runs ``workbench`` beside it."""
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from workbench.commands import main; sys.exit(main())"
    )

    def install(package, command):
        (tmp_path / f"{package}.py").write_text(
            "from workbench.commands import Subcommand\n"
            f"run = lambda arguments: print('{package} is done') or 0\n"
            f"COMMAND = Subcommand({command!r}, 'what {package} does', run)\n"
        )
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[workbench.commands]\n{command} = {package}\n")

    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
        )

    install.call = call
    return install


def test_a_command_of_another_package_is_listed_and_run(install):
    install("more", "more")
    assert "what more does" in install.call("--help").stdout
    assert install.call("more").stdout == "more is done\n"


def test_two_packages_with_one_command_are_named_in_a_sentence(install):
    install("first", "more")
    install("second", "more")
    done = install.call("--help")
    assert done.returncode == 2
    assert done.stderr.startswith("workbench: workbench.commands has 2 entries 'more' (")
    assert done.stderr.endswith("uninstall all but one\n")
