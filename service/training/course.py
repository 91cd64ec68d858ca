"""The whole way from data to a folder that serves as a judge, with its calibration and card. What a killed run had done
is not done again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

from perception_reward.annotations.outputs import written
from perception_reward.service.audit.figures import AuditReport, HeldOut
from perception_reward.service.audit.fit import Unfit, fit_calibration
from perception_reward.service.audit.probes import Observation, Probe, observe
from perception_reward.service.audit.report import build_report
from perception_reward.service.audit.summary import render_html
from perception_reward.service.judges.base import JudgeInfo
from perception_reward.service.judges.calibration import Adjustment, Calibration, Scale
from perception_reward.service.judges.llm.judge import LLMJudge
from perception_reward.service.judges.llm.verdict import VerdictMethod
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.service.judges.make import evidence_of
from perception_reward.service.settings import Settings
from perception_reward.service.training.card import card, licence_of
from perception_reward.service.training.configuration import CALIBRATION, write_config
from perception_reward.service.training.data import Data
from perception_reward.service.training.engine import PlainEngine
from perception_reward.service.training.fitting import Plan, Refused, check, fit, load, quietly, shares_beginnings
from perception_reward.service.training.rows import Prompt, Prompts, row, rows

# What a judge has to be told of how it was taught, so that it is asked in the same way.
ASKED = ("judge_evidence", "judge_grounding", "judge_language", "judge_scope", "max_response_chars")

# Seconds: nobody waits for an answer.
UNHURRIED = 1e8


@quietly()
def train(
    plan: Plan, data: Data, settings: Settings, out: Path, *, row_tokens: int, say: Callable[[str], None]
) -> AuditReport:
    """Teach, measure and write down. The audit of what was taught.

    settings: how the judge will be asked. row_tokens: as for `rows`. Raises `Refused`, `ValueError` for a model that
    cannot be asked so, and OSError.
    """
    (out / "training").mkdir(parents=True, exist_ok=True)
    method = VerdictMethod(language=settings.judge_language)
    method.load(Vocabulary(plan.base))
    asked = Prompts(method, evidence_of(settings, method, None), settings.max_response_chars, settings.judge_scope)
    found = [(probe, prompt) for probe in data.taught if (prompt := asked.of(probe)) is not None]
    prompts = [prompt for _, prompt in found]
    if not prompts:
        raise Refused("there is nothing to teach: no response has a sentence about its fact")
    base = load(plan.base, exact=True)
    check(plan, base, out)
    if not _shares(base, prompts):
        say("this model's attention takes no mask of its own: each prompt is taught alone, which takes longer")
        row_tokens = 0
    del base
    before = _audited(plan.base, out / "training" / "base.json", data.held_out, plan, settings, say)
    fit(plan, list(rows(prompts, row_tokens)), out, say)
    served = VerdictMethod(language=settings.judge_language)
    served.load(Vocabulary(str(out)))
    if served.identity != method.identity:
        raise Refused(f"the tokenizer in {out} is not that of {plan.base}: the judge would be asked in other tokens")
    after = _audited(
        str(out), out / "training" / "report.json", data.held_out, plan, settings, say, fitted=out / CALIBRATION
    )
    how = {name: getattr(settings, name) for name in ASKED}
    text = card(
        base=plan.base,
        licence=_licence(plan.base),
        settings=asdict(plan) | how | {"row_tokens": row_tokens},
        taught=[probe for probe, _ in found],
        unasked=len(data.taught) - len(found),
        before=before,
        after=after,
    )
    (out / "audit").mkdir(exist_ok=True)
    for name in ("base.json", "report.json"):
        shutil.copyfile(out / "training" / name, out / "audit" / name)
    (out / "audit" / "report.html").write_text(render_html(after), encoding="utf-8")
    comment = "Written by `perception-reward judge train`: the judge is asked as it was taught, behind the rules."
    judge = {"judge": f"cascade:vllm:{out.resolve()}", "judge_calibration": CALIBRATION}
    write_config(out / "judge.toml", judge | how, comment)
    # Written last: with it the folder is whole.
    (out / "README.md").write_text(text, encoding="utf-8")
    shutil.rmtree(out / "training")
    return after


def _shares(model: Any, prompts: Sequence[Prompt]) -> bool:
    few = sorted(prompts, key=lambda prompt: len(prompt.tokens))[:2]
    return len(few) < 2 or shares_beginnings(model, row(few), row(few[1:]))


def _audited(
    name: str,
    kept: Path,
    probes: Sequence[Probe],
    plan: Plan,
    settings: Settings,
    say: Callable[[str], None],
    *,
    fitted: Path | None = None,
) -> AuditReport:
    """What the model `name` is worth on `probes`, written to `kept`. fitted: where the calibration is written that its
    verdicts on them tell."""
    if kept.exists() and (fitted is None or fitted.exists()):
        return AuditReport.model_validate_json(kept.read_bytes())
    say(f"asking {name} about {len(probes)} statements that are held out")
    method = VerdictMethod(language=settings.judge_language)
    engine = PlainEngine(load(name, exact=False), name)
    judge = LLMJudge(engine, method, tokenizer=name, evidence=evidence_of(settings, method, None))

    async def asked() -> list[Observation]:
        await judge.start()
        return await observe(
            judge,
            probes,
            deadline_per_batch=UNHURRIED,
            max_response_chars=settings.max_response_chars,
            scope=settings.judge_scope,
        )

    seen, created = asyncio.run(asked()), datetime.now(timezone.utc)
    worth: HeldOut | None = None
    if fitted is not None:
        calibration, worth = calibration_of(seen, judge.info, plan.seed)
        if worth is None:
            say("no calibration does better on what is held out: the model's probabilities stay as they are")
        _write(fitted, calibration.model_dump_json(indent=1))
    report = build_report(
        seen, info=judge.info, scope=settings.judge_scope, seed=plan.seed, created=created, held_out=worth
    )
    _write(kept, report.model_dump_json(indent=1))
    return report


def calibration_of(seen: Sequence[Observation], info: JudgeInfo, seed: int) -> tuple[Calibration, HeldOut | None]:
    """That of a taught model, however it is served, and what it is worth on problems that it was not fitted on.

    Where none does better, the model's probabilities stay as they are, and there is no worth. The cascade is then not
    to correct them either: what it takes back is what models say that were not taught.
    """
    try:
        fitted = fit_calibration(seen, info, seed=seed)
    except Unfit:
        return Calibration(judge=None, every=Adjustment(contradicted=Scale())), None
    return fitted.calibration.model_copy(update={"judge": None}), fitted.held_out


def _write(path: Path, text: str) -> None:
    with written(path, replace=True) as part:
        part.write_text(text, encoding="utf-8")


def _licence(base: str) -> str | None:
    if Path(base).is_dir():
        return licence_of(Path(base))
    hub: Any = import_module("huggingface_hub")
    try:
        return licence_of(Path(hub.snapshot_download(base, allow_patterns=["README.md", "LICENSE*"])))
    except (OSError, ValueError):
        return None
