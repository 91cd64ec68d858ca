"""Large answers as JSON, written while others are served."""

from __future__ import annotations

from pydantic import BaseModel

from perception_reward.service.pace import Pace


async def dumped(answer: BaseModel, name: str) -> str:
    """`answer` as JSON: as `model_dump_json` writes it, but for its list `name` of models, which comes last.

    The list's elements are written one by one.
    """
    pace = Pace()
    elements: list[str] = []
    for element in getattr(answer, name):
        elements.append(element.model_dump_json())
        await pace.keep()
    around = answer.model_dump_json(exclude={name})
    comma = "," if len(around) > len("{}") else ""
    return f'{around[:-1]}{comma}"{name}":[{",".join(elements)}]}}'
