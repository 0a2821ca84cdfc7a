"""JSON read element by element, numbers kept as the producer wrote them."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from dagster_project.sources.readers.base import ReadError, Source

_BLANKS = " \t\n\r"
_BLANK = re.compile(f"[{_BLANKS}]*")


class Literal(str):
    """A number (or NaN) as it stands in the file; a class of its own so that it is not written back as a string."""

    __slots__ = ()


@dataclass(frozen=True)
class Element:
    """One element of an array: its value and the text it was read from."""

    number: int
    value: Any
    text: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(n for n in names if names.count(n) > 1)!r} stands twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_float=Literal, parse_int=Literal, parse_constant=Literal, object_pairs_hook=_object)


def as_text(value: object) -> str | None:
    """Text of a decoded value: null stays null, a number its literal, anything nested JSON."""
    return value if value is None or isinstance(value, str) else _dump(value)


def _dump(value: object) -> str:
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {_dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def read_text(source: Source) -> str:
    """The whole file as text; raises ReadError naming the first undecodable byte."""
    encoding = codecs.lookup(source.dataset.encoding).name
    data = source.path.read_bytes()
    try:
        return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ReadError(
            f"{source.where}: line {line}, byte {error.start} (0x{data[error.start]:02X}) is not "
            f"{source.dataset.encoding}; correct `encoding` in the catalogue"
        ) from error


class Scanner:
    """Walks through a document without decoding it whole."""

    def __init__(self, source: Source, text: str) -> None:
        self._source = source
        self._text = text
        self._at = 0

    def peek(self) -> str:
        """Next significant character, '' at the end."""
        character = self._text[self._at : self._at + 1]
        if character in _BLANKS:  # '' is in it too: the end stays the end
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            character = self._text[self._at : self._at + 1]
        return character

    def value(self) -> Any:
        """Decode the value that begins here."""
        self.peek()
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self.fail(error.msg, error.pos)
        except (ValueError, RecursionError) as error:
            self.fail(str(error), self._at)
        return value

    def members(self) -> Iterator[str]:
        """Names of an object; the caller takes each value before asking for the next name."""
        self._take("{")
        while self.peek() != "}":
            name = self.value()
            if type(name) is not str:
                self.fail("a name in quotes was expected", self._at)
            self._take(":")
            yield name
            self._separator("}")
        self._take("}")

    def elements(self) -> Iterator[Element]:
        """Elements of an array, numbered from 1."""
        self._take("[")
        number = 0
        while self.peek() != "]":
            number += 1
            start = self._at
            value = self.value()
            yield Element(number, value, self._text[start : self._at])
            self._separator("]")
        self._take("]")

    def end(self) -> None:
        """Nothing may follow the document."""
        if self.peek():
            self.fail("unexpected text after the end", self._at)

    def _take(self, character: str) -> None:
        if self.peek() != character:
            self.fail(f"expected {character!r}", self._at)
        self._at += 1

    def _separator(self, closing: str) -> None:
        if self.peek() == ",":
            self._at += 1
            if self.peek() == closing:
                self.fail(f"unexpected {closing!r} after a comma", self._at)
        elif self.peek() != closing:
            self.fail(f"expected ',' or {closing!r}", self._at)

    def fail(self, problem: str, position: int) -> NoReturn:
        """Raise ReadError at a position of the text."""
        line = self._text.count("\n", 0, position) + 1
        column = position - self._text.rfind("\n", 0, position)
        ends_early = position >= len(self._text.rstrip()) or problem.startswith("Unterminated string")
        cut = " (the file looks truncated)" if ends_early else ""
        raise ReadError(
            f"{self._source.where}: line {line}, character {column}: not valid JSON: {problem}{cut}; fetch it again "
            "or put a complete copy in the inbox"
        )
