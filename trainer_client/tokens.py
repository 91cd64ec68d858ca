"""Control tokens: what chat templates and tokenizers put around the words of a turn, and what a prompt has begun.

    own_words("<|im_start|>assistant\\n<think>…</answer><|im_end|>")   where the policy's words begin and end
    opened_thought("…<|im_end|>\\n<|im_start|>assistant\\n<think>\\n")  "<think>": the response begins inside a thought

Standard library only: the adapters look at prompts with it, and the service at prefixes and responses.
"""

from __future__ import annotations

import re
from typing import Literal

Opened = Literal["", "<think>", "<think></think>"]

IMAGE = (
    r"<\|(?:vision|image|video)[A-Za-z0-9_]{0,40}\|>|<IMG_CONTEXT>|</?img>|<image>|<video>"
    r"|<(?:start|end)_of_image>|<image_soft_token>"
)
"""What stands for an image or its place in Qwen, InternVL, LLaVA and Gemma, as a regular expression."""

# Families of tokens by what opens them, what stands within and what closes them: most templates', DeepSeek's with
# full-width bars, and EXAONE's.
_FAMILIES = (
    ("<|", r"[A-Za-z0-9_]{1,48}", "|>"),
    ("<｜", r"[^\s<>｜]{1,48}", "｜>"),
    ("[|", r"[A-Za-z0-9_]{1,48}", "|]"),
)
# Tokens of a form of their own: Llama 2 and Mistral, T5 and Gemma, and images.
_LITERALS = (
    *("<s>", "</s>", "[INST]", "[/INST]", "<bos>", "<eos>", "<pad>", "<unk>", "[BOS]", "[EOS]", "[PAD]"),
    *("<start_of_turn>", "<end_of_turn>", "<|turn>", "<turn|>", "<end_of_utterance>"),
    *("<IMG_CONTEXT>", "<img>", "</img>", "<image>", "<video>", "<start_of_image>", "<end_of_image>"),
    "<image_soft_token>",
)
_ROLE = "(?:assistant|model)"
# Characters that are looked at in one step, and tokens in one match: more takes more steps, and no more memory.
_WINDOW, _MOST = 4096, 500


def _token(*, mirrored: bool = False) -> str:
    def said(text: str) -> str:
        return re.escape(text[::-1] if mirrored else text)

    families = [family[::-1] if mirrored else family for family in _FAMILIES]
    kinds = [said(first) + within + said(last) for first, within, last in families]
    return f"(?:{'|'.join([*kinds, *map(said, _LITERALS)])})"


_TOKEN = _token()
# A role's name is a template's only where a token stands before it, and a line's end or another token behind.
_HEADER = rf"{_TOKEN}(?:{_ROLE}(?:[ \t]*\r?\n|(?=<[|｜])))?"
_FIRST = re.compile(rf"(?:\s*{_HEADER}){{1,{_MOST}}}\s*")
# Read from the end: what a `$` anchors is searched for from every place in the text.
_LAST = re.compile(rf"(?:\s*{_token(mirrored=True)}){{1,{_MOST}}}\s*")

_THINK = "<think>"
# What stands before a thought that a template has opened: nothing, a turn's header, or in a plain prompt a new line.
_TURN = re.compile(rf"(?:\A|{_TOKEN}(?:{_ROLE})?)\s*\Z")
_LINE = re.compile(r"\n\s*\Z")
_UNTHOUGHT = re.compile(rf"{_TOKEN}(?:{_ROLE})?\s*</think>\s*\Z")
_BEFORE = 128


def own_words(text: str) -> tuple[int, int]:
    """Where the policy's words begin and end in `text`: without the control tokens at either end, a turn's header
    (`<|im_start|>assistant` and its kin) among them, and the space around those.

    Space at an end goes only with a token, and a token within the words is left: it is what was written. Linear in
    the text's length.
    """
    start, end = 0, len(text)
    while found := _FIRST.match(text, start):
        start = found.end()
    while found := _LAST.match(text[max(start, end - _WINDOW) : end][::-1]):
        end -= found.end()
    return start, end


def opened_thought(prompt: str) -> Opened:
    """What a prompt, or the end of one, has already written of the response: nothing, `<think>`, or `<think></think>`.

    A thought is open where the prompt ends with `<think>`, or where a turn or the prompt itself begins with the tag and
    only the thought's beginning follows. Opened and closed again, as by templates that were told not to think, it
    counts at the beginning of a turn or a line; some write the closing tag alone there. A tag that a question or a
    system prompt mentions opens nothing: a turn's header stands behind it. Linear in the prompt's length.
    """
    _, end = own_words(prompt)
    if _UNTHOUGHT.search(prompt[max(0, end - _BEFORE) : end]):
        return "<think></think>"
    at = prompt.rfind(_THINK, 0, end)
    if at < 0:
        return ""
    before, thought = prompt[max(0, at - _BEFORE) : at], prompt[at + len(_THINK) : end].strip()
    in_turn = _TURN.search(before) is not None
    begins = in_turn or _LINE.search(before) is not None
    if not thought:
        return "<think>" if begins or end == len(prompt) else ""
    if thought == "</think>":
        return "<think></think>" if begins else ""
    prefilled = in_turn and "</think>" not in thought and re.search(_TOKEN, thought) is None
    return "<think>" if prefilled else ""
