"""The response as text: what the policy wrote, out of every form that a trainer may send it in."""

from __future__ import annotations

from perception_reward.trainer_client.wire import Response, policy_words


def response_text(response: Response) -> str:
    """The policy's words. Text parts are joined by newlines; images and the words of others are dropped."""
    return response if isinstance(response, str) else "\n".join(policy_words(response) or ())
