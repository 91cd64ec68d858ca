"""The response as text: what the policy wrote, out of every form that a trainer may send it in, and out of the control
tokens that a chat template and a tokenizer have put around it."""

from __future__ import annotations

from perception_reward.trainer_client.tokens import own_words
from perception_reward.trainer_client.wire import POLICY_ROLES, Message, Response, policy_words


def response_text(response: Response) -> str:
    """The policy's words. Text parts are joined by newlines; images and the words of others are dropped."""
    return response if isinstance(response, str) else "\n".join(policy_words(response) or ())


def was_parsed(response: Response) -> bool:
    """Whether a parser took out the thought, which is then back whole, whatever of it stood in the prompt."""
    parts = () if isinstance(response, str) else response
    first = next((part for part in parts if isinstance(part, Message) and part.role in POLICY_ROLES), None)
    return first is not None and first.thought() is not None


def stripped(text: str) -> tuple[str, int]:
    """`text` without the control tokens at either end, and the character of `text` that it begins at."""
    start, end = own_words(text)
    return text[start:end], start
