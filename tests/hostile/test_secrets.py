"""No secret stands in a command line: every account of a computer can read those of all processes."""

from __future__ import annotations

import ast
from pathlib import Path

import psutil

import workbench
from workbench import devices
from workbench.live import _engine_folder
from workbench.live._engine_folder import EngineFolder
from workbench.study.keys import KeyRing

PACKAGE = Path(workbench.__file__).parent
STARTS = ("subprocess.Popen", "subprocess.run", "subprocess.call", "subprocess.check_output", "webbrowser.open")
WORDS = ("token", "key", "password", "secret", "passphrase", "pairing", "nonce")
DASHBOARD = "widgets/dashboard.py"
"""Hands its token over by itself; its own tests say how."""


def commands_in(path: Path) -> list[tuple[str, set[str]]]:
    """What each process is started with: the place, and the names in its arguments, through local variables."""
    found = []
    source = path.read_text(encoding="utf-8")
    if not any(name.split(".")[0] in source for name in STARTS):
        return found
    tree = ast.parse(source)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        assigned = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in [node for node in ast.walk(function) if isinstance(node, ast.Call)]:
            if ast.unparse(call.func) in STARTS and call.args:
                argv = call.args[0]
                argv = assigned.get(argv.id, argv) if isinstance(argv, ast.Name) else argv
                names = {n.id for n in ast.walk(argv) if isinstance(n, ast.Name)}
                names |= {n.attr for n in ast.walk(argv) if isinstance(n, ast.Attribute)}
                found.append((f"{path.name}:{call.lineno}", names))
    return found


def test_no_process_is_started_with_a_secret_among_its_arguments():
    started, bad = 0, []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).as_posix() == DASHBOARD:
            continue
        for place, names in commands_in(path):
            started += 1
            bad += [f"{place}: {name}" for name in names if any(word in name.lower() for word in WORDS)]
    assert started >= 4, "the engine, a player, a fit and a dashboard at least are started"
    assert bad == []


def test_the_search_finds_a_secret(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("def f(self):\n    command = ['x', self.token]\n    subprocess.run(command)\n")
    assert commands_in(path) == [("x.py:3", {"self", "token"})]


def test_the_key_of_a_running_session_stands_in_no_command_line(make_room):
    room = make_room()
    client = room.start(room.plan(glove=True))
    (of_study,) = KeyRing(room.study.id).keys.values()
    of_effector = devices.pairing(room.folder, "glove").key()
    secrets = [_engine_folder.read_key(EngineFolder(room.folder)), of_effector, of_study.hmac, of_study.private]
    secrets = [secret.hex() for secret in secrets]
    seen = 0
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        seen += "workbench" in line
        for secret in secrets:
            assert secret not in line
    assert seen >= 3, "the engine and its players run"
    assert client.status()
