"""A model's tokenizer in two parts: the chat template may hold control tokens, all other text cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from perception_reward.service.judges.openai.prompt import Message


class Vocabulary:
    """Loads the tokenizer `name`, a folder or a model hub's name.

    Raises ValueError, for people, when it cannot be loaded, has no chat template, or would turn plain text
    into control tokens.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tokenizer = _load(name)
        if not self._tokenizer.chat_template:
            raise ValueError(f"the tokenizer {name!r} has no chat template; judge with an instruction model")
        self._plain = _without_added_tokens(name, self._tokenizer)
        self._check_plain()

    def chat(self, messages: Sequence[Message], holes: Sequence[str]) -> list[list[int]]:
        """The rendered chat up to the assistant's turn, as token ids, in the pieces between the `holes`.

        The holes are marker texts, each of which the chat holds once, in this order.
        """
        rest: str = self._tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        pieces: list[str] = []
        for hole in holes:
            if rest.count(hole) != 1:
                raise ValueError(f"the chat template of {self._name!r} does not repeat the user's text once")
            piece, rest = rest.split(hole)
            pieces.append(piece)
        return [self._tokenizer.encode(piece, add_special_tokens=False) for piece in [*pieces, rest]]

    def plain(self, text: str) -> list[int]:
        """`text` as token ids, none of which is a control token, whatever the text."""
        return self._plain.encode(text, add_special_tokens=False).ids

    def single_tokens(self, words: Sequence[str]) -> list[int]:
        """The ids of those `words` that are one token."""
        encoded = (self.plain(word) for word in words)
        return sorted({ids[0] for ids in encoded if len(ids) == 1})

    def _check_plain(self) -> None:
        control = set(self._tokenizer.added_tokens_decoder)
        for token in self._tokenizer.added_tokens_decoder.values():
            if control.intersection(self.plain(str(token))):
                raise ValueError(
                    f"the tokenizer {self._name!r} turns the plain text {str(token)!r} into a control token; "
                    "use another judge model, or the method `paper`"
                )


def _load(name: str) -> Any:
    # Importing transformers takes seconds, and only this method needs it.
    from transformers import AutoTokenizer

    try:
        return cast("Any", AutoTokenizer.from_pretrained(name))  # pyright: ignore[reportUnknownMemberType]
    except (OSError, ValueError) as error:
        raise ValueError(
            f"the tokenizer {name!r} cannot be loaded: {error}; "
            "set the judge's tokenizer to the folder or name of the served model"
        ) from error


def _without_added_tokens(name: str, tokenizer: Any) -> Any:
    from tokenizers import Tokenizer

    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"the tokenizer {name!r} is not of the fast kind (tokenizer.json); use one that is")
    # Leaving special tokens unparsed is not enough: added tokens such as <tool_call> are not marked special.
    layout = json.loads(backend.to_str())
    layout |= {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
    return Tokenizer.from_str(json.dumps(layout))
