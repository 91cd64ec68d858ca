"""A model's chat template, so that what comes next is the answer: no thought before it, and nothing of today in it.

    ask(tokenizer, messages)    # the text of the chat, up to where the model's answer begins

Templates differ in what they let happen before an answer. Qwen3's thinks unless told not to, QwQ's and DeepSeek-R1's
open a thought themselves, gpt-oss's first names a channel. The probabilities of Yes and No as the first word of a
thought say nothing, so the answer's turn is opened as far as the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, cast

from perception_reward.service.judges.llm.prompt import Message

# How templates call the switch, and a budget of 0 where there is one; what a template does not know it does not read.
WITHOUT_THOUGHT: Final = {"enable_thinking": False, "thinking": False, "thinking_budget": 0}
# Some templates tell the model what day it is: another prompt, and another fingerprint, every day and on every replica
# that was started on another.
DAY: Final = date(2024, 7, 26)
# A macro, since only data can be handed to a template.
_SET_DAY: Final = "{{%- macro strftime_now(form) -%}}{{{{ form{} }}}}{{%- endmacro -%}}".format(
    "".join(f"|replace('%{code}', '{DAY.strftime(f'%{code}')}')" for code in "YmdBbAaHMSyjIp")
)
# What opens a thought, and what closes it.
THOUGHTS: Final = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>", "<channel|>"),
)
_ANSWER: Final = "@@the-answer@@"


def ask(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The chat of `messages`, which ends with the user's turn, up to the first token of the answer.

    Instructions go before the user's first words where the template has no place for a system turn. Raises ValueError
    where it takes neither, with its own words.
    """
    chat = _taken(tokenizer, messages)
    asked = _rendered(tokenizer, chat, add_generation_prompt=True)
    opened = _before_an_answer(tokenizer, chat, asked)
    return _without_thought(asked if opened is None else opened, tokenizer.get_chat_template())


def _taken(tokenizer: Any, messages: Sequence[Message]) -> list[Message]:
    """The chat in the first form that the template shows whole."""
    refusal = ""
    for chat in _forms(messages):
        try:
            text = _rendered(tokenizer, chat, add_generation_prompt=True)
        except ValueError as error:
            refusal = refusal or str(error)
            continue
        # Some leave a system turn out without a word.
        if all(message["content"] in text for message in messages if message["role"] == "system"):
            return chat
    raise ValueError(refusal or "it leaves the instructions out")


def _forms(messages: Sequence[Message]) -> Iterator[list[Message]]:
    yield list(messages)
    if len(messages) > 1 and messages[0]["role"] == "system":
        first = f"{messages[0]['content']}\n\n{messages[1]['content']}"
        yield [{"role": "user", "content": first}, *messages[2:]]


def _before_an_answer(tokenizer: Any, chat: Sequence[Message], asked: str) -> str | None:
    """The chat up to an answer as the template writes one, where that goes on from `asked`: into the channel of
    answers, or behind an empty thought."""
    answered = [*chat, {"role": "assistant", "content": _ANSWER}]
    try:
        text = _rendered(tokenizer, answered, add_generation_prompt=False)
    except ValueError:
        return None
    before, found, _ = text.partition(_ANSWER)
    return before if found and before.startswith(asked) else None


def _without_thought(asked: str, template: str) -> str:
    for opening, closing in THOUGHTS:
        if asked.rfind(opening) > asked.rfind(closing):
            return f"{asked.rstrip()}\n\n{closing}\n\n"
    # Where a template leaves out earlier thoughts and has no switch for the next one, the model opens it itself.
    if "</think>" in template and "thinking" not in template and "</think>" not in asked:
        return f"{asked}<think>\n\n</think>\n\n"
    return asked


def _rendered(tokenizer: Any, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
    try:
        text = tokenizer.apply_chat_template(
            list(messages),
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            chat_template=_SET_DAY + tokenizer.get_chat_template(),
            **WITHOUT_THOUGHT,
        )
    except Exception as error:
        # A template is a program of somebody else's: it raises what it likes.
        raise ValueError(str(error)) from error
    return cast("str", text)
