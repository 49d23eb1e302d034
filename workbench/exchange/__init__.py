"""Study formats of others, in and out: examinations out of REDCap, core data sets for a registry.

Readers of recordings are in :mod:`workbench.devices`, since the live session plays them.
"""

from workbench.exchange._core_data_set import FORMS, Export, core_data_set, reporting_group
from workbench.exchange.redcap import RedcapExam, from_redcap, read_redcap, redcap_lines

__all__ = [
    "FORMS",
    "Export",
    "RedcapExam",
    "core_data_set",
    "from_redcap",
    "read_redcap",
    "redcap_lines",
    "reporting_group",
]
