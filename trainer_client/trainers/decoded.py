"""Text as a tokenizer gave it back: special tokens still in it, and images as runs of placeholders."""

from __future__ import annotations

import re
import unicodedata

# Tokens that are no words wherever they stand: `<|im_end|>` and its kin, DeepSeek's with full-width bars, and what
# stands for an image or a turn in Qwen, InternVL, LLaVA and Gemma.
_IMAGE = (
    r"<\|(?:vision|image|video)[A-Za-z0-9_]{0,40}\|>|<IMG_CONTEXT>|</?img>|<image>|<video>"
    r"|<(?:start|end)_of_image>|<image_soft_token>"
)
_TOKEN = rf"<\|[A-Za-z0-9_]{{1,48}}\|>|<｜[^\s<>｜]{{1,48}}｜>|<(?:start|end)_of_turn>|{_IMAGE}"
# Tokens that could be words, HTML for one, where they do not stand at an end.
_END = r"</?s>|<(?:bos|eos|pad|unk)>|\[(?:PAD|EOS|BOS)\]"

_TOKENS = re.compile(f"(?:{_TOKEN})+")
_FIRST = re.compile(f"{_TOKEN}|{_END}")
_LAST = re.compile(rf"(?:{_TOKEN}|{_END})\Z")
# The longest token that the expressions above know.
_LONGEST = 64

# What a tokenizer and an image processor change in a prompt on its way through tokens: space, placeholders that
# become runs, and a first token that is put in front.
_ASIDE = re.compile(rf"\s+|{_IMAGE}|<s>|<bos>|<\|begin_of_text\|>")
# Characters by which the tail of a prompt is found in it, and the places that are tried.
_HEAD, _TRIES = 64, 100


class NotSeparable(ValueError):
    """The text does not begin with its prompt, so nobody can tell where the response begins."""


def plain(decoded: str) -> str:
    """The policy's words: no special token, neither at the ends nor within, where a space takes its place.

    A space, so that what stood on both sides never becomes one tag. Space at an end goes only with a token.
    """
    start, end = _start(decoded), _end(decoded)
    return _TOKENS.sub(" ", decoded[start : max(start, end)])


def _start(text: str) -> int:
    start, here = 0, _after_space(text, 0)
    while match := _FIRST.match(text, here):
        start = here = _after_space(text, match.end())
    return start


def _end(text: str) -> int:
    end, here = len(text), _before_space(text, len(text))
    while match := _LAST.search(text, max(0, here - _LONGEST), here):
        end = here = _before_space(text, match.start())
    return end


def _after_space(text: str, here: int) -> int:
    while here < len(text) and text[here].isspace():
        here += 1
    return here


def _before_space(text: str, here: int) -> int:
    while here and text[here - 1].isspace():
        here -= 1
    return here


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
