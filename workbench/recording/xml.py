"""Nested mappings ↔ the XML of XDF headers and footers.

A mapping becomes nested elements, a list repeated elements of one name, anything else text. Read back,
every leaf is text, and an element that occurs once is not a list: use :func:`several` where there may be
one or many.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from workbench.errors import BadValue, RecordingFault
from workbench.messages import Message

_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z")
LARGEST, DEEPEST = 16 * 2**20, 64
"""Most characters and levels of a header; LabRecorder's headers have a few kB and about six levels."""

ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that XML does not allow."""


def is_name(text: str) -> bool:
    """Whether a text can be the name of an element."""
    return _NAME.match(text) is not None


def to_xml(name: str, node: Any) -> str:
    """One element. Characters that XML does not allow become U+FFFD.

    Raises
    ------
    BadValue
        When a key is not an XML name.
    """
    if not _NAME.match(name):
        raise BadValue(Message("recording.xml_name", got=repr(name)))
    if isinstance(node, Mapping):
        return f"<{name}>{''.join(to_xml(str(key), value) for key, value in node.items())}</{name}>"
    if isinstance(node, list | tuple):
        return "".join(to_xml(name, value) for value in node)
    # `html` and not the like of it in `xml.sax`, which loads a client for HTTP into every process.
    return f"<{name}>{html.escape(ILLEGAL.sub(chr(0xFFFD), _text(node)), quote=False)}</{name}>"


def document(name: str, node: Mapping[str, Any]) -> str:
    """A whole XML document with one root element."""
    return '<?xml version="1.0"?>' + to_xml(name, node)


class Bounded(ElementTree.TreeBuilder):
    """Builds a tree of at most :data:`DEEPEST` levels, of one document without a type declaration.

    Declarations are refused because entities can blow a short text up to gigabytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._level = 0

    def start(self, tag: Any, attrs: Any) -> Any:
        self._level += 1
        if self._level > DEEPEST:
            raise self.too_deep()
        return super().start(tag, attrs)

    def end(self, tag: str) -> Any:
        self._level -= 1
        return super().end(tag)

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse a document type.

        Parameters
        ----------
        name : of the type.
        pubid, system : where it is defined.
        """
        raise self.declared(name)

    def too_deep(self) -> Exception:
        """What is raised for too many levels."""
        return RecordingFault(Message("recording.xml_deep", most=DEEPEST))

    def declared(self, name: str) -> Exception:
        """What is raised for a document that declares its type."""
        return RecordingFault(Message("recording.xml_doctype", got=f"{name!r:.40}"))


def from_xml(text: str) -> dict[str, Any]:
    """Children of the root element.

    Raises
    ------
    RecordingFault
        When the text is not XML, is too large or nested too deeply, or declares a document type.
    """
    if len(text) > LARGEST:
        raise RecordingFault(Message("recording.xml_long", n=f"{len(text):,}", most=f"{LARGEST:,}"))
    parser = ElementTree.XMLParser(target=Bounded())
    try:
        parser.feed(text)
        root = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise RecordingFault(Message("recording.xml_invalid", why=str(error))) from error
    content = _node(root)
    return content if isinstance(content, dict) else {}


def several(node: Any, *path: str) -> list[Any]:
    """The nodes under ``path`` as a list: empty when absent, one item when it occurs once."""
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    if node is None:
        return []
    return node if isinstance(node, list) else [node]


def text_of(node: Any, *path: str) -> str:
    """The first text under ``path``, ``""`` when absent."""
    texts = several(node, *path)
    return texts[0] if texts and isinstance(texts[0], str) else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _node(element: ElementTree.Element) -> dict[str, Any] | str:
    if len(element) == 0:
        return element.text or ""
    content: dict[str, Any] = {}
    for child in element:
        value = _node(child)
        if child.tag not in content:
            content[child.tag] = value
        elif isinstance(content[child.tag], list):
            content[child.tag].append(value)
        else:
            content[child.tag] = [content[child.tag], value]
    return content
