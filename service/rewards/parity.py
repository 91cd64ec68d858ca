"""The arithmetic of Perception-R1's public code, quirks included, for those who reproduce the paper.

Source: github.com/tongxiao2002/Perception-R1, commit c47eaf2: `verl/utils/reward_score/boxed_math_verify.py`,
`math_with_visual.py` and `verl/workers/reward/custom.py`: its boxed and its perception-tag score functions.
(The `r1v` and `math` ones grade with mathruler and are not reproduced.) Where that code searches with regular
expressions that take quadratic time or worse on hostile text, this module finds the same in linear time.

Three differences are on purpose: rewards stay float64 (there they become float32), a judge request that failed is
missing (there the exception ends the whole batch), and so is an accuracy that takes too long (there it is 0 after
5 seconds, which depends on how busy the machine is). README.md lists the quirks, with examples.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

from perception_reward.service.judges.base import Missing, Outcome, Verdict
from perception_reward.service.rewards.repetition import MAXIMUM, SIZE, count_ngrams

_BOX = "\\boxed{"
_tag = re.compile(r"<(/?)info([1-9][0-9]*)>")


def parity_format(response: str) -> float:
    """1.0 for a think and an answer block, with line breaks in the set places and a box, else 0.0.

    Quirks: no other white space will do; further blocks and text may hide inside the two; a box needs one
    character and the next closing brace.
    """
    return _matches(response, "<think>\n", "\n</think>\n<answer>\n")


def parity_perception_format(response: str) -> float:
    """The same with a `<perception>` block in front."""
    return _matches(response, "<perception>\n", "\n</perception>\n<think>\n", "\n</think>\n<answer>\n")


def _matches(response: str, opening: str, *joints: str) -> float:
    """Whether joints, box and brace follow one another; taking each at its first place leaves most room."""
    ending = "\n</answer>"
    if not (response.startswith(opening) and response.endswith(ending)):
        return 0.0
    last = len(response) - len(ending)
    position = len(opening)
    for piece in (*joints, _BOX):
        found = response.find(piece, position, last)
        if found < 0:
            return 0.0
        position = found + len(piece)
    return float(response.find("}", position + 1, last) >= 0)


def parity_accuracy(response: str, reference: str) -> float:
    """1.0 if math-verify finds the reference in the answer; 0.0 if not, or if it fails.

    Quirk: an answer block that spans lines is not seen; the whole response is parsed instead, with its thoughts.

    May hang on hostile answers: run it in a `WorkerPool`. math-verify's own time-outs are off, because their alarm
    would take the place of the worker's, which also ends what hangs in C.
    """
    # Here, because nobody else needs them and they take half a second to be imported.
    from math_verify import verify  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    from perception_reward.service.rewards.parity_search import parse

    try:
        truth = cast(Any, parse(reference.strip()))
        answer = cast(Any, parse(_one_line_answer(response).strip()))
        return float(verify(truth, answer, timeout_seconds=None))
    except Exception:  # whatever goes wrong there counts as a wrong answer
        return 0.0


def _one_line_answer(response: str) -> str:
    """The first answer block that opens and closes within one line; without one, the whole response."""
    for line in response.split("\n"):
        _, opened, rest = line.partition("<answer>")
        answer, closed, _ = rest.partition("</answer>")
        if opened and closed:
            return answer
    return response


def parity_repetition(response: str, size: int = SIZE, maximum: float = MAXIMUM) -> float:
    """The n-gram penalty over what stands between white space. `ZeroDivisionError` for a size below 1."""
    words = response.lower().split()
    if not words or len(words) < size:
        return 0.0
    distinct, total = count_ngrams(words, size)
    return (1 - distinct / total) * maximum


def parse_judge_reply(text: object) -> list[float]:
    """The scores of `<info1>…</info1>`, `<info2>…</info2>`, … in a judge's reply, each in [0, 1].

    Quirks: the first tag that is missing ends the list; of several the last counts; what is no number counts
    0, and `nan` counts 1. Anything but text has no scores.
    """
    if not isinstance(text, str):
        return []
    openings: defaultdict[str, list[int]] = defaultdict(list)
    closings: defaultdict[str, list[int]] = defaultdict(list)
    for match in _tag.finditer(text):
        slash, number = match.groups()
        (closings if slash else openings)[number].append(match.start() if slash else match.end())
    scores: list[float] = []
    while (content := _last_content(text, openings[key := str(len(scores) + 1)], closings[key])) is not None:
        scores.append(_clamped(content))
    return scores


def _last_content(text: str, opened: Sequence[int], closed: Sequence[int]) -> str | None:
    """What follows the last opening tag that has at least one character before a closing tag."""
    if not closed:
        return None
    last = bisect_right(opened, closed[-1] - 1)
    if last == 0:
        return None
    start = opened[last - 1]
    return text[start : closed[bisect_left(closed, start + 1)]]


def _clamped(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        return 0.0
    return 1.0 if score != score else max(0.0, min(1.0, score))


def parity_visual(scores: Sequence[float]) -> float:
    """The mean of the scores that were printed, a millionth of a fact short of it; 0 without scores."""
    return sum(scores) / (len(scores) + 1e-6)


def parity_from_outcomes(outcomes: Sequence[Outcome]) -> float | Missing | None:
    """`parity_visual` of what a judge decided about a response's present facts, in order; None without facts.

    As a list that a missing tag ends: outcomes count up to the first `judge_unparseable`. Any other missing
    outcome makes the whole missing.
    """
    if not outcomes:
        return None
    scores: list[float] = []
    ended = False
    for outcome in outcomes:
        if isinstance(outcome, Verdict):
            if not ended:
                scores.append(outcome.probability)
        elif outcome.reason == "judge_unparseable":
            ended = True
        else:
            return outcome
    return parity_visual(scores)
