"""Study formats of others, in and out: CDISC, REDCap, FHIR, BIDS, core data sets for a registry.

:mod:`~workbench.exchange.odm` writes and reads protocols and writes entries;
:mod:`~workbench.exchange.redcap_forms` does both for REDCap; :mod:`~workbench.exchange.redcap` reads examinations.
:mod:`~workbench.exchange.usdm` is the protocol as a study definition, :mod:`~workbench.exchange.datasets` the
record as datasets, :mod:`~workbench.exchange.fhir` the study and its subjects, :mod:`~workbench.exchange.bids`
its recordings.

Readers of recordings are in :mod:`workbench.devices`, since the live session plays them.
"""

from workbench.exchange._core_data_set import FORMS, Export, core_data_set, reporting_group
from workbench.exchange._dictionary import data_dictionary
from workbench.exchange._imported import Imported, completed
from workbench.exchange.redcap import RedcapExam, from_redcap, read_redcap, redcap_lines

__all__ = [
    "FORMS",
    "Export",
    "Imported",
    "RedcapExam",
    "completed",
    "core_data_set",
    "data_dictionary",
    "from_redcap",
    "read_redcap",
    "redcap_lines",
    "reporting_group",
]
