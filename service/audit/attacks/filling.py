"""A catalogue's text with what a fact puts into it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from functools import cached_property

from perception_reward.annotations.copies import copies_of, inline, listed
from perception_reward.service.audit.alternatives import altered, other_values
from perception_reward.service.audit.falsehoods import contradiction, misplaced
from perception_reward.service.audit.statements import VALUED, Statement
from perception_reward.service.audit.subjects import Subject
from perception_reward.service.audit.wordings import any_wording, capital, says
from perception_reward.trainer_client.reference import options_of

_SLOT = re.compile(
    r"\{(fact|n|statement|Statement|other|another|listing|misplaced|opposite|question|filled|options|inline|guess"
    r"|element|measure|value|near|elsewhere|cut)\}"
)
# What a fact of a kind is about, and what its value is.
_ELEMENTS = {
    "length": ("segment", "length"),
    "angle": ("angle", "degrees"),
    "arc": ("arc", "degrees"),
    "radius": ("circle", "radius"),
    "label": ("angle", "label"),
}
# Values in a listing: as many as a policy that tries its luck would print.
LISTED = 20


@dataclass
class Filling:
    """What a fact puts into texts: drawn once, so that one text speaks of one statement throughout."""

    subject: Subject
    rng: random.Random

    def fill(self, text: str) -> str | None:
        """The text with its placeholders replaced in one pass; None where the fact has nothing to put there."""
        values = {name: self._value(name) for name in _SLOT.findall(text)}
        if None in values.values():
            return None
        return _SLOT.sub(lambda slot: values[slot[1]] or "", text)

    def _value(self, name: str) -> str | None:
        match name:
            case "fact":
                return self.subject.fact.text
            case "n":
                return str(self.subject.place + 1)
            case "statement":
                return self._statement
            case "Statement":
                return capital(self._statement)
            case "other" | "another":
                at = name == "another"
                return self._others[at] if len(self._others) > at else None
            case "opposite":
                return self._opposite
            case "misplaced":
                elsewhere = misplaced(self.subject, self.rng)
                return _clause(elsewhere, self.rng) if elsewhere else None
            case "listing":
                return self._listing
            case "cut":
                words = self._statement.split()
                return " ".join(words[: len(words) // 2]) or None
            case "element" | "measure" | "value" | "near" | "elsewhere":
                return self._entry(name)
            case _:
                return self._copied(name)

    def _copied(self, name: str) -> str | None:
        """What the problem's text holds; None where it has no such part."""
        copies, choices = copies_of(self.subject.annotation), self.subject.annotation.choices
        match name:
            case "question":
                return copies.question if copies else None
            case "filled":
                return copies.filled if copies else None
            case "options":
                return "\n".join(listed(choices)) or None
            case "inline":
                return inline(choices) or None
            case _:
                return self._guess

    def _entry(self, name: str) -> str | None:
        """What a table holds of the fact; None where it has no value, or no other would do."""
        statement, elsewhere = self.subject.statement, self._elsewhere
        if statement.kind not in VALUED or elsewhere is None or not self._values:
            return None
        noun, measure = _ELEMENTS[statement.kind]
        return {
            "element": f"{noun} {''.join(statement.names[0])}",
            "elsewhere": f"{noun} {''.join(elsewhere.names[0])}",
            "measure": measure,
            "value": statement.value,
            "near": self._values[0],
        }[name]

    @cached_property
    def _elsewhere(self) -> Statement | None:
        return misplaced(self.subject, self.rng)

    @cached_property
    def _guess(self) -> str:
        options = [text for _, text in options_of(self.subject.annotation.choices or ())]
        return self.rng.choice(options or [str(self.rng.randint(2, 99))])

    @cached_property
    def _statement(self) -> str:
        return _clause(self.subject.statement, self.rng)

    @cached_property
    def _others(self) -> list[str]:
        statement = self.subject.statement
        if statement.kind in VALUED:
            return [_clause(replace(statement, value=value), self.rng) for value in self._values[:2]]
        if statement.kind != "other":
            return []
        clauses = dict.fromkeys(altered(statement.clause, self.rng) for _ in range(4))
        return [clause for clause in clauses if clause]

    @cached_property
    def _values(self) -> list[str]:
        return other_values(self.subject.statement, self.rng)

    @cached_property
    def _opposite(self) -> str | None:
        return contradiction(self.subject, self.rng)

    @property
    def _listing(self) -> str | None:
        """Sentences of one wording, for the right value and many others."""
        statement = self.subject.statement
        if statement.kind not in VALUED or not self._values:
            return None
        values = [statement.value, *self._values[: LISTED - 1]]
        self.rng.shuffle(values)
        notation = self.rng.choice(("words", "unicode", "latex"))
        at = self.rng.randrange(len(says(statement, notation)))
        return " ".join(f"{capital(says(replace(statement, value=value), notation)[at])}." for value in values)


def _clause(statement: Statement, rng: random.Random) -> str:
    """A wording that fits into other sentences: of a fact of kind `other` its own words, without a frame."""
    return statement.clause if statement.kind == "other" else any_wording(statement, rng)
