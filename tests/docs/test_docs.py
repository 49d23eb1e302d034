"""The documents are read by tests, so that they cannot rot."""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests import house
from workbench.commands import build_parser

ROOT = Path(__file__).resolve().parents[2]
DOCS = {p.name: p.read_text(encoding="utf-8") for p in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
EVERYTHING = "\n".join(DOCS.values())


def commands():
    actions = build_parser()._actions
    (found,) = [a for a in actions if isinstance(a, argparse._SubParsersAction)]
    return found.choices


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_stands_in_a_document(name):
    assert f"workbench {name}" in EVERYTHING


def test_every_option_in_the_readme_exists():
    known = {option for parser in commands().values() for a in parser._actions for option in a.option_strings}
    for line in DOCS["README.md"].splitlines():
        if line.strip().startswith("workbench "):
            assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= known, line


def public_names():
    tree = ast.parse((ROOT / "workbench" / "vocabulary.py").read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    tree = ast.parse((ROOT / "workbench" / "errors.py").read_text(encoding="utf-8"))
    return names + [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("name", public_names())
def test_every_noun_and_error_stands_in_the_glossary(name):
    assert f"`{name}`" in DOCS["glossary.md"]


CONDA_NAMES = {"matplotlib": "matplotlib-base", "mne": "mne-base", "typst": "typst-py"}
"""What conda-forge calls a package; its ``typst`` is the program alone, and the base packages bring no Qt."""


def test_environment_yml_equals_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *from_conda, from_index = environment["dependencies"]
    listed = {d.replace(" ", "") for d in [*from_conda, *from_index["pip"]]}
    wanted = {
        re.sub(r"^[a-z0-9-]+", lambda name: CONDA_NAMES.get(name[0], name[0]), d) for d in project["dependencies"]
    }
    assert environment["name"] == "workbench"
    assert environment["channels"] == ["conda-forge"]
    assert listed == {*wanted, f"python{project['requires-python']}", "pip", "liblsl>=1.16"}


def test_every_runtime_dependency_has_its_reason_and_its_pin():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    for requirement in project["dependencies"]:
        name = re.split(r"[<>=]", requirement)[0]
        assert f"| {name} |" in DOCS["decisions.md"], name
        assert re.search(rf"^{re.escape(name)}==", pins, re.MULTILINE | re.IGNORECASE), name


OPTIONAL = {"distributed"}
"""What an extra brings that nobody else needs; its import says in a sentence what to install."""

PEERS = {"metabci", "meegkit", "mne_lsl", "ezmsg", "pyriemann"}
"""What is imported where it happens to be there: algorithms and engines of others, to judge ours beside them."""


def needed(names):
    """Distributions that are named and all that they need, as an installation brings them."""
    found, left = set(), {canonicalize_name(name) for name in names}
    while left:
        found.add(name := left.pop())
        for line in requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left |= {canonicalize_name(requirement.name)} - found
    return found


@pytest.mark.job
def test_whatever_the_package_imports_comes_with_what_is_declared():
    """In any function: what is missing only where it is needed is found by whoever needs it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    brought = needed(Requirement(line).name for line in declared)
    gives = {module: set(map(canonicalize_name, names)) for module, names in packages_distributions().items()}
    imported = set()
    for path in (ROOT / "workbench").rglob("*.py"):
        for node in house.nodes(house.syntax(path)):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"workbench"} - PEERS - OPTIONAL
    extras = project["optional-dependencies"]
    assert {Requirement(line).name for line in extras["dask"]} == OPTIONAL
    assert len(others) > 20
    assert {name for name in others if not gives.get(name, set()) & brought} == set()


def test_the_container_holds_the_pinned_versions_and_each_pin_is_one_that_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    steps = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert "pip install --no-cache-dir -c constraints.txt ." in steps
    (python,) = re.findall(r"^FROM \S+/python:(\S+?)-slim", steps, re.MULTILINE)
    assert SpecifierSet(project["requires-python"]).contains(python)
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    extras = project["optional-dependencies"].values()
    for requirement in map(Requirement, [*project["dependencies"], *(line for lines in extras for line in lines)]):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def tracked():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in done.stdout.splitlines()]


def test_no_file_names_a_machine_path_or_a_registry_host():
    bad = re.compile("/(?:wor" + "k|roo" + "t)/[a-z]|(?:pyp" + "i|npm" + "js|pythonhost" + r"ed)\.(?:org|com)")
    for path in tracked():
        if path.suffix in {".png", ".xdf", ".npz", ".db", ".pdf"} or not path.is_file():
            continue
        found = bad.search(path.read_text(encoding="utf-8", errors="ignore"))
        assert found is None, f"{path.name}: {found.group(0)}"


def test_notebooks_are_committed_without_outputs_and_with_a_kernelspec():
    books = [p for p in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts]
    assert books
    for path in books:
        book = json.loads(path.read_text(encoding="utf-8"))
        assert book["metadata"]["kernelspec"]["name"] == "python3", path.name
        for cell in book["cells"]:
            assert not cell.get("outputs"), path.name
            assert cell.get("execution_count") is None, path.name


def test_links_between_documents_lead_somewhere():
    for name, text in DOCS.items():
        folder = ROOT if name == "README.md" else ROOT / "docs"
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (folder / target).exists(), f"{name}: {target}"


@pytest.mark.parametrize("word", ["compli" + "ant", "cert" + "ified"])
def test_no_document_claims_compliance(word):
    for name, text in DOCS.items():
        assert word not in text.lower(), name


def container_lines(instruction):
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(instruction).strip() for line in lines if line.startswith(f"{instruction} ")]


def test_the_container_copies_what_the_wheel_is_made_of_and_runs_commands_that_there_are():
    copied = {name for line in container_lines("COPY") for name in line.split()[:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "constraints.txt"}
    needed |= {project["project"]["readme"], *project["project"]["license-files"]}
    assert copied == needed
    assert all((ROOT / name).exists() for name in copied)
    (entry,), (given,) = container_lines("ENTRYPOINT"), container_lines("CMD")
    assert [*json.loads(entry)] == [*project["project"]["scripts"]]
    assert build_parser().parse_args(json.loads(given)).run
    (python,) = container_lines("FROM")
    assert re.search(r"python:(\d\.\d+)", python)[1] in {"3.11", "3.12", "3.13"}


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "workbench" / "py.typed").is_file()
