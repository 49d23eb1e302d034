"""STOP is heard while a cell of the notebook is busy: a real kernel, a real subshell, a cell that does not end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = """
import threading
from types import SimpleNamespace
from workbench.widgets import LiveSession

released = threading.Event()

class Client:
    def status(self): return {"run": None}
    def signals(self, since=0, max_seconds=10.0): return None
    def stop(self): released.set()

screen = LiveSession(Client())
print(screen.comm.comm_id)
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Any]:
    """A kernel and its client."""
    manager_module = pytest.importorskip("jupyter_client.manager")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_PLATFORM_DIRS": "1"}
    manager, client = manager_module.start_new_kernel(kernel_name="python3", env=env, cwd=str(tmp_path))
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_stop_is_heard_while_a_cell_is_busy(kernel: Any) -> None:
    info = kernel.kernel_info(reply=True, timeout=60)["content"]
    if "kernel subshells" not in info.get("supported_features", []):
        pytest.skip("this ipykernel has no subshells")
    said: list[str] = []
    kernel.execute_interactive(
        SETUP,
        timeout=120,
        output_hook=lambda m: said.append(m["content"].get("text", "")) if m["msg_type"] == "stream" else None,
    )
    comm_id = "".join(said).strip().splitlines()[-1]
    create = kernel.session.msg("create_subshell_request", {})
    kernel.control_channel.send(create)
    subshell = kernel.control_channel.get_msg(timeout=60)["content"]["subshell_id"]
    busy = kernel.execute("released.wait(120)")
    message = {"method": "custom", "content": {"name": "stop", "args": {}, "id": "1"}}
    stop = kernel.session.msg("comm_msg", {"comm_id": comm_id, "data": message})
    stop["header"]["subshell_id"] = subshell
    kernel.shell_channel.send(stop)
    while True:
        reply = kernel.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == busy:
            break
    assert reply["content"]["status"] == "ok"
