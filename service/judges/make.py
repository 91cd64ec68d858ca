"""The judge that a setting describes: `symbolic`, or `openai:URL[,URL…]#MODEL`."""

from __future__ import annotations

from perception_reward.service.judges.base import Judge
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.methods import make_method
from perception_reward.service.judges.openai.factory import openai_engine
from perception_reward.service.judges.openai.spec import FORM, SCHEME
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.metrics import Metrics
from perception_reward.service.settings import Settings
from perception_reward.service.workers import WorkerPool


def make_judge(settings: Settings, pool: WorkerPool, metrics: Metrics) -> Judge:
    """The judge of `settings.judge`, not yet started. ValueError for a setting that describes none."""
    if settings.judge == "symbolic":
        return SymbolicJudge(pool)
    if not settings.judge.startswith(SCHEME):
        raise ValueError(f"no judge is called {settings.judge!r}; there are symbolic and {FORM}")
    key = settings.judge_api_key
    engine = openai_engine(
        settings.judge,
        api_key=key.get_secret_value() if key is not None else None,
        concurrency=settings.judge_concurrency,
        observer=metrics,
    )
    method = make_method(settings.judge_method)
    return LLMJudge(engine, method, tokenizer=settings.judge_tokenizer or engine.model)
