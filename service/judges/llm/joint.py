"""The method `joint`: all facts in one chat, answered in one forced form: a numbered line and one word per fact.

The form is a regular expression that the engine writes by, so that every fact gets an answer. How likely each answer
was is read from the log-probabilities behind the colon, where the word begins: there too where the word was then
written letter by letter. A verdict depends on the facts around its own, and on the answers written before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.llm import answers, sanitise
from perception_reward.service.judges.llm.answers import Answers
from perception_reward.service.judges.llm.engine import LogProbs, Reply, Writing, Written
from perception_reward.service.judges.llm.method import Rendered
from perception_reward.service.judges.llm.prompt import load_prompt
from perception_reward.service.judges.llm.response import CUT_MARK, MAX_RESPONSE_TOKENS, response_tokens
from perception_reward.service.judges.llm.verdict import WORDS
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.trainer_client.wire import Fact, Label

# Part of the fingerprint: raise it with each change to what is read from the same reply.
VERSION = 1

# A line of the reply takes 5 in most vocabularies; one that writes a word letter by letter needs more.
TOKENS_PER_LINE = 16

_LABELS: dict[str, Label] = {word: label for label, word in WORDS.items()}
_LINE = re.compile(r"^([0-9]{1,5}): (" + "|".join(_LABELS) + ")$", re.MULTILINE)


class JointMethod:
    """max_response_tokens: longer responses lose their middle."""

    name = "joint"
    together = True
    most_facts: int | None = None

    def __init__(self, *, max_response_tokens: int = MAX_RESPONSE_TOKENS) -> None:
        self._max_response_tokens = max_response_tokens
        self._prompt = load_prompt("joint")
        self._rendered: object = None

    @property
    def identity(self) -> dict[str, object]:
        return {
            "prompt": self._prompt.text,
            "answers": WORDS,
            "reading": [answers.VERSION, VERSION],
            "tokens_per_line": TOKENS_PER_LINE,
            "pattern": pattern(1),
            "sanitise": sanitise.VERSION,
            "max_response_tokens": self._max_response_tokens,
            "cut_mark": CUT_MARK,
            "rendered": self._rendered,
        }

    def load(self, vocabulary: Vocabulary) -> None:
        """Render the prompt. Raises ValueError for a model that cannot be asked so."""
        self._vocabulary = vocabulary
        self.answers = Answers(vocabulary, WORDS)
        self._head, self._middle, self._tail = vocabulary.chat(self._prompt, ("response", "facts"))
        self._rendered = [self._head, self._middle, self._tail, self.answers.by_label]

    def render(self, task: JudgeTask) -> Rendered:
        response, truncated = response_tokens(self._vocabulary, task.response, self._max_response_tokens)
        texts = (" ".join(sanitise.inert(fact.claim).split()) for fact in task.facts)
        facts = "\n".join(f"{number}: {text}" for number, text in enumerate(texts, start=1))
        prompt = self._head + response + self._middle + self._vocabulary.plain(facts) + self._tail
        count = len(task.facts)
        return Rendered(Writing(prompt, TOKENS_PER_LINE * count, pattern(count), self.answers.tokens), truncated)

    def read(self, reply: Reply, facts: Sequence[Fact]) -> tuple[Outcome, ...]:
        """Where there are no log-probabilities that fit the text, a written answer counts as certain."""
        if not isinstance(reply, Written):
            return (Missing("judge_unparseable"),) * len(facts)
        labels = _labels(reply.text)
        written = [_written(labels.get(number)) for number in range(1, len(facts) + 1)]
        steps = self._steps(reply)
        if len(steps) != len(facts) or not all(isinstance(outcome, Verdict) for outcome in written):
            return tuple(written)
        weighed = map(self.answers.outcome, steps)
        return tuple(
            outcome if isinstance(outcome, Verdict) else word for outcome, word in zip(weighed, written, strict=True)
        )

    def _steps(self, written: Written) -> list[LogProbs]:
        """The log-probabilities of each token behind a colon, of which the form has one per line."""
        colons = (":" in self._vocabulary.piece(token) for token in written.tokens)
        return [step for colon, step in zip(colons, written.logprobs[1:], strict=False) if colon]


def pattern(count: int) -> str:
    """The regular expression of a reply about `count` facts."""
    words = "|".join(WORDS.values())
    return r"\n".join(f"{number}: ({words})" for number in range(1, count + 1))


def _labels(text: str) -> dict[int, Label]:
    """By number, the answer of the last line that has it: a model that thinks aloud ends with its decision."""
    return {int(number): _LABELS[word] for number, word in _LINE.findall(text)}


def _written(label: Label | None) -> Outcome:
    if label is None:
        return Missing("judge_unparseable")
    return Verdict(label, float(label == "stated"), contradiction=float(label == "contradicted"))
