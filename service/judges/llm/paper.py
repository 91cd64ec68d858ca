"""The method `paper`: all facts in one chat, answered in free text with a tagged 1 or 0 per fact.

This is how Perception-R1 (arXiv 2506.07218) judges, asked in our own words. A fact without a readable tag is
missing, so the reward's denominator stays the stored facts.
"""

from __future__ import annotations

from collections.abc import Sequence

from perception_reward.service.judges.base import JudgeTask, Missing, Outcome, Verdict
from perception_reward.service.judges.llm import reply, sanitise
from perception_reward.service.judges.llm.engine import Reply, Writing, Written
from perception_reward.service.judges.llm.method import Rendered
from perception_reward.service.judges.llm.prompt import load_prompt
from perception_reward.service.judges.llm.reply import parse_reply
from perception_reward.service.judges.llm.response import CUT_MARK, MAX_RESPONSE_TOKENS, response_tokens
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.trainer_client.wire import Fact

# The paper's limit, and what the tags of a long list need.
REPLY_TOKENS, REPLY_TOKENS_PER_FACT = 512, 24


class PaperMethod:
    """strict: take only what is exactly in the asked form (see `parse_reply`)."""

    name = "paper"
    together = True
    most_facts: int | None = None

    def __init__(self, *, strict: bool = False, max_response_tokens: int = MAX_RESPONSE_TOKENS) -> None:
        self._strict = strict
        self._max_response_tokens = max_response_tokens
        self._prompt = load_prompt("paper")
        self._rendered: object = None

    @property
    def identity(self) -> dict[str, object]:
        return {
            "prompt": self._prompt.text,
            "sanitise": sanitise.VERSION,
            "reading": reply.VERSION,
            "strict": self._strict,
            "reply_tokens": [REPLY_TOKENS, REPLY_TOKENS_PER_FACT],
            "max_response_tokens": self._max_response_tokens,
            "cut_mark": CUT_MARK,
            "rendered": self._rendered,
        }

    def load(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._head, self._middle, self._tail = vocabulary.chat(self._prompt, ("facts", "response"))
        self._rendered = [self._head, self._middle, self._tail]

    def render(self, task: JudgeTask) -> Rendered:
        response, truncated = response_tokens(self._vocabulary, task.response, self._max_response_tokens)
        texts = (sanitise.inert(fact.claim) for fact in task.facts)
        facts = "\n".join(f"<info{n}>{text}</info{n}>" for n, text in enumerate(texts, start=1))
        prompt = self._head + self._vocabulary.plain(facts) + self._middle + response + self._tail
        most = max(REPLY_TOKENS, REPLY_TOKENS_PER_FACT * len(task.facts))
        return Rendered(Writing(prompt, most), truncated)

    def read(self, reply: Reply, facts: Sequence[Fact]) -> tuple[Outcome, ...]:
        text = reply.text if isinstance(reply, Written) else ""
        values = parse_reply(text, len(facts), strict=self._strict)
        return tuple(Missing("judge_unparseable") if value is None else _verdict(value) for value in values)


def _verdict(value: float) -> Verdict:
    label = "stated" if value >= 0.5 else "absent"
    return Verdict(label, value, certainty=max(value, 1.0 - value))
