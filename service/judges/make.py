"""The judge that a setting describes: `symbolic`, `vllm:MODEL`, `openai:URL[,URL…]#MODEL`, or `cascade:JUDGE`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from perception_reward.service.judges.base import Judge
from perception_reward.service.judges.calibrated import CalibratedJudge
from perception_reward.service.judges.calibration import load_calibration
from perception_reward.service.judges.cascade import spec as cascade
from perception_reward.service.judges.cascade.checks import CascadeObserver
from perception_reward.service.judges.cascade.judge import CascadeJudge
from perception_reward.service.judges.llm import grounding, selection
from perception_reward.service.judges.llm.engine import Engine, JudgeObserver
from perception_reward.service.judges.llm.evidence import REMEMBERED_A_MIB, Evidence
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.method import Method
from perception_reward.service.judges.llm.methods import make_method
from perception_reward.service.judges.openai.spec import FORM, SCHEME
from perception_reward.service.judges.symbolic.judge import SymbolicJudge
from perception_reward.service.judges.vllm import factory as vllm
from perception_reward.service.judges.vllm.arguments import parse_arguments
from perception_reward.service.processes.pool import WorkerPool
from perception_reward.service.settings import Settings, naming


class JudgesObserver(JudgeObserver, CascadeObserver, Protocol):
    """Told of all that judges do, for metrics."""


def make_judge(settings: Settings, pool: WorkerPool, observer: JudgesObserver) -> Judge:
    """The judge of `settings.judge`, not yet started. ValueError for a setting that describes none."""
    if settings.judge.startswith(cascade.SCHEME):
        second = settings.model_copy(update={"judge": cascade.second_stage(settings.judge)})
        model = make_judge(second, pool, observer)
        return CascadeJudge(SymbolicJudge(pool), model, check=settings.cascade_check, observer=observer)
    _check_for_whom_arguments_are(settings)
    if settings.judge == "symbolic":
        return _calibrated(SymbolicJudge(pool), settings)
    engine = make_engine(settings, observer)
    with naming("judge_language"):
        method = make_method(settings.judge_method, settings.judge_language)
    with naming("judge_evidence"):
        judge = LLMJudge(
            engine,
            method,
            tokenizer=settings.judge_tokenizer or engine.model,
            evidence=evidence_of(settings, method, pool),
        )
    return _calibrated(judge, settings)


def evidence_of(settings: Settings, method: Method, pool: WorkerPool | None) -> Evidence | None:
    """What the model is shown for each fact; None for the whole response, with its word taken.

    By default evidence is selected where facts are asked about alone, and selected evidence is grounded.
    """
    alone = not method.together
    selects = settings.judge_evidence == "selected" or (settings.judge_evidence == "auto" and alone)
    grounds = settings.judge_grounding == "on" or (settings.judge_grounding == "auto" and selects)
    if not selects and not grounds:
        return None
    return Evidence(
        selection.select if selects else None,
        grounding.grounds if grounds else None,
        pool=pool,
        most_remembered=settings.cache_mb * REMEMBERED_A_MIB,
    )


def make_engine(settings: Settings, observer: JudgesObserver) -> Engine:
    """The engine of `settings.judge`, which is no cascade, not yet started. ValueError for a setting of none."""
    scheme = settings.judge[: settings.judge.find(":") + 1]
    if scheme not in ENGINES:
        forms = ", ".join(form for form, _ in ENGINES.values())
        raise ValueError(f"no judge is called {settings.judge!r}; there are symbolic, {forms}, and {cascade.FORM}")
    return ENGINES[scheme][1](settings, observer)


def _vllm(settings: Settings, observer: JudgesObserver) -> Engine:
    with naming("judge_engine_arg"):
        arguments = parse_arguments(settings.judge_engine_arg)
    return vllm.vllm_engine(
        settings.judge,
        tokenizer=settings.judge_tokenizer,
        arguments=arguments,
        concurrency=settings.judge_concurrency,
        restart=settings.judge_restart,
        observer=observer,
    )


def _openai(settings: Settings, observer: JudgesObserver) -> Engine:
    # Here, because it brings an HTTP library that the other judges do without.
    from perception_reward.service.judges.openai.factory import openai_engine

    key = settings.judge_api_key
    return openai_engine(
        settings.judge,
        api_key=key.get_secret_value() if key is not None else None,
        concurrency=settings.judge_concurrency,
        observer=observer,
    )


# By what a setting begins with: its whole form for people, and what makes the engine of it.
ENGINES: dict[str, tuple[str, Callable[[Settings, JudgesObserver], Engine]]] = {
    vllm.SCHEME: (vllm.FORM, _vllm),
    SCHEME: (FORM, _openai),
}


def _check_for_whom_arguments_are(settings: Settings) -> None:
    if settings.judge_engine_arg and not settings.judge.startswith(vllm.SCHEME):
        with naming("judge_engine_arg"):
            raise ValueError(f"it is for the judge {vllm.FORM}; give a server its arguments where you start it")


def _calibrated(judge: Judge, settings: Settings) -> Judge:
    """The part of a judge that a calibration is fitted for: the language model, or the only judge."""
    if settings.judge_calibration is None:
        return judge
    with naming("judge_calibration"):
        return CalibratedJudge(judge, load_calibration(settings.judge_calibration))
