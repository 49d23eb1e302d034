"""Lives some seeds in a copy of the repository: ``python -m tests.mutation.hunting SEEDS.json``.

The file says which seeds (``seeds``), how deep and how long each life is (``depth``, ``seconds``), from which
study they begin (``scene``, made first where it is missing), and where to write which lines each life runs
(``lines``), if anywhere. What breaks a rule is printed with its seed, and nothing is lived after it. A life that
takes longer than ``longest_s`` ends the process.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

from coverage import Coverage

OUTSIDE = "outside"
"""Context of what runs in no life: what is imported, and the calibration from which lives begin."""
ROOMS = ("control", "engine", "live", "recording", "runs", "study")
"""Rooms whose lines are noted."""


def main() -> int:
    """Live the seeds of a file; 0 where none broke a rule, 1 where one did."""
    asked: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    noting = None
    if asked.get("lines"):
        # Before anything of the package is imported: what runs then bears on every life.
        rooms = [f"*/workbench/{room}/*" for room in ROOMS]
        noting = Coverage(data_file=None, include=rooms, concurrency=["greenlet", "thread"], config_file=False)
        noting.start()
        noting.switch_context(OUTSIDE)
    found = _lived(asked, noting)
    if noting is not None:
        noting.stop()
        Path(asked["lines"]).write_text(json.dumps(_lines(noting)), encoding="utf-8")
    if found:
        print(f"FOUND {found}", flush=True)
    return int(bool(found))


def _lived(asked: dict[str, Any], noting: Coverage | None) -> str:
    """The first seed that broke a rule and that rule, ``""`` where none did."""
    faulthandler.dump_traceback_later(asked["longest_s"] * 4, exit=True)
    folder = Path(asked["scene"])
    try:
        scene = _scene(folder, asked["depth"])
    # Whatever a fault does to the calibration, it is seen.
    except Exception as error:  # noqa: BLE001
        return f"a calibration that fails: {type(error).__name__}"
    from workbench.simulation.lives import begin, one

    begin()
    for seed in asked["seeds"]:
        faulthandler.dump_traceback_later(asked["longest_s"], exit=True)
        if noting is not None:
            noting.switch_context(str(seed))
        try:
            lived = one(seed, asked["seconds"], scene)
        except Exception as error:  # noqa: BLE001
            return f"seed {seed}: a life that ends by {type(error).__name__}"
        if lived.broken:
            return f"seed {seed}: {lived.broken[0].rule}"
        print(f"lived {seed}", flush=True)
    faulthandler.cancel_dump_traceback_later()
    return ""


def _scene(folder: Path, depth: Any) -> Any:
    """The study from which lives begin, made where it is missing."""
    from workbench.simulation.scene import Scene, template

    if folder.exists():
        return Scene(folder, depth)
    folder.mkdir()
    return template(folder, depth=depth)


def _lines(noting: Coverage) -> dict[str, dict[int, list[str]]]:
    """File from the root of the copy → line → seeds whose lives ran it, as texts, and :data:`OUTSIDE`."""
    data, root = noting.get_data(), Path.cwd()
    return {
        Path(name).relative_to(root).as_posix(): data.contexts_by_lineno(name) for name in data.measured_files()
    }


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Threads of a life that a fault left behind must not keep the process.
    os._exit(code)
