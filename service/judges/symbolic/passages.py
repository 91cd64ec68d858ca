"""A response as what is compared with a fact: its sentences, and the cells of its tables under their headings.

A response is read once for all its facts and indexed by its terms.
"""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice

from perception_reward.annotations.language.sentences import Document, Sentence
from perception_reward.service.judges.symbolic.terms import Key, Term, heard, terms

# The sentences and table cells that are read of a response.
MOST_PASSAGES = 16_000
# Terms of a heading, and of a row's name, that stand with each of their cells.
_HEADING = 12


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, or a table's cell with its headings, and its terms in order."""

    sentence: Sentence
    terms: tuple[Term, ...]

    def source(self, term: Term) -> tuple[int, int]:
        """The [start, end) range of the response behind a term."""
        return self.sentence.source(term.start, term.end)


class Passages:
    """A document's passages, to be made once for all its facts. truncated: there are more than are read."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @cached_property
    def _read(self) -> list[Passage]:
        return list(islice(_passages(self._document), MOST_PASSAGES + 1))

    @cached_property
    def all(self) -> list[Passage]:
        return self._read[:MOST_PASSAGES]

    @property
    def truncated(self) -> bool:
        return len(self._read) > MOST_PASSAGES

    @cached_property
    def places(self) -> MutableMapping[Key, dict[int, list[Term]]]:
        """By key: the passages that have it, in order, and where they do."""
        found: dict[Key, dict[int, list[Term]]] = defaultdict(lambda: defaultdict(list))
        for at, passage in enumerate(self.all):
            for term in passage.terms:
                found[term.key][at].append(term)
        return found

    def with_terms(self, changed: Mapping[int, Mapping[int, Term]]) -> Passages:
        """The same passages, with other terms in some: by passage, and by where the term stands that each replaces.

        Costs what these passages have, not what all have.
        """
        other = Passages(self._document)
        other._read = list(self._read)
        moved: dict[Key, dict[int, list[Term]]] = {}
        for at, new in changed.items():
            old = self.all[at].terms
            found = tuple(new.get(term.at, term) for term in old)
            for key in {term.key for term in old if term.at in new} | {term.key for term in new.values()}:
                moved.setdefault(key, {})[at] = [term for term in found if term.key == key]
            other._read[at] = replace(self.all[at], terms=found)
        places = {key: self.places.get(key, {}) | at_key for key, at_key in moved.items()}
        places = {key: {at: at_key[at] for at in sorted(at_key) if at_key[at]} for key, at_key in places.items()}
        other.places = ChainMap(places, self.places)
        return other


def _passages(document: Document) -> Iterator[Passage]:
    headings: list[tuple[str, int]] = []
    for sentence in document.sentences:
        cells = sentence.cells()
        if cells and headings:
            yield from (Passage(sentence, tuple(cell)) for cell in _cells(cells, headings))
        else:
            yield Passage(sentence, tuple(heard(sentence)))
            headings = cells


def _cells(cells: list[tuple[str, int]], headings: list[tuple[str, int]]) -> Iterator[Iterator[Term]]:
    """Each cell of a row but its first, behind its heading and the row's name."""
    (name, at), *rest = cells
    title = _placed(name, at, 0)
    for index, (cell, start) in enumerate(rest, 1):
        heading = _placed(headings[index][0], at, len(title)) if index < len(headings) else []
        ahead = len(title) + len(heading)
        moved = (
            replace(term, start=term.start + start, end=term.end + start, at=term.at + ahead) for term in terms(cell)
        )
        yield chain(title, heading, moved)


def _placed(text: str, place: int, ahead: int) -> list[Term]:
    """Terms that stand, one behind the other, where the row begins."""
    found = terms(text)[:_HEADING]
    return [replace(term, start=place, end=place, at=ahead + n) for n, term in enumerate(found)]
