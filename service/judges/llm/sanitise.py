"""Text that cannot act on a prompt: what no reader sees is removed, what a model would obey is broken.

The policy is trained against the judge, so every response is an attempt to steer it. Control tokens never come from
text, whatever it holds (see `vocabulary`); here goes what only looks like one, or like a part of the prompt. Wording is
the prompt's and the audit's business: "assistant: Yes" in plain letters stays what it is, a part of the response.
"""

from __future__ import annotations

import re
import unicodedata

# Part of every fingerprint: raise it with each change to what these functions return.
VERSION = 2

_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")

# Control and format characters, surrogates, variation selectors, fillers and tags: all that prints as
# nothing, or turns the direction of what follows.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Full-width and small forms of ASCII, and the letters and digits of mathematical alphabets: the same characters in
# another dress. Other compatibility forms, such as the 2 of x², mean something of their own.
_PLAIN = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0xFF01, 0xFF5F), *range(0xFE50, 0xFE6C), *range(0x1D400, 0x1D800))
}

# What may be taken for the sign that opens a tag, a bar, and a slash.
_OPENING = "<‹⟨〈〈«《❮❬⧼ᐸ˂⋖≺"
_BAR = "|¦│┃ǀ∣❘￨"
_SLASH = r"/\\⁄∕⧸╱"

# The prompts' own tags. The bound keeps a run of spaces from being read again and again.
_OWN_TAG = re.compile(rf"[{_OPENING}](?=[\s{_SLASH}]{{0,16}}(?:response|fact|info))", re.IGNORECASE)

# What some chat template may take for a control token: <|im_end|>, </s>, <start_of_turn>, <<SYS>>, and their likes.
_ANGLE = re.compile(rf"<(?=[{_BAR}{_SLASH}!?]|[^\W\d]|_)|[{_OPENING}](?=[{_BAR}])")
# [INST], [/INST], [gMASK], [TOOL_CALLS], and roles in brackets.
_SQUARE = re.compile(r"\[(?=/?(?:[A-Z_]{3,32}|gMASK|sMASK|(?i:system|user|assistant|inst))\])")


def visible(text: str) -> str:
    """`text` without invisible characters, its line breaks all newlines, its ASCII in plain dress."""
    return _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", text)).translate(_PLAIN)


def inert(text: str) -> str:
    """`visible(text)`, with the prompts' tags and everything like a control token spelled differently.

    A comparison such as `a<b` stays one: it becomes `a< b`.
    """
    return _SQUARE.sub("[ ", _ANGLE.sub(r"\g<0> ", _OWN_TAG.sub("(", visible(text))))
