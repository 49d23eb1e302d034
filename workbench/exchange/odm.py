"""CDISC ODM 1.3.2 and 2.0: a protocol out and in, and the entries of a study out.

A visit is a ``StudyEventDef``, a form a ``FormDef`` (in 2.0 an ``ItemGroupDef`` of type ``Form``), its items
``ItemDef``; a range that refuses a value is a hard ``RangeCheck``, one that asks about it a soft one. The reasons
why a value may be missing are the list of codes ``CL.missing``, and a missing value says its reason in an
annotation. Windows, arms and criteria stand in the elements that 2.0 has for them. Whatever ODM has no place for
stands in attributes and one element of the namespace :data:`OWN`, so that what was written is read back whole.

Both versions are written as the schemas of CDISC have them; the tests validate each against them, with
``odm_workbench.xsd`` for our namespace and without what is ours.
"""

from __future__ import annotations

from workbench.errors import BadValue
from workbench.exchange import _odm_reading
from workbench.exchange._imported import Imported
from workbench.exchange._odm_data import StudyFile, study_file
from workbench.exchange._odm_metadata import OWN, VERSIONS, Metadata, OdmVersion, add_study, root_element, units_of
from workbench.exchange._xml import LARGEST, as_bytes, refuse_illegal
from workbench.messages import Message
from workbench.study.protocol import Protocol

__all__ = ["LARGEST", "OWN", "VERSIONS", "Imported", "OdmVersion", "StudyFile", "from_odm", "study_file", "to_odm"]


def to_odm(protocol: Protocol, version: OdmVersion = "2.0") -> bytes:
    """A protocol as metadata of ODM, UTF-8; the same bytes for the same protocol.

    Parameters
    ----------
    protocol : that is written.
    version : of ODM, one of :data:`VERSIONS`.

    Raises
    ------
    BadValue
        For another version, or a character that XML does not allow.
    UnknownName
        For a form whose outcome measure is not installed here.
    """
    if version not in VERSIONS:
        raise BadValue(Message("exchange.odm_version", allowed=list(VERSIONS), got=repr(version)))
    about = protocol.about
    root = root_element(
        version, file_oid=f"{about.code}.{protocol.sha256[:12]}", kind="Snapshot", granularity="Metadata",
        made=f"{about.effective_from.isoformat()}T00:00:00Z",
    )  # fmt: skip
    add_study(root, [Metadata(protocol, version, units_of([protocol]))], oid=f"S.{about.code}")
    refuse_illegal(root)
    return as_bytes(root)


def from_odm(data: bytes, where: str = "file") -> Imported:
    """The protocol of a file of ODM 1.3 or 2.0, of ours whole, of others as far as it goes.

    Parameters
    ----------
    data : the file, at most :data:`LARGEST` bytes.
    where : names it in a sentence.

    Raises
    ------
    BadValue
        For what is not XML or not ODM, declares a document type, is too large or nested too deeply, or has no
        metadata.
    """
    return _odm_reading.from_odm(data, where)
