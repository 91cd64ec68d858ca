"""A response as the symbolic judge reads it: sentences in plain notation, each knowing what is merely supposed.

    document = read("Suppose AB = 5. $\\\\overline{BC} = 7$")
    sentence = document.sentences[1]
    sentence.text                     # 'BC = 7'
    sentence.mood(0, 6)               # 'asserted'
    sentence.source(0, 6)             # (17, 37), the characters of the response

Reading is linear in the response's length and bounded: `normalise.MAX_CHARS` characters, `MAX_SENTENCES` sentences of
at most `MAX_SENTENCE` characters each (a longer one is read in pieces). What lies beyond is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from perception_reward.annotations.language.examined import examined_of
from perception_reward.annotations.language.moods import Mood, mood_of
from perception_reward.annotations.language.notation import Plain, normalise

MAX_SENTENCES = 8_000
MAX_SENTENCE = 1_000

Form = Literal["prose", "bullet", "row"]

# Full stops end a sentence before white space, or between a word and a capitalised one ("lines.The sides"); those of
# abbreviations and of option letters do not.
_BOUNDARY = re.compile(
    r"[\n!?;.。！？；](?:(?<=\n)\s*|(?<=[!?;.])[\"')\]$*]{0,3}[ \t]+|(?<=[a-z]{3}\.)(?=[A-Z][a-z])|(?<=[。！？；]))"
)
_ABBREVIATIONS = ("approx", "e.g", "i.e", "fig", "Fig", "resp", "vs")
_BULLET = re.compile(r"[ \t]*(?:[-*+>#]+|\(?\d{1,3}[.)])[ \t]+")
# What marks a list entry and would be read as part of it: "(i) AC = 7" is no product, "- 11 = JK" not below zero.
_NUMBERING = re.compile(r"[ \t]*(?:\d{1,3}\)|\((?:\d{1,3}|i{1,3}|iv|vi{0,3})\)|-(?=[ \t]+\d))[ \t]+")
_OPTION = re.compile(r"[ \t]*(?:[-*+][ \t]+)?\(?([A-H])[).:][ \t]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, bullet line, table row or line of display math, in plain notation.

    form: `row` for a line of a Markdown table, whose cells `cells` gives.
    stance: the mood that the surroundings give the whole sentence: `option` in a list of choices, `question` where it
        is quoted as something to be checked, else `asserted`.
    offset: where it begins in the document's plain text.
    """

    text: str
    form: Form
    stance: Mood
    offset: int
    plain: Plain

    def mood(self, start: int, end: int) -> Mood:
        """The mood of what stands at [start, end) of `text`: only `asserted` and `weak` state something."""
        return mood_of(self.text, start, end) if self.stance == "asserted" else self.stance

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The [start, end) range of the original response behind [start, end) of `text`."""
        return self.plain.source(self.offset + start, self.offset + end)

    def cells(self) -> list[tuple[str, int]]:
        """The cells of a table row with their positions in `text`; empty for other sentences."""
        if self.form != "row":
            return []
        found = [(match.group(), match.start()) for match in re.finditer(r"[^|]+", self.text)]
        return [(cell.strip(), at + len(cell) - len(cell.lstrip())) for cell, at in found if cell.strip()]


@dataclass(frozen=True, slots=True)
class Document:
    """A response, read once for all its facts."""

    response: str
    plain: Plain
    sentences: tuple[Sentence, ...]


def read(response: str) -> Document:
    """Normalise and segment a response. Never raises, whatever the characters."""
    plain = normalise(response)
    ranges = sentence_ranges(plain.text)[:MAX_SENTENCES]
    options = _option_lines(plain.text, ranges)
    examined = examined_of(plain.text, ranges)
    sentences: list[Sentence] = []
    for index, (start, end) in enumerate(ranges):
        text = plain.text[start:end]
        stance: Mood = "question" if index in examined else "option" if index in options else "asserted"
        number = _NUMBERING.match(text)
        begin = number.end() if number and number.end() < len(text) else 0
        sentences.append(Sentence(text[begin:], _form(text), stance, start + begin, plain))
    return Document(response, plain, tuple(sentences))


def sentence_ranges(text: str, most: int = MAX_SENTENCE) -> list[tuple[int, int]]:
    """The [start, end) ranges of the sentences of any text, blank ones left out; those longer than `most` characters
    are cut in pieces."""
    found: list[tuple[int, int]] = []
    position = 0
    for match in _BOUNDARY.finditer(text):
        start = match.start()
        if text[start] == "." and (_continues(text, start) or _pauses(text, start, match.end())):
            continue
        _cut(found, text, position, start if text[start] == "\n" else start + 1, most)
        position = match.end()
    _cut(found, text, position, len(text), most)
    return found


def _continues(text: str, stop: int) -> bool:
    """Whether a full stop belongs to an abbreviation or to the letter of an option at the beginning of a line."""
    if text.endswith(_ABBREVIATIONS, max(0, stop - 6), stop):
        return True
    return text[stop - 1 : stop] in tuple("ABCDEFGH") and text[stop - 2 : stop - 1] in ("\n", "")


def _pauses(text: str, stop: int, end: int) -> bool:
    """Whether three points are a pause in the middle of a sentence: "it's... a dog"."""
    return text[stop - 1 : stop] == "." and text[end : end + 1].islower()


def _cut(found: list[tuple[int, int]], text: str, start: int, end: int, most: int) -> None:
    while start < end:
        stop = min(end, start + most)
        if not text[start:stop].isspace():
            found.append((start, stop))
        start = stop


def _form(text: str) -> Form:
    if text.lstrip().startswith("|") and text.count("|") >= 3:
        return "row"
    return "bullet" if _BULLET.match(text) else "prose"


def _option_lines(text: str, ranges: list[tuple[int, int]]) -> set[int]:
    """Indices of sentences that belong to a list of choices: neighbours labelled A, B, …"""
    letters: dict[int, str] = {}
    for index, (start, end) in enumerate(ranges):
        match = _OPTION.match(text, start, end)
        if match:
            letters[index] = match.group(1)
    return {
        index
        for index, letter in letters.items()
        if letters.get(index + 1) == chr(ord(letter) + 1) or letters.get(index - 1) == chr(ord(letter) - 1)
    }
