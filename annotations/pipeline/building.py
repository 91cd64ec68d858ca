"""All five steps from one file: from a folder of problems to a store that is valid.

    [problems]
    path = "problems.jsonl"

    [trajectories]
    samples = 4
    model = {url = "http://127.0.0.1:8000/v1", model = "Qwen2.5-VL-32B", temperature = 0.7}

    [extract]
    model = {url = "http://127.0.0.1:8001/v1", model = "Qwen2.5-7B"}

Paths are relative to the file. A step that is done, and whose settings and input are what they were, is not done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tomllib
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from perception_reward.annotations.distractors import MOST
from perception_reward.annotations.pipeline.checking import Checking
from perception_reward.annotations.pipeline.config import ModelConfig
from perception_reward.annotations.pipeline.engine import Estimate
from perception_reward.annotations.pipeline.extraction import PROMPTS, Extracting, Method
from perception_reward.annotations.pipeline.filtering import Grader
from perception_reward.annotations.pipeline.images import MOST_PIXELS
from perception_reward.annotations.pipeline.limits import Limits
from perception_reward.annotations.pipeline.neighbours import Distracting
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.sources import FIELDS, LAYOUTS
from perception_reward.annotations.pipeline.steps import (
    Source,
    add_neighbours,
    ask_trajectories,
    check_facts,
    extract_claims,
    filter_trajectories,
    read_trajectories,
)
from perception_reward.annotations.pipeline.trajectories import Asking, pictures_of
from perception_reward.annotations.pipeline.work import Job, StepReport, Watch

STEPS = ("trajectories", "filter", "extract", "check", "distractors")
STORE = "store.jsonl"
ASKS_NOBODY = "asks no model and costs nothing; the step behind it can be estimated once this one is done"


class ConfigFault(ValueError):
    """The file cannot be used; the message names the place in it."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemsConfig(_Section):
    """Where the problems, or chains of thought, are."""

    path: str
    layout: str = "plain"
    map: dict[str, str] = Field(default_factory=dict[str, str])
    limit: int | None = Field(default=None, ge=1)
    image_root: str | None = None
    allow_urls: bool = False
    most_pixels: int = Field(default=MOST_PIXELS, ge=784)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout {self.layout!r} is none of {', '.join(LAYOUTS)}")
        if unknown := set(self.map) - set(FIELDS):
            raise ValueError(f"map knows {', '.join(FIELDS)}, and not {', '.join(sorted(unknown))}")
        return self


class TrajectoriesConfig(_Section):
    """read: the problems' file holds chains of thought already."""

    read: bool = False
    samples: int = Field(default=1, ge=1, le=1000)
    text_only: bool = False
    model: ModelConfig | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.read == (self.model is not None):
            raise ValueError("name a model, or say `read = true` where chains of thought are there already")
        return self


class FilterConfig(_Section):
    agreement: float | None = Field(default=None, ge=0.0, le=1.0)


class ExtractConfig(_Section):
    model: ModelConfig
    method: Method = "three"


class CheckConfig(_Section):
    """model: a vision-language model that is shown the image, or none."""

    least_confidence: float = Field(default=0.0, ge=0.0, le=1.0)
    model: ModelConfig | None = None


class DistractorsConfig(_Section):
    """model: what is asked whether the facts imply a distractor, or none."""

    most: int = Field(default=MOST, ge=0, le=1000)
    seed: int = 0
    model: ModelConfig | None = None


class BuildConfig(_Section):
    """The whole file. folder: where the steps' files go. prompts: a folder with prompts of one's own."""

    folder: str = "build"
    prompts: str | None = None
    problems: ProblemsConfig
    trajectories: TrajectoriesConfig
    filter: FilterConfig = FilterConfig()
    extract: ExtractConfig
    check: CheckConfig = CheckConfig()
    distractors: DistractorsConfig = DistractorsConfig()


def read_config(path: Path) -> BuildConfig:
    """Raises `ConfigFault`, and `OSError`."""
    try:
        return BuildConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigFault(f"{path}: is no TOML ({error})") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigFault(f"{path}: {where or 'the file'}: {first['msg'].removeprefix('Value error, ')}") from None


