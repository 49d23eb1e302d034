"""Bad input for every command: absent, forbidden, endless, torn, forged, nested or of another kind.

The commands and their arguments come from the parser that is handed in, so that a new one without hostile cases is
an error. ``workbench`` is called as a user calls it, many cases in one process with limits of time and memory, and
each answer is judged: an exit code other than 0, one clear sentence, no traceback, no word of a defect, no hang.
"""

from __future__ import annotations

from workbench.stress.hostile._cases import Case, cases, commands
from workbench.stress.hostile._judge import Answer, HostileFigures, fault_of, hostile, run_cases

__all__ = ["Answer", "Case", "HostileFigures", "cases", "commands", "fault_of", "hostile", "run_cases"]
