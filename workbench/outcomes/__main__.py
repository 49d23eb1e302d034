"""``python -m workbench.outcomes``: print the catalogue of outcome measures, ``docs/outcomes.md``."""

from __future__ import annotations

import sys

from workbench.outcomes._catalogue import catalogue

if __name__ == "__main__":
    sys.stdout.write(catalogue())
