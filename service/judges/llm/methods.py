"""The methods by name."""

from __future__ import annotations

from typing import Literal, TypeAlias

from perception_reward.service.judges.llm.joint import JointMethod
from perception_reward.service.judges.llm.method import Method
from perception_reward.service.judges.llm.paper import PaperMethod
from perception_reward.service.judges.llm.verdict import Language, VerdictMethod

MethodName: TypeAlias = Literal["verdict", "joint", "paper"]


def make_method(name: MethodName, language: Language = "en") -> Method:
    """language: of the prompt. ValueError for a method that has none in it."""
    if name != "verdict" and language != "en":
        raise ValueError(f"the method {name!r} has no prompt in {language!r}; only `verdict` has")
    match name:
        case "verdict":
            return VerdictMethod(language=language)
        case "joint":
            return JointMethod()
        case "paper":
            return PaperMethod()
