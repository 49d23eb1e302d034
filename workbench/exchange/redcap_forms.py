"""REDCap: the forms of a protocol as a data dictionary, out and in, and entered forms as records, out and in.

Why a value is missing goes as one of REDCap's missing data codes, :data:`MISSING`; they have to be entered in the
project's setup. Codes and names follow from the protocol, so that what was exported is read back as it was.
Examinations of another instrument are read by :mod:`workbench.exchange.redcap`.
"""

from __future__ import annotations

from workbench.exchange._imported import Imported
from workbench.exchange._redcap_dictionary import COLUMNS, from_dictionary, to_dictionary
from workbench.exchange._redcap_names import KEYS, LARGEST, MISSING, Names, names_of
from workbench.exchange._redcap_records import Outcome, Records, What, enter, names, records

__all__ = [
    "COLUMNS", "KEYS", "LARGEST", "MISSING", "Imported", "Names", "Outcome", "Records", "What", "enter",
    "from_dictionary", "names", "names_of", "records", "to_dictionary",
]  # fmt: skip
