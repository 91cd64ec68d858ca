"""Probes as a model is taught them: the very tokens that it is asked when it judges, and the answer's one token.

    Prompts(method, evidence).of(probe)     # Prompt(tokens, answer), or None where no model would be asked
    rows(prompts, most=4096)                # prompts side by side behind the beginning that they share

Every prompt of `verdict` begins with the same instruction and examples, which are most of it. A row computes them once:
each prompt's rest sees the beginning and itself, at the positions that it has alone, so what is taught is the same. A
model whose attention takes no mask of its own is taught rows of one prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from perception_reward.service.audit.probes import Probe
from perception_reward.service.excerpt import WHOLE, excerpt
from perception_reward.service.judges.base import JudgeTask
from perception_reward.service.judges.llm.engine import Choice, Tokens
from perception_reward.service.judges.llm.evidence import Evidence
from perception_reward.service.judges.llm.verdict import VerdictMethod

# What a position without a label has.
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Prompt:
    """tokens: the whole of the prompt. answer: the token that is right behind it."""

    tokens: Tokens
    answer: int


class Row(TypedDict):
    """As the trainer takes it. seq_lengths: tokens of the beginning, then of each prompt's rest with its answer."""

    input_ids: list[int]
    labels: list[int]
    seq_lengths: list[int]


@dataclass(frozen=True, slots=True)
class Prompts:
    """method: loaded. cap, scope: what a judge is shown of a response (`observe`)."""

    method: VerdictMethod
    evidence: Evidence | None
    cap: int
    scope: str = WHOLE

    def of(self, probe: Probe) -> Prompt | None:
        """The prompt for a probe with a right verdict; None where the response has nothing to show for it."""
        part = excerpt(probe.response, self.scope)
        if part is None or probe.expected is None:
            return None
        task = JudgeTask(part.text[: self.cap], (probe.fact,))
        if self.evidence is not None:
            (shown,) = self.evidence.shown(task)
            if not shown.text:
                return None
            task = replace(task, response=shown.text)
        ask = self.method.render(task).ask
        assert isinstance(ask, Choice)
        return Prompt(ask.shared + ask.suffixes[0], self.method.answers.written[probe.expected])


def rows(prompts: Iterable[Prompt], most: int) -> Iterator[Row]:
    """Prompts in their order, as many together as fit into `most` tokens, but at least one; `most` 0: each alone."""
    waiting: list[Prompt] = []
    for prompt in prompts:
        if waiting and _size([*waiting, prompt]) > most:
            yield row(waiting)
            waiting = []
        waiting.append(prompt)
    if waiting:
        yield row(waiting)


def row(prompts: Sequence[Prompt]) -> Row:
    beginning = _beginning(prompts)
    ids, labels, lengths = list(beginning), [IGNORED] * len(beginning), [len(beginning)]
    for prompt in prompts:
        rest = prompt.tokens[len(beginning) :]
        ids += [*rest, prompt.answer]
        labels += [*[IGNORED] * len(rest), prompt.answer]
        lengths.append(len(rest) + 1)
    return Row(input_ids=ids, labels=labels, seq_lengths=lengths)


def _beginning(prompts: Sequence[Prompt]) -> Tokens:
    """What all share, but for a last token: the first one of a rest is predicted by nobody."""
    if len(prompts) == 1:
        return ()
    # What the first and the last in order share, all between them do.
    first, last = min(one.tokens for one in prompts), max(one.tokens for one in prompts)
    most = min(len(one.tokens) for one in prompts) - 1
    return first[: next((place for place in range(most) if first[place] != last[place]), most)]


def _size(prompts: Sequence[Prompt]) -> int:
    beginning = len(_beginning(prompts))
    return beginning + sum(len(one.tokens) - beginning + 1 for one in prompts)
