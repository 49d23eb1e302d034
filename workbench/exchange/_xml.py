"""XML of other systems, read within bounds, and written the same way every time."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.recording.xml import DEEPEST, ILLEGAL, Bounded

LARGEST, MOST = 16 * 2**20, 400_000
"""Most bytes and elements of a file."""
LONGEST_WHY = 200
_NAMESPACE = re.compile(r"\{([^}]*)\}(.*)", re.DOTALL)


class _Builder(Bounded):
    """A tree of bounded size and depth, without a document type."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where
        self._count = 0

    def start(self, tag: Any, attrs: Any) -> Any:
        self._count += 1
        if self._count > MOST:
            raise BadValue(Message("exchange.xml_many", where=self._where, most=f"{MOST:,}"))
        return super().start(tag, attrs)

    def too_deep(self) -> Exception:
        return BadValue(Message("exchange.xml_deep", where=self._where, most=DEEPEST))

    def declared(self, name: str) -> Exception:
        return BadValue(Message("exchange.xml_doctype", where=self._where, got=f"{name!r:.40}"))


def parsed(data: bytes, where: str) -> Element:
    """The root element of a file, with the names of namespaces in braces.

    Parameters
    ----------
    data : the file, at most :data:`LARGEST` bytes.
    where : names it in a sentence.

    Raises
    ------
    BadValue
        For what is not XML, declares a document type, or is too large or nested too deeply.
    """
    if len(data) > LARGEST:
        raise BadValue(Message("exchange.xml_long", where=where, n=f"{len(data):,}", most=f"{LARGEST:,}"))
    parser = ElementTree.XMLParser(target=_Builder(where))
    try:
        parser.feed(data)
        root: Element = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        if isinstance(error, BadValue):
            raise
        why = f"{error!s:.{LONGEST_WHY}}"
        raise BadValue(Message("exchange.xml_invalid", where=where, why=why)) from error
    return root


def split(tag: str) -> tuple[str, str]:
    """``(namespace, name)`` of a tag or attribute; ``""`` for no namespace."""
    found = _NAMESPACE.match(tag)
    return (found[1], found[2]) if found else ("", tag)


def text_under(element: Element | None) -> str:
    """All text inside an element, ``""`` for None."""
    return "" if element is None else "".join(element.itertext())


def refuse_illegal(root: Element) -> None:
    """Refuse a tree with characters that XML does not allow. Raises BadValue."""
    for element in root.iter():
        for text in (*element.attrib.values(), element.text or ""):
            if ILLEGAL.search(text):
                raise BadValue(Message("exchange.xml_character", got=f"{text!r:.60}"))


def replace_illegal(root: Element) -> None:
    """Put U+FFFD in the place of characters that XML does not allow; a carriage return would come back another."""
    for element in root.iter():
        element.text = _legal(element.text) if element.text else element.text
        for name, text in element.attrib.items():
            element.set(name, _legal(text))


def _legal(text: str) -> str:
    return ILLEGAL.sub(chr(0xFFFD), text).replace("\r\n", "\n").replace("\r", "\n")


def as_bytes(root: Element) -> bytes:
    """A document in UTF-8, indented."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()
