"""What a trainer sends in a step: bursts of responses in groups of eight, one problem a group, some said before.

It is made by number, so that the same burst can be made again, anywhere.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

GROUP = 8
BURST = 1024
# Of the responses, those that repeat another of their group to the letter.
REPEATED = 0.05
FACTS = 5

_THOUGHTS = (
    "Let me look at the figure again before anything is computed.",
    "The label next to the side is small, so it should be read with care.",
    "Nothing else is given, and what is drawn may not be to scale.",
    "That agrees with what the question asks for, so I go on from here.",
    "I could also use the law of cosines, but that takes longer.",
)


def burst(number: int, size: int = BURST) -> list[dict[str, Any]]:
    """`size` items. No two bursts share a problem, so whatever is cached was asked in the same one."""
    lot = random.Random(number)
    items: list[dict[str, Any]] = []
    for index in range(size):
        group = index // GROUP
        before = items[group * GROUP :]
        if before and lot.random() < REPEATED:
            items.append({**lot.choice(before), "id": f"{number}-{index}"})
        else:
            items.append(_item(number, group, index, lot))
    return items


def _item(number: int, group: int, index: int, lot: random.Random) -> dict[str, Any]:
    problem, answer = f"{number}-{group}", group + 3
    lengths = [lot.randrange(2, 60) for _ in range(FACTS)]
    facts = [
        {"id": f"f{n}", "text": f"In figure {problem} the segment {'ABCDE'[n]}P has length {group + n + 2}."}
        for n in range(FACTS)
    ]
    seen = [f"In figure {problem} the segment {'ABCDE'[n]}P has length {length}." for n, length in enumerate(lengths)]
    thought = " ".join(f"{sentence} {' '.join(lot.sample(_THOUGHTS, 3))}" for sentence in seen)
    said = answer if lot.random() < 0.6 else answer + 1
    return {
        "id": f"{number}-{index}",
        "group": problem,
        "facts": facts,
        "answer": f"{answer}*x + {number}",
        "response": f"<think>\nTry {index}. {thought}\n</think>\n<answer>\n\\boxed{{{number} + {said} x}}\n</answer>",
    }


def facts_of(items: Sequence[Mapping[str, Any]]) -> int:
    """How many distinct questions the items are: pairs of a fact and a response."""
    return len({(fact["text"], item["response"]) for item in items for fact in item["facts"]})
