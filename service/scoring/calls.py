"""What an agent says after a tool's call: the part of a response that can show how it read the result.

    after_call([user, agent, tool, answer], text, "get_weather")      # where `answer` begins in the policy's words
    without_results("<tool_response>21</tool_response> It is 21.")    # the agent's own words, as long as before

In messages a call is found by the tool's message, its `tool_call_id` or its `name`. In one string it is found by its id
or name in the text, and its result is the `<tool_response>` that follows, as chat templates of Qwen and others have it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from perception_reward.trainer_client.wire import ContentBlock, Message, Response, policy_words

_RESULT = re.compile(r"<tool_response>.*?(?:</tool_response>|\Z)", re.DOTALL)
_RESULT_END = "</tool_response>"


def after_call(response: Response, text: str, call: str) -> int:
    """The character of `text`, the policy's words in `response`, behind the first call of that id or name.

    0 where there is no such call: then all of the response counts.
    """
    if not isinstance(response, str):
        return min(_behind_message(response, call), len(text))
    named = re.search(rf"(?<!\w){re.escape(call)}(?!\w)", text)
    if named is None:
        return 0
    end = text.find(_RESULT_END, named.end())
    return end + len(_RESULT_END) if end >= 0 else named.end()


def without_results(text: str) -> str:
    """`text` with blanks in place of tools' results, which are not the policy's words; characters keep their places."""
    return _RESULT.sub(lambda found: " " * len(found[0]), text)


def _behind_message(parts: Sequence[Message | ContentBlock | str], call: str) -> int:
    words: list[str] = []
    for part in parts:
        if isinstance(part, Message) and part.role == "tool" and call in (part.tool_call_id, part.name):
            # The newline that joins the next words is behind it.
            return len("\n".join(words)) + bool(words)
        words += policy_words([part]) or []
    return 0
