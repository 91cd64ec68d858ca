"""A model's tokenizer in two parts: the chat template may hold control tokens, all other text cannot."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from perception_reward.service.judges.llm import template
from perception_reward.service.judges.llm.engine import Tokens
from perception_reward.service.judges.llm.prompt import Message, Prompt

# How vocabularies spell a space, and a line break.
_SPACES = " \t\r\nĠĊ▁"

# Seconds in which a model hub has to answer at all.
HUB_SECONDS = 5.0


class Vocabulary:
    """Loads the tokenizer `name`, a folder or a model hub's name.

    Raises ValueError, for people, when it cannot be loaded, has no chat template, or would turn plain text
    into control tokens.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tokenizer = _load(name)
        if not self._tokenizer.chat_template:
            raise ValueError(
                f"the tokenizer {name!r} has no chat template; judge with an instruction model, or set the judge's "
                "tokenizer to a folder with the model's tokenizer and a chat_template.jinja"
            )
        self._plain = _without_added_tokens(name, self._tokenizer)
        self._check_plain()

    def chat(self, prompt: Prompt, placeholders: Sequence[str]) -> list[Tokens]:
        """The rendered chat up to the assistant's answer, in the pieces between the `placeholders`.

        The prompt holds each of them once, in this order.
        """
        holes = {word: f"@@the-{word}@@" for word in placeholders}
        rest = self._templated(prompt.messages(holes))
        pieces: list[str] = []
        for hole in holes.values():
            if rest.count(hole) != 1:
                raise ValueError(
                    f"the chat template of {self.name!r} does not repeat the user's text once; "
                    "judge with another model, or give it another chat template"
                )
            piece, rest = rest.split(hole)
            pieces.append(piece)
        return [tuple(self._tokenizer.encode(piece, add_special_tokens=False)) for piece in [*pieces, rest]]

    def _templated(self, messages: list[Message]) -> str:
        try:
            return template.ask(self._tokenizer, messages)
        except ValueError as error:
            raise ValueError(
                f"the chat template of {self.name!r} does not take the judge's prompt ({error}); "
                "judge with another model, or give it another chat template"
            ) from error

    def plain(self, text: str) -> Tokens:
        """`text` as token ids, none of which is a control token, whatever the text."""
        return tuple(self._plain.encode(text, add_special_tokens=False).ids)

    def piece(self, token: int) -> str:
        """The token as the vocabulary spells it: printable ASCII stands for itself. Nothing for a control token."""
        return self._plain.id_to_token(token) or ""

    def single_tokens(self, words: Sequence[str]) -> Tokens:
        """The ids of those `words` that are one token."""
        encoded = (self.plain(word) for word in words)
        return tuple(sorted({ids[0] for ids in encoded if len(ids) == 1}))

    def beginnings(self, word: str, least: int) -> Tokens:
        """The tokens that `word` may begin with, at a line's start and after a space: it whole where that is one token,
        else as much of it as its first token holds, of at least `least` letters."""
        found = {self._plain.token_to_id(word)}
        for text in (word, " " + word):
            pieces = ((token, self._letters(token)) for token in self.plain(text))
            # Some vocabularies have a token for the space by itself.
            token, letters = next(((token, letters) for token, letters in pieces if letters), (None, ""))
            if word.startswith(letters) and len(letters) >= min(least, len(word)):
                found.add(token)
        return tuple(sorted(token for token in found if token is not None))

    def _letters(self, token: int) -> str:
        return self.piece(token).strip(_SPACES)

    def _check_plain(self) -> None:
        # Runs of spaces or line breaks, which some vocabularies have among the added tokens, control nothing.
        added = {
            number: str(token)
            for number, token in self._tokenizer.added_tokens_decoder.items()
            if str(token).strip(_SPACES)
        }
        for token in added.values():
            if not added.keys().isdisjoint(self.plain(token)):
                raise ValueError(
                    f"the tokenizer {self.name!r} turns the plain text {token!r} into a control token; "
                    "use another judge model"
                )


def _load(name: str) -> Any:
    # It advises to install PyTorch, which a tokenizer does not need.
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    # Importing transformers takes seconds, and only judges that are language models need it.
    from transformers import AutoTokenizer

    hub = None if Path(name).is_dir() else _unreachable_hub()
    try:
        # A hub that cannot be reached would be tried again and again, for minutes.
        return cast("Any", AutoTokenizer.from_pretrained(name, local_files_only=hub is not None))  # pyright: ignore[reportUnknownMemberType]
    except (OSError, ValueError) as error:
        why = f"it is not on this machine, and {hub} cannot be reached" if hub else str(error).partition("\n")[0]
        raise ValueError(
            f"the tokenizer {name!r} cannot be loaded: {why}; "
            "--judge-tokenizer names the folder, or the hub's name, of the served model's tokenizer"
        ) from error


def _unreachable_hub() -> str | None:
    """The address of the model hub if it does not answer, or must not be asked; None if it does."""
    from huggingface_hub import constants

    answers: list[bool] = []
    if not constants.HF_HUB_OFFLINE:
        # In a thread: looking a name up takes the time it takes, and keeps to no limit.
        asking = threading.Thread(target=lambda: answers.append(_answers(constants.ENDPOINT)), daemon=True)
        asking.start()
        asking.join(HUB_SECONDS)
    return None if answers == [True] else constants.ENDPOINT


def _answers(url: str) -> bool:
    try:
        with urlopen(Request(url, method="HEAD"), timeout=HUB_SECONDS):
            return True
    except HTTPError:
        return True
    except (OSError, ValueError):
        return False


def _without_added_tokens(name: str, tokenizer: Any) -> Any:
    from tokenizers import Tokenizer

    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"the tokenizer {name!r} is not of the fast kind (tokenizer.json); use one that is")
    # Leaving special tokens unparsed is not enough: added tokens such as <tool_call> are not marked special.
    layout = json.loads(backend.to_str())
    layout |= {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
    return Tokenizer.from_str(json.dumps(layout))
