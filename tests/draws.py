"""How many examples a property is tried with."""

from __future__ import annotations

import os


def examples(n: int) -> int:
    """All ``n`` in CI; elsewhere three tenths of them, drawn anew each time, like the profiles of Hypothesis."""
    return n if os.environ.get("CI") else round(0.3 * n)