@dataclass(frozen=True, slots=True)
class Build:
    """A build. grader: the accuracy reward, started when the filter needs it. heard: `Distracting.heard`. said: told of
    each step's report."""

    config: BuildConfig
    root: Path
    grader: Callable[[], AbstractAsyncContextManager[Grader]]
    heard: Callable[[str, str], bool]
    said: Callable[[str, list[str]], None]
    watch: Callable[[str], Watch]

    @property
    def folder(self) -> Path:
        return self.root / self.config.folder

    @property
    def store(self) -> Path:
        return self.folder / STORE

    def out(self, step: str) -> Path:
        """The file that a step writes; the last one's is the store."""
        return self.store if step == STEPS[-1] else self.folder / f"{step}.jsonl"

    async def run(self, *, dry: bool = False) -> None:
        """Do what is not done yet. dry: tell what the first step of it would cost, without asking anybody.

        Raises as the steps do; what was paid for is kept.
        """
        if not dry:
            self.folder.mkdir(parents=True, exist_ok=True)
        source = self.root / self.config.problems.path
        for step in STEPS:
            identity = self._identity(step, source)
            if not self._is_done(step, identity):
                job = Job(step, self.out(step), replace=True, watch=self.watch(step))
                found = await self._steps()[step](job, source, dry)
                self.said(step, self._told(step, found))
                if dry:
                    return
                done = {"of": identity, "out": _digest(self.out(step))}
                self._done(step).write_text(json.dumps(done), encoding="utf-8")
            else:
                self.said(step, ["done already"])
            source = self.out(step)

    def _told(self, step: str, found: Any) -> list[str]:
        model: ModelConfig | None = getattr(getattr(self.config, step), "model", None)
        if found is None:
            return [ASKS_NOBODY]
        limits = model.asked().limits if model is not None else None
        if isinstance(found, Estimate):
            return found.lines(limits or Limits())
        lines: list[str] = [*(found.lines(limits) if isinstance(found, StepReport) else found.lines())]
        return lines

    def _steps(self) -> dict[str, Callable[[Job, Path, bool], Awaitable[Any]]]:
        return {
            "trajectories": self._trajectories,
            "filter": self._filter,
            "extract": self._extract,
            "check": self._check,
            "distractors": self._distractors,
        }

    async def _trajectories(self, job: Job, source: Path, dry: bool) -> Any:
        config, problems = self.config.trajectories, self.config.problems
        where = Source(source, LAYOUTS[problems.layout], problems.map, problems.limit)
        if config.model is None:
            return None if dry else read_trajectories(job, where)
        asked, prompt = config.model.asked(), self._prompt("answer", "question")

        def asking(began: str) -> Asking:
            return Asking(
                prompt,
                asked.sampling,
                began,
                self._images(),
                config.samples,
                problems.allow_urls,
                problems.most_pixels,
                config.text_only,
            )

        return await ask_trajectories(job, where, asked, asking, dry=dry)

    async def _filter(self, job: Job, source: Path, dry: bool) -> Any:
        if dry:
            return None
        async with self.grader() as grader:
            return await filter_trajectories(job, source, grader, agreement=self.config.filter.agreement)

    async def _extract(self, job: Job, source: Path, dry: bool) -> Any:
        config = self.config.extract
        prompts = {name: self._prompt(name, *needs) for name, needs in PROMPTS[config.method].items()}
        asked = config.model.asked()
        return await extract_claims(
            job, source, asked, partial(Extracting, config.method, prompts, asked.sampling), dry=dry
        )

    async def _check(self, job: Job, source: Path, dry: bool) -> Any:
        config, problems = self.config.check, self.config.problems
        if config.model is None:
            return None if dry else await check_facts(job, source, Checking(config.least_confidence), None)
        pictures = partial(pictures_of, root=self._images(), urls=problems.allow_urls, most_pixels=problems.most_pixels)
        checking = Checking(config.least_confidence, self._prompt("image_check", "statement"), pictures)
        return await check_facts(job, source, checking, config.model.asked(), dry=dry)

    async def _distractors(self, job: Job, source: Path, dry: bool) -> Any:
        config = self.config.distractors
        entailed = self._prompt("entailed", "facts", "statement") if config.model is not None else None
        distracting = Distracting(config.most, config.seed, entailed, self.heard)
        if config.model is None:
            return None if dry else await add_neighbours(job, source, distracting, None)
        return await add_neighbours(job, source, distracting, config.model.asked(), dry=dry)

    def _prompt(self, name: str, *needs: str) -> Prompt:
        folder = self.root / self.config.prompts if self.config.prompts else None
        return Prompt.read(name, folder, needs)

    def _images(self) -> Path:
        """Where image references begin: as configured, where images of the rows were put, or beside the problems."""
        if self.config.problems.image_root is not None:
            return self.root / self.config.problems.image_root
        source = self.root / self.config.problems.path
        written = self.folder / "trajectories.images"
        return written if written.is_dir() else source if source.is_dir() else source.parent

    def _identity(self, step: str, source: Path) -> str:
        """Changes with all that the step depends on."""
        sections = (
            {"problems": self.config.problems.model_dump(mode="json")} if step in ("trajectories", "check") else {}
        )
        section = getattr(self.config, step).model_dump(mode="json")
        asked: dict[str, tuple[str, ...]] = {
            "trajectories": ("answer",),
            "extract": tuple(PROMPTS[self.config.extract.method]),
            "check": ("image_check",),
            "distractors": ("entailed",),
        }
        names = asked.get(step, ())
        prompts = [self._prompt(name).version for name in names]
        told = json.dumps([step, sections, section, prompts, _digest(source)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def _is_done(self, step: str, identity: str) -> bool:
        try:
            done = json.loads(self._done(step).read_bytes())
            return done == {"of": identity, "out": _digest(self.out(step))}
        except (OSError, ValueError):
            return False

    def _done(self, step: str) -> Path:
        return self.folder / f"{step}.done"


def _digest(path: Path) -> str:
    """Of a file's content; of a folder, of its files' names and times."""
    if path.is_dir():
        told = sorted(
            (str(one.relative_to(path)), one.stat().st_size, one.stat().st_mtime_ns) for one in path.rglob("*")
        )
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
