"""The method `verdict`: one question per fact, answered by the probabilities of a single token.

The prompt is the response, which all questions share and the engine's prefix cache pays for once, then one fact.
Text from the response becomes plain tokens, so nothing in it can end its turn, and it stands inside a delimiter
that it cannot close.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome
from perception_reward.service.judges.llm import answers, sanitise
from perception_reward.service.judges.llm.answers import Answers
from perception_reward.service.judges.llm.engine import Choice, Reply, Tokens, Written
from perception_reward.service.judges.llm.method import Rendered
from perception_reward.service.judges.llm.prompt import load_prompt
from perception_reward.service.judges.llm.response import CUT_MARK, MAX_RESPONSE_TOKENS, response_tokens
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.trainer_client.wire import Fact, Label

# The words of prompts/verdict.txt, which their first tokens must tell apart.
WORDS: dict[Label, str] = {"stated": "Yes", "contradicted": "No", "absent": "Unknown"}

# Languages that there is a prompt in. Responses and facts may be in any, and the answers stay the same words.
Language: TypeAlias = Literal["en", "zh"]

# Over HTTP each fact repeats the prompt in the request's body, which so stays below some 2 MB.
MOST_FACTS = 32


class VerdictMethod:
    """max_response_tokens: longer responses lose their middle. language: of the prompt."""

    name = "verdict"
    together = False
    most_facts: int | None = MOST_FACTS

    def __init__(self, *, max_response_tokens: int = MAX_RESPONSE_TOKENS, language: Language = "en") -> None:
        self._max_response_tokens = max_response_tokens
        self._prompt = load_prompt("verdict" if language == "en" else f"verdict_{language}")
        self._rendered: object = None

    @property
    def identity(self) -> dict[str, object]:
        return {
            "prompt": self._prompt.text,
            "answers": WORDS,
            "reading": answers.VERSION,
            "sanitise": sanitise.VERSION,
            "max_response_tokens": self._max_response_tokens,
            "cut_mark": CUT_MARK,
            "rendered": self._rendered,
        }

    def load(self, vocabulary: Vocabulary) -> None:
        """Render the prompt. Raises ValueError for a model that cannot be asked so."""
        self._vocabulary = vocabulary
        self.answers = Answers(vocabulary, WORDS)
        self._head, self._middle, self._tail = vocabulary.chat(self._prompt, ("response", "fact"))
        # Another tokenizer or chat template asks another question under the same model's name.
        self._rendered = [self._head, self._middle, self._tail, self.answers.by_label]

    def render(self, task: JudgeTask) -> Rendered:
        response, truncated = response_tokens(self._vocabulary, task.response, self._max_response_tokens)
        suffixes = tuple(self._question(fact) for fact in task.facts)
        return Rendered(Choice(self._head + response + self._middle, suffixes, self.answers.tokens), truncated)

    def read(self, reply: Reply, facts: Sequence[Fact]) -> tuple[Outcome, ...]:
        if isinstance(reply, Written) or len(reply) != len(facts):
            return (Missing("judge_unparseable"),) * len(facts)
        return tuple(self.answers.outcome(logprobs) for logprobs in reply)

    def _question(self, fact: Fact) -> Tokens:
        return self._vocabulary.plain(sanitise.inert(fact.claim)) + self._tail
