"""Prompt and response as a tokenizer gave them back, in one piece: images are runs of placeholders there."""

from __future__ import annotations

import re
import unicodedata

from perception_reward.trainer_client.tokens import IMAGE

# What a tokenizer and an image processor change in a prompt on its way through tokens: space, placeholders that
# become runs, and a first token that is put in front.
_ASIDE = re.compile(rf"\s+|{IMAGE}|<s>|<bos>|<\|begin_of_text\|>")
# Characters by which the tail of a prompt is found in it, and the places that are tried.
_HEAD, _TRIES = 64, 100


class NotSeparable(ValueError):
    """The text does not begin with its prompt, so nobody can tell where the response begins."""


def response_after(prompt: str, query: str) -> str:
    """What follows `prompt` in `query`, which is prompt and response, decoded in one piece.

    The cut is where the whole prompt ends, counted from the beginning: nothing is looked for in the response, so
    that nothing in it can move the cut. Set aside are space and image placeholders, which decoding changes. A query
    whose prompt was cut from the left, to fit the model, begins with the prompt's tail; the longest one counts.
    Raises `NotSeparable`.
    """
    if query.startswith(prompt):
        return query[len(prompt) :]
    # Qwen's tokenizers, among others, compose characters.
    for form in dict.fromkeys((prompt, unicodedata.normalize("NFC", prompt))):
        wanted = _ASIDE.sub("", form)
        end = _where_it_ends(wanted, query)
        if end is None:
            end = _where_a_tail_ends(wanted, query)
        if end is not None:
            return query[end:].removeprefix(form[len(form.rstrip()) :])
    raise NotSeparable("the query does not begin with its prompt, so its response cannot be told from it")


def _where_it_ends(wanted: str, query: str) -> int | None:
    """The end of `wanted` in `query`, whose beginning it is but for what is set aside; None where it is not."""
    found = here = 0
    for aside in _ASIDE.finditer(query):
        taken = min(aside.start() - here, len(wanted) - found)
        if not wanted.startswith(query[here : here + taken], found):
            return None
        found += taken
        if found == len(wanted):
            return here + taken
        here = aside.end()
    end = here + len(wanted) - found
    return end if query[here:end] == wanted[found:] else None


def _where_a_tail_ends(wanted: str, query: str) -> int | None:
    head = _ASIDE.sub("", query)[:_HEAD]
    if len(head) < _HEAD:
        return None
    at = -1
    for _ in range(_TRIES):
        at = wanted.find(head, at + 1)
        if at < 0:
            return None
        end = _where_it_ends(wanted[at:], query)
        if end is not None:
            return end
    return None
