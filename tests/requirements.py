"""Requirements, the tests that show what is done about them, and the page that lists both.

``python -m tests.requirements`` writes ``docs/requirements.md`` from ``docs/requirements.toml``.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "requirements.toml"
PAGE = ROOT / "docs" / "requirements.md"
HEAD = """# Requirements, tests, evidence

What is asked of the record of a trial, where that was seen, what the workbench does about it, the tests that show
it, and what remains to the site. The workbench supports these; it is no medical device and certifies nothing. The
evidence is the run of these tests: `pytest TEST` repeats it on the version at hand. Written by
`python -m tests.requirements`.

"""


def requirements() -> list[dict]:
    """Every requirement of the table."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))["requirement"]


def is_there(test: str) -> bool:
    """Whether a test, or a file of tests, is in this repository."""
    path, _, name = test.partition("::")
    file = ROOT / path
    if not file.is_file():
        return False
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return not name or any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.walk(tree))


def page() -> str:
    """The page as Markdown."""
    parts = []
    for one in requirements():
        tests = "\n".join(f"- `{test}`" for test in one["tests"])
        site = f"\n*The site:* {one['site']}\n" if one["site"] else ""
        parts.append(
            f"## {one['id']}. {one['text']}\n*Source:* {one['source']}\n\n{one['does']}\n{site}\n{tests}\n"
        )
    return HEAD + "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
