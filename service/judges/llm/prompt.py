"""Prompts: text files beside the code, with sections for the chat's turns and `{placeholders}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_SECTION = re.compile(r"^\[(system|user|assistant)\]\n", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's text. Its sections `[system]`, `[user]` and `[assistant]` become the turns of a chat."""

    text: str

    def messages(self, values: Mapping[str, str]) -> list[Message]:
        """The chat, with each placeholder named in `values` filled in.

        All are filled in one pass: a value that contains `{facts}` stays as it is.
        """
        _, *sections = _SECTION.split(self.text)
        roles, contents = sections[::2], sections[1::2]
        return [
            {"role": role, "content": _fill(content.strip(), values)}
            for role, content in zip(roles, contents, strict=True)
        ]


def load_prompt(name: str) -> Prompt:
    """The prompt in `prompts/NAME.txt`."""
    folder = files("perception_reward.service.judges.llm") / "prompts"
    return Prompt((folder / f"{name}.txt").read_text(encoding="utf-8"))


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
