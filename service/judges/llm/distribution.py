"""Whether log-probabilities can be those of one next token, before anything is made of them.

possible({7: -0.1, 9: -3.0})                 # True: 0.90 and 0.05
possible({7: -0.1, 9: -0.2})                 # False: 0.90 and 0.82 are more than 1
believed([{7: -0.1}, {7: math.nan}], (7,))   # ({}, {}): a NaN spreads, so nothing beside it is believed
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from perception_reward.service.judges.llm.engine import LogProbs, Tokens

# The most that vLLM returns unless told otherwise; since 0.32 it returns exactly the answers' instead.
TOP_LOGPROBS = 20

# What stands for log-probabilities that are not believed.
NOTHING: LogProbs = {}

# Probabilities of disjoint events may exceed 1 by this: servers round, and compute in single precision.
SLACK = 0.01


def possible(logprobs: LogProbs) -> bool:
    """Whether all are logarithms of probabilities, which together are not more than 1."""
    values = logprobs.values()
    # Written so that a NaN fails.
    return all(value <= 0.0 for value in values) and math.fsum(map(math.exp, values)) <= 1.0 + SLACK


def telling(logprobs: LogProbs, answers: Tokens) -> bool:
    """Whether the likeliest of `answers` stays it whatever those have that are not in `logprobs`.

    A list of the likeliest tokens tells that what it lacks is less likely than what it has. A shorter one tells it
    only where too little is left.
    """
    if len(logprobs) >= TOP_LOGPROBS or all(answer in logprobs for answer in answers):
        return True
    shares = {token: math.exp(value) for token, value in logprobs.items()}
    likeliest = max((shares.get(answer, 0.0) for answer in answers), default=0.0)
    no_answers = math.fsum(share for token, share in shares.items() if token not in answers)
    # It is at least as likely as all other answers, and all that is left.
    return 2.0 * likeliest + no_answers >= 1.0 - 1e-9


def believed(found: Sequence[LogProbs], answers: Tokens) -> tuple[LogProbs, ...]:
    """`found`, with nothing in place of what cannot be, or does not tell which of `answers` is the likeliest."""
    if any(math.isnan(value) for each in found for value in each.values()):
        return (NOTHING,) * len(found)
    return tuple(each if _believable(each, answers) else NOTHING for each in found)


def _believable(logprobs: LogProbs, answers: Tokens) -> bool:
    of_answers = {answer: logprobs[answer] for answer in answers if answer in logprobs}
    return possible(of_answers) and telling(logprobs, answers)
