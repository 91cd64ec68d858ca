"""Asking a vLLM server single questions with prompts of the benchmark's own, and keeping what it answered.

What was answered is kept as one JSON Lines file per model, prompt and evidence, so that an interrupted run goes on
where it stopped and every table is made offline.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import httpx
from labelled import Pair, rows

from perception_reward.service.judges.llm import sanitise
from perception_reward.service.judges.llm.prompt import Prompt
from perception_reward.service.judges.llm.selection import select
from perception_reward.service.judges.llm.verdict import WORDS
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.trainer_client.wire import Fact, Label

PROMPTS = Path(__file__).parent / "prompts"
Shown = Literal["whole", "selected"]

# By label, the probability among the three answers; None where nothing was asked because nothing bears on the fact.
Probabilities = dict[Label, float]

# Prompts in one request: enough for the engine to be busy, few enough that an interruption loses little.
_AT_ONCE = 8
# Said of a fact of which the evidence leaves nothing to ask about.
NOTHING: Probabilities = {"stated": 0.0, "contradicted": 0.0, "absent": 1.0}


class Asker:
    """Asks the model `model` at `url` (without `/v1`), whose tokenizer is the folder `tokenizer`."""

    def __init__(self, url: str, model: str, tokenizer: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=1200)
        self._model = model
        self._vocabulary = Vocabulary(tokenizer)
        self._answers = {label: self._vocabulary.single_tokens((word, " " + word)) for label, word in WORDS.items()}

    def ask(self, prompt: Prompt, questions: Sequence[tuple[str, str]]) -> list[Probabilities]:
        """One answer per (text, fact)."""
        head, middle, tail = self._vocabulary.chat(prompt, ("response", "fact"))
        asked = [(*head, *self._plain(text), *middle, *self._plain(fact), *tail) for text, fact in questions]
        body = {
            "model": self._model,
            "prompt": asked,
            "max_tokens": 1,
            "temperature": 0.0,
            "logprobs": 20,
            "logprob_token_ids": sorted(token for tokens in self._answers.values() for token in tokens),
            "return_tokens_as_token_ids": True,
        }
        reply = self._http.post("/v1/completions", json=body).raise_for_status().json()
        return [self._read(choice) for choice in sorted(reply["choices"], key=lambda choice: choice["index"])]

    def _plain(self, text: str) -> tuple[int, ...]:
        return self._vocabulary.plain(sanitise.inert(text))

    def _read(self, choice: dict[str, Any]) -> Probabilities:
        said: dict[str, float] = choice["logprobs"]["top_logprobs"][0]
        weights = {
            label: math.fsum(math.exp(said.get(f"token_id:{token}", -math.inf)) for token in tokens)
            for label, tokens in self._answers.items()
        }
        total = math.fsum(weights.values())
        return {label: weight / total for label, weight in weights.items()}


def collect(asker: Asker, name: str, shown: Shown, pairs: Iterable[Pair], kept: Path) -> None:
    """Ask about the pairs that `kept` lacks, with the prompt `name`, and add the answers to it."""
    known = answers(kept)
    waiting = [pair for pair in pairs if (pair.key, pair.fact) not in known]
    prompt = Prompt((PROMPTS / f"{name}.txt").read_text(encoding="utf-8"))
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as out:
        for batch in _batches(waiting):
            texts = [pair.response if shown == "whole" else evidence(pair) for pair in batch]
            questions = [(text, pair.fact) for text, pair in zip(texts, batch, strict=True) if text]
            said = iter(asker.ask(prompt, questions) if questions else ())
            for pair, text in zip(batch, texts, strict=True):
                out.write(json.dumps({"key": pair.key, "fact": pair.fact, **(next(said) if text else NOTHING)}) + "\n")
            out.flush()


def answers(kept: Path) -> dict[tuple[str, str], Probabilities]:
    """What was answered, by response and fact."""
    if not kept.is_file():
        return {}
    return {(row["key"], row["fact"]): {label: row[label] for label in NOTHING} for row in rows(kept)}


def evidence(pair: Pair) -> str:
    return select(pair.response, Fact(id="f", text=pair.fact))


def _batches(pairs: Sequence[Pair]) -> Iterator[Sequence[Pair]]:
    for at in range(0, len(pairs), _AT_ONCE):
        yield pairs[at : at + _AT_ONCE]
