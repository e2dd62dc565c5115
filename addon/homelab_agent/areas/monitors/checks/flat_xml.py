"""A small XML document: a root with attributes, and texts below it. Nothing is ever expanded."""

from dataclasses import dataclass, field
from xml.parsers import expat

_MOST_DEPTH = 2


class NotFlatXml(Exception):
    """It is something else."""


@dataclass(slots=True)
class FlatXml:
    """The attributes of the root, and the text of each of its children by name."""

    attributes: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


class _Reader:
    def __init__(self) -> None:
        self.found = FlatXml()
        self._depth = 0
        self._name = ""

    def refuse(self, *_: object) -> None:
        raise NotFlatXml

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self.found.attributes = attributes
        elif self._depth == _MOST_DEPTH:
            self._name = name
            self.found.texts.setdefault(name, "")

    def end(self, _: str) -> None:
        self._depth -= 1

    def text(self, text: str) -> None:
        if self._depth == _MOST_DEPTH:
            self.found.texts[self._name] += text


def read_flat_xml(body: bytes) -> FlatXml:
    """Read it.

    Raises:
        NotFlatXml: it is no XML, or one with a document type.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise NotFlatXml from error
    return reader.found
