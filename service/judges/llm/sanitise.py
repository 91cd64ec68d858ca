"""Text that cannot act on a prompt: what no reader sees is removed, what a model would obey is broken.

The policy is trained against the judge, so every response is an attempt to steer it. Wording is the prompt's
and the audit's business; here go the characters that no honest response needs.
"""

from __future__ import annotations

import re

# Part of every fingerprint: raise it with each change to what these functions return.
VERSION = 1

_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")

# Control and format characters, surrogates, variation selectors, fillers and tags: all that prints as
# nothing, or turns the direction of what follows.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# The prompts' own tags. The bound keeps a run of spaces from being read again and again.
_OWN_TAG = re.compile(r"<(?=[\s/]{0,16}(?:response|fact|info))", re.IGNORECASE)

# What some chat template may take for a control token: <|im_end|>, </s>, <｜User｜>, <start_of_turn>; [INST].
_ANGLE = re.compile(r"<(?=[|/<｜A-Za-z_])")
_SQUARE = re.compile(r"\[(?=/?[A-Z_]{3,32}\])")


def visible(text: str) -> str:
    """`text` without invisible characters, its line breaks all newlines."""
    return _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", text))


def inert(text: str) -> str:
    """`visible(text)`, with the prompts' tags and everything like a control token spelled differently.

    A comparison such as `a<b` stays one: it becomes `a< b`.
    """
    return _SQUARE.sub("[ ", _ANGLE.sub("< ", _OWN_TAG.sub("‹", visible(text))))
