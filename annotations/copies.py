"""Copies of a problem's text: what a response can hold that has read the question and seen nothing.

| copy | of `AB=4y-10, BC=y. Find y.` with the options 5 and 7 and the answer B |
|---|---|
| `question` | as it stands |
| `options` | with the options, below it and in its line: `… A. 5`, `… (A) 5 (B) 7` |
| `filled` | with its unknowns' values and the answer: `… Segment AB has length 18. y = 7. So the answer is B. 7.` |
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from perception_reward.annotations.english import sentence
from perception_reward.annotations.filled import statements_filled, values_known
from perception_reward.annotations.model import Annotation
from perception_reward.trainer_client.reference import Choices, options_of, texts_of

_BLANK = re.compile(r"_{2,}|[(（][ \u3000]*[)）]")


@dataclass(frozen=True, slots=True)
class Copies:
    """A problem's copies; `filled` is None where the problem has no answer."""

    question: str
    options: tuple[str, ...]
    filled: str | None

    @property
    def beside_the_question(self) -> tuple[str, ...]:
        """All but the question itself."""
        return self.options if self.filled is None else (*self.options, self.filled)


def copies_of(annotation: Annotation) -> Copies | None:
    """The copies of an annotation's problem; None where it has no question."""
    question = (annotation.question or "").strip()
    if not question:
        return None
    options = dict(options_of(annotation.choices or ()))
    below, beside = "\n".join([question, *listed(annotation.choices)]), f"{question} {inline(annotation.choices)}"
    return Copies(question, (below, beside) if options else (), _filled(question, annotation, options))


def listed(choices: Choices | None) -> list[str]:
    """The options as a prompt lists them, a line each."""
    return [f"{label}. {text}" for label, text in options_of(choices or ())]


def inline(choices: Choices | None) -> str:
    """The options in one line: `(A) 5 (B) 7`."""
    return " ".join(f"({label}) {text}" for label, text in options_of(choices or ()))


def _filled(question: str, annotation: Annotation, options: dict[str, str]) -> str | None:
    if annotation.answer is None:
        return None
    answer = texts_of(annotation.answer)[0].strip()
    result = options.get(answer.strip("()."), answer)
    said = [sentence(statement) for statement in statements_filled(question, result)]
    said += [f"{letter} = {value}." for letter, value in values_known(question, result).items()]
    named = f"{answer}. {result}" if result != answer else answer
    return " ".join([_BLANK.sub(lambda _: result, question), *said, f"So the answer is {named}."])
