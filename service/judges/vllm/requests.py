"""Asks as vLLM takes them, and what it answers as replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perception_reward.service.judges.llm.engine import LogProbs, Writing, Written
from perception_reward.service.judges.vllm import library


def one_token(answers: Sequence[int]) -> Any:
    """Sampling parameters for the next token, with the log-probabilities of `answers`."""
    return _greedy(1, answers, detokenize=False)


def text(writing: Writing) -> Any:
    """Sampling parameters for `writing`."""
    form: Any = None
    if writing.pattern is not None:
        form = library.module("sampling_params").StructuredOutputsParams(regex=writing.pattern)
    return _greedy(writing.most, writing.answers, structured_outputs=form)


def prompt(tokens: Sequence[int]) -> Any:
    return library.module("inputs.engine").tokens_input(list(tokens))


def chosen(output: Any, answers: Sequence[int]) -> LogProbs:
    """What the output says of `answers` as its first token; nothing where it says nothing."""
    steps = output.outputs[0].logprobs
    return _of(steps[0], answers) if steps else {}


def written(output: Any, answers: Sequence[int]) -> Written:
    best = output.outputs[0]
    if not answers or not best.logprobs:
        return Written(best.text)
    return Written(best.text, tuple(best.token_ids), tuple(_of(step, answers) for step in best.logprobs))


def _of(step: Any, answers: Sequence[int]) -> LogProbs:
    return {token: step[token].logprob for token in answers if token in step}


def _greedy(most: int, answers: Sequence[int], **more: object) -> Any:
    sampling = library.module("sampling_params")
    return sampling.SamplingParams(
        max_tokens=most,
        temperature=0.0,
        logprob_token_ids=list(answers) or None,
        output_kind=sampling.RequestOutputKind.FINAL_ONLY,
        **more,
    )
