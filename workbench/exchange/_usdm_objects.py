"""Objects of CDISC USDM 4.0, each with an id and a name of its own, and the terms of CDISC that code them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

Object = dict[str, Any]
"""An instance of a class of USDM as JSON data."""

CDISC, RELEASE = "http://www.cdisc.org", "2026-03-27"
"""Code system of the controlled terminology of CDISC, and its release that the codes below were read in."""
OWN = "urn:sci-bci-workbench:usdm:1"
"""Code system of our own words, and what the addresses of our extension attributes begin with."""
COUNTRY, LANGUAGE = "ISO 3166-1", "ISO 639-1"

TERMS = {
    "after": ("C201356", "After"),
    "before": ("C201357", "Before"),
    "fixed": ("C201358", "Fixed Reference"),
    "start to start": ("C201355", "Start to Start"),
    "randomized": ("C46079", "Randomized"),
    "stratified": ("C147145", "Stratified Randomisation"),
    "primary objective": ("C85826", "Trial Primary Objective"),
    "secondary objective": ("C85827", "Trial Secondary Objective"),
    "primary endpoint": ("C94496", "Primary Endpoint"),
    "secondary endpoint": ("C139173", "Secondary Endpoint"),
    "treatment arm": ("C15538", "Protocol Treatment Arm"),
    "within study": ("C188866", "Data Generated Within Study"),
    "experimental": ("C41161", "Experimental Intervention"),
    "device": ("C16830", "Medical Device"),
    "interventional": ("C98388", "Interventional Study"),
    "no phase": ("C48660", "Not Applicable"),
    "parallel": ("C82639", "Parallel Study"),
    "single group": ("C82640", "Single Group Study"),
    "visit": ("C25716", "Visit"),
    "screening": ("C202487", "Screening Epoch"),
    "treatment": ("C101526", "Treatment Epoch"),
    "follow-up": ("C202578", "Follow-Up Epoch"),
    "inclusion": ("C25532", "Inclusion Criteria"),
    "exclusion": ("C25370", "Exclusion Criteria"),
    "device company": ("C215661", "Medical Device Company"),
    "registry": ("C93453", "Clinical Study Registry"),
    "sponsor": ("C70793", "Clinical Study Sponsor"),
    "official title": ("C207616", "Official Study Title"),
    "protocol": ("C70817", "Protocol"),
    "final": ("C25508", "Final"),
    "effective": ("C215663", "Effective Date"),
    "global": ("C68846", "Global"),
    "country": ("C25464", "Country"),
    "region": ("C41129", "Region"),
    "male": ("C20197", "M"),
    "female": ("C16576", "F"),
    "years": ("C29848", "YEARS"),
}
"""Code and term of CDISC by our word."""


class Objects:
    """Makes the objects of one file: ids count up by class, and no two objects of a class have one name."""

    def __init__(self) -> None:
        self._made: dict[str, int] = {}
        self._names: set[tuple[str, str]] = set()

    def new(self, kind: str, **values: Any) -> Object:
        """An object of a class.

        Parameters
        ----------
        kind : name of the class.
        **values : its attributes; a name that another object of the class has is followed by a number.
        """
        self._made[kind] = number = self._made.get(kind, 0) + 1
        if "name" in values:
            values["name"] = self._own_name(kind, values["name"])
        return {"id": f"{kind}_{number}", "extensionAttributes": [], **values, "instanceType": kind}

    def _own_name(self, kind: str, name: str) -> str:
        own, n = name, 1
        while (kind, own) in self._names:
            n += 1
            own = f"{name} ({n})"
        self._names.add((kind, own))
        return own

    def term(self, word: str) -> Object:
        """A code of CDISC by our word, one of :data:`TERMS`."""
        code, decode = TERMS[word]
        return self.code(code, decode, CDISC, RELEASE)

    def code(self, code: str, decode: str, system: str = OWN, release: str = "1") -> Object:
        """A code of any system.

        Parameters
        ----------
        code, decode : and what it stands for.
        system, release : code system and its version; ours by default.
        """
        return self.new("Code", code=code, codeSystem=system, codeSystemVersion=release, decode=decode)

    def alias(self, code: Object) -> Object:
        """A code in the place where USDM lets it have aliases."""
        return self.new("AliasCode", standardCode=code, standardCodeAliases=[])

    def quantity(self, value: float, unit: str = "") -> Object:
        """A number with a unit out of :data:`TERMS`, ``""`` for none."""
        return self.new("Quantity", value=value, unit=self.alias(self.term(unit)) if unit else None)

    def notes(self, texts: Iterable[str]) -> list[Object]:
        """Remarks in words."""
        return [self.new("CommentAnnotation", text=text, codes=[]) for text in texts]

    def text_extension(self, name: str, value: str) -> Object:
        """An attribute of ours, a text.

        Parameters
        ----------
        name : that follows :data:`OWN` in its address.
        value : the text.
        """
        return self.new("ExtensionAttribute", url=f"{OWN}:{name}", valueString=value)


def chained(objects: Sequence[Object]) -> list[Object]:
    """Objects that name the one before and behind them, in the order given."""
    ids = [None, *(one["id"] for one in objects), None]
    for one, before, behind in zip(objects, ids, ids[2:], strict=False):
        one |= {"previousId": before, "nextId": behind}
    return list(objects)


def as_html(text: str) -> str:
    """A text as the XHTML that USDM has its templates in."""
    return f"<p>{html.escape(text)}</p>"
