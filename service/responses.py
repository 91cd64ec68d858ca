"""The response as text: what the policy wrote, out of every form that a trainer may send it in."""

from __future__ import annotations

from perception_reward.trainer_client.wire import ContentBlock, Message, Response


def response_text(response: Response) -> str:
    """The policy's words. Text parts are joined by newlines; images and the words of others are dropped."""
    if isinstance(response, str):
        return response
    return "\n".join(part for piece in response for part in _parts(piece))


def _parts(piece: Message | ContentBlock | str) -> list[str]:
    if isinstance(piece, str):
        return [piece]
    if isinstance(piece, ContentBlock):
        return [piece.text] if piece.type == "text" and piece.text is not None else []
    if piece.role not in (None, "assistant") or piece.content is None:
        return []
    if isinstance(piece.content, str):
        return [piece.content]
    return [part for block in piece.content for part in _parts(block)]
