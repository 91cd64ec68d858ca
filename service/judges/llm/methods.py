"""The methods by name."""

from __future__ import annotations

from typing import Literal, TypeAlias

from perception_reward.service.judges.llm.joint import JointMethod
from perception_reward.service.judges.llm.method import Method
from perception_reward.service.judges.llm.paper import PaperMethod
from perception_reward.service.judges.llm.verdict import VerdictMethod

MethodName: TypeAlias = Literal["verdict", "joint", "paper"]


def make_method(name: MethodName) -> Method:
    match name:
        case "verdict":
            return VerdictMethod()
        case "joint":
            return JointMethod()
        case "paper":
            return PaperMethod()
