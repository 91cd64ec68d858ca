"""The method `verdict`: one question per fact, answered by the probabilities of a single generated token.

The prompt is the response, which all questions share and the server's prefix cache pays for once, then one
fact. It is sent as token ids: text from the response becomes plain tokens, so nothing in it can end its turn,
and it stands inside a delimiter that it cannot close.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from typing import Any, get_args

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Scope, Verdict
from perception_reward.service.judges.openai import sanitise
from perception_reward.service.judges.openai.method import Call
from perception_reward.service.judges.openai.prompt import load_prompt
from perception_reward.service.judges.openai.vocabulary import Vocabulary
from perception_reward.trainer_client.wire import Fact, Label

logger = logging.getLogger(__name__)

# The words of prompts/verdict.txt, each of which must be one token, at a line's start or after a space.
ANSWERS: dict[Label, str] = {"stated": "Yes", "contradicted": "No", "absent": "Unknown"}

# Longer responses lose their middle: what was seen stands at the start, what came of it at the end.
MAX_RESPONSE_TOKENS = 8192

# Each fact repeats the prompt in the request's body, which so stays below some 2 MB.
MOST_FACTS = 32

# The most that vLLM returns unless told otherwise; since 0.32 it returns exactly the answers' instead.
TOP_LOGPROBS = 20

_RESPONSE_HOLE, _FACT_HOLE = "@@the-response@@", "@@the-fact@@"


class VerdictMethod:
    """tokenizer: where the served model's tokenizer and chat template are, if not under the model's name."""

    name = "verdict"
    scope: Scope = "fact"
    most_facts: int | None = MOST_FACTS

    def __init__(
        self, model: str, *, tokenizer: str | None = None, max_response_tokens: int = MAX_RESPONSE_TOKENS
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer or model
        self._max_response_tokens = max_response_tokens
        self._prompt = load_prompt("verdict")
        self._warned = False
        self._rendered: object = None

    @property
    def identity(self) -> dict[str, object]:
        return {
            "prompt": self._prompt.text,
            "answers": ANSWERS,
            "sanitise": sanitise.VERSION,
            "max_response_tokens": self._max_response_tokens,
            "rendered": self._rendered,
        }

    def load(self) -> None:
        """Read the tokenizer and render the prompt. Raises ValueError for a model that cannot be asked so."""
        self._vocabulary = Vocabulary(self._tokenizer)
        self._answers = {label: self._answer_tokens(word) for label, word in ANSWERS.items()}
        messages = self._prompt.messages({"response": _RESPONSE_HOLE, "fact": _FACT_HOLE})
        self._head, self._middle, self._tail = self._vocabulary.chat(messages, (_RESPONSE_HOLE, _FACT_HOLE))
        self._cut_mark = self._vocabulary.plain("\n[…]\n")
        # Another tokenizer or chat template asks another question under the same model's name.
        self._rendered = [self._head, self._middle, self._tail, self._cut_mark, self._answers]

    def call(self, task: JudgeTask) -> Call:
        response = self._cut(self._vocabulary.plain(sanitise.inert(task.response)))
        shared = _joined(self._head + response + self._middle)
        prompts = ",".join(f"[{shared},{_joined(self._question(fact))}]" for fact in task.facts)
        request = {
            "model": self._model,
            "max_tokens": 1,
            "temperature": 0.0,
            "logprobs": TOP_LOGPROBS,
            "logprob_token_ids": sorted(token for tokens in self._answers.values() for token in tokens),
            "return_tokens_as_token_ids": True,
        }
        # The ids are turned into text once per response; the body repeats that text for every fact.
        return Call("/v1/completions", f'{json.dumps(request)[:-1]}, "prompt": [{prompts}]}}'.encode())

    def read(self, reply: object, facts: Sequence[Fact]) -> tuple[Outcome, ...]:
        found = _logprobs(reply)
        return tuple(self._outcome(found.get(index, {})) for index in range(len(facts)))

    def _question(self, fact: Fact) -> list[int]:
        return self._vocabulary.plain(sanitise.inert(fact.text)) + self._tail

    def _outcome(self, logprobs: dict[str, float]) -> Outcome:
        weights = {
            label: math.fsum(math.exp(logprobs.get(f"token_id:{token}", -math.inf)) for token in tokens)
            for label, tokens in self._answers.items()
        }
        total = math.fsum(weights.values())
        if not total > 0:
            return Missing("judge_unparseable")
        label = max(get_args(Label), key=lambda answer: weights[answer])
        return Verdict(label, min(1.0, weights["stated"] / total), certainty=min(1.0, weights[label] / total))

    def _answer_tokens(self, word: str) -> list[int]:
        tokens = self._vocabulary.single_tokens((word, " " + word))
        if not tokens:
            raise ValueError(
                f"the vocabulary of {self._tokenizer!r} splits the answer {word!r} into several tokens; "
                "use another judge model, or the method `paper`"
            )
        return tokens

    def _cut(self, response: list[int]) -> list[int]:
        if len(response) <= self._max_response_tokens:
            return response
        if not self._warned:
            self._warned = True
            logger.warning("responses over %d tokens lose their middle here", self._max_response_tokens)
        half = self._max_response_tokens // 2
        return response[:half] + self._cut_mark + response[-half:]


def _joined(tokens: Sequence[int]) -> str:
    return ",".join(map(str, tokens))


def _logprobs(reply: Any) -> dict[int, dict[str, float]]:
    """By the prompt's index, the first generated token's alternatives; nothing for what cannot be read."""
    found: dict[int, dict[str, float]] = {}
    try:
        for choice in reply["choices"]:
            alternatives = choice["logprobs"]["top_logprobs"][0]
            found[int(choice["index"])] = {
                str(token): float(value) for token, value in alternatives.items() if float(value) <= 0.0
            }
    except (LookupError, TypeError, ValueError, AttributeError):
        pass
    return found
