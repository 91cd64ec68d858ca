"""A completion as text, out of every form in which a trainer hands it over, and what its prompt had written of it.
Images never leave the trainer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from perception_reward.trainer_client.tokens import opened_thought
from perception_reward.trainer_client.wire import THOUGHTS, thought_of

# Blocks whose text is the policy's. Others are images, audio, and the calls and results of tools.
_TEXT_BLOCKS = frozenset({"text", "output_text"})
_POLICY_ROLES = frozenset({"assistant", "model", "gpt"})


def said(completion: object, prompt: object = None) -> dict[str, str]:
    """The fields `response` and, where that is known, `prefix` of the completion's item.

    prompt: as the policy saw it, with its template; anything but text tells nothing, and the client's option `prefix`
    counts. Reasoning that a parser took out has been put back whole, whatever of it stood in the prompt.
    """
    fields = {"response": text_of(completion)}
    if _was_parsed(completion):
        return {**fields, "prefix": ""}
    opened = opened_thought(prompt) if isinstance(prompt, str) else ""
    return {**fields, "prefix": opened} if opened else fields


def text_of(completion: object) -> str:
    """What the policy wrote: a string as it is, otherwise the text of messages or content blocks, joined by newlines.

    Messages are mappings, or objects with `role` and `content`; those of other roles than the policy's (a tool's
    answer in a conversation of several turns) are left out, and reasoning that a parser took out is back in its tags.
    Raises `TypeError` for what is none of these.
    """
    return completion if isinstance(completion, str) else "\n".join(_texts(completion))


def _texts(part: Any) -> Iterator[str]:
    if part is None:
        return
    if isinstance(part, str):
        yield part
    elif _has(part, "role"):
        if _get(part, "role") in _POLICY_ROLES:
            if (thought := _thought(part)) is not None:
                yield thought
            yield from _texts(_get(part, "content"))
    elif _has(part, "type"):
        if _get(part, "type") in _TEXT_BLOCKS:
            yield from _texts(_get(part, "text"))
    elif _has(part, "content"):
        yield from _texts(_get(part, "content"))
    elif _has(part, "text"):
        yield from _texts(_get(part, "text"))
    # Last: the messages of some libraries can be iterated over as well.
    elif _is_list(part):
        for inner in part:
            yield from _texts(inner)
    else:
        raise TypeError(f"a completion is a string, messages or content blocks; {type(part).__name__} is none of them")


def _thought(message: Any) -> str | None:
    return thought_of([_get(message, name) for name in THOUGHTS])


def _was_parsed(completion: Any) -> bool:
    """Whether the first of the policy's messages holds its thought apart."""
    listed = _is_list(completion) and not isinstance(completion, str) and not _has(completion, "role")
    messages: Iterable[Any] = completion if listed else [completion]
    first = next((message for message in messages if _get(message, "role") in _POLICY_ROLES), None)
    return first is not None and _thought(first) is not None


def _is_list(part: Any) -> bool:
    return isinstance(part, Iterable) and not isinstance(part, (Mapping, bytes))


def _has(part: Any, name: str) -> bool:
    return name in part if isinstance(part, Mapping) else hasattr(part, name)


def _get(part: Any, name: str) -> Any:
    return cast("Mapping[str, Any]", part).get(name) if isinstance(part, Mapping) else getattr(part, name, None)
