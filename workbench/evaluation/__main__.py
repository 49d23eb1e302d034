"""``python -m workbench.evaluation docs/evaluation.csv > docs/decoders.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from workbench.evaluation._document import document

if __name__ == "__main__":
    sys.stdout.write(document(Path(sys.argv[1])))
