"""The method `paper`: all facts in one chat request, answered in free text with a tagged 1 or 0 per fact.

This is how Perception-R1 (arXiv 2506.07218) judges, asked in our own words. A fact without a readable tag is
missing, so the reward's denominator stays the stored facts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Scope, Verdict
from perception_reward.service.judges.openai import sanitise
from perception_reward.service.judges.openai.method import Call
from perception_reward.service.judges.openai.prompt import load_prompt
from perception_reward.service.judges.openai.reply import parse_reply
from perception_reward.trainer_client.wire import Fact

# The paper's limit, and what the tags of a long list need.
REPLY_TOKENS, REPLY_TOKENS_PER_FACT = 512, 24


class PaperMethod:
    """strict: take only what is exactly in the asked form (see `parse_reply`)."""

    name = "paper"
    scope: Scope = "response"
    most_facts: int | None = None

    def __init__(self, model: str, *, strict: bool = False) -> None:
        self._model = model
        self._strict = strict
        self._prompt = load_prompt("paper")

    @property
    def identity(self) -> dict[str, object]:
        return {"prompt": self._prompt.text, "sanitise": sanitise.VERSION, "strict": self._strict}

    def load(self) -> None:
        """Nothing to load: the server has the tokenizer."""

    def call(self, task: JudgeTask) -> Call:
        facts = (sanitise.inert(fact.text) for fact in task.facts)
        numbered = "\n".join(f"<info{n}>{text}</info{n}>" for n, text in enumerate(facts, start=1))
        request = {
            "model": self._model,
            "messages": self._prompt.messages({"facts": numbered, "response": sanitise.inert(task.response)}),
            "temperature": 0.0,
            "max_tokens": max(REPLY_TOKENS, REPLY_TOKENS_PER_FACT * len(task.facts)),
            # A judge that thinks first would spend its tokens before the first tag.
            "chat_template_kwargs": {"enable_thinking": False},
        }
        return Call("/v1/chat/completions", json.dumps(request).encode())

    def read(self, reply: object, facts: Sequence[Fact]) -> tuple[Outcome, ...]:
        values = parse_reply(_content(reply), len(facts), strict=self._strict)
        return tuple(Missing("judge_unparseable") if value is None else _verdict(value) for value in values)


def _verdict(value: float) -> Verdict:
    label = "stated" if value >= 0.5 else "absent"
    return Verdict(label, value, certainty=max(value, 1.0 - value))


def _content(reply: Any) -> str:
    try:
        return str(reply["choices"][0]["message"]["content"])
    except (LookupError, TypeError):
        return ""
