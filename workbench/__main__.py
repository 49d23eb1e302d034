"""`python -m workbench` is `workbench`."""

import sys

from workbench.commands import main

sys.exit(main())
