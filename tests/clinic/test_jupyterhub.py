"""The example of a JupyterHub: it compiles and sets what it says that it sets; JupyterHub itself is not needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "docs" / "clinic_jupyterhub_config.py"


class Options:
    """What JupyterHub hands to a configuration: any class, any option; keeps what was set."""

    def __init__(self, found: dict[str, Any], section: str = "") -> None:
        self.__dict__.update(found=found, section=section)

    def __getattr__(self, name: str) -> Options:
        return Options(self.found, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.found[f"{self.section}.{name}"] = value


def test_the_example_sets_every_option_that_it_documents_and_no_other():
    text = EXAMPLE.read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    exec(compile(text, str(EXAMPLE), "exec"), {"get_config": lambda: Options(found)})
    documented = re.findall(r"^    ([A-Z]\w+\.\w+)  ", text, re.MULTILINE)
    assert sorted(found) == sorted(documented)
    assert found["JupyterHub.bind_url"].startswith("http://127.0.0.1:")
    assert found["Spawner.environment"]["WORKBENCH_CLINIC"].startswith("/run/")
    assert found["Authenticator.admin_users"] <= found["Authenticator.allowed_users"]
