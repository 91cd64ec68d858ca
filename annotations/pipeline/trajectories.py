"""The first step: a strong model answers each problem with its images before it, some times over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perception_reward.annotations.copies import listed
from perception_reward.annotations.model import Provenance
from perception_reward.annotations.pipeline.asks import Answer, Ask, Sampling, Steps
from perception_reward.annotations.pipeline.images import BROKEN, MOST_PIXELS, ImageFault, Picture, picture_of
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.rows import Problem, Trajectory

NO_IMAGE = "names no image"
EXPECTED_TOKENS = 600


@dataclass(frozen=True, slots=True)
class Asking:
    """How problems are asked. samples: answers to each. root: where relative image references begin.

    text_only: problems without images are asked too, without anything to see.
    """

    prompt: Prompt
    sampling: Sampling
    began: str
    root: Path
    samples: int = 1
    urls: bool = False
    most_pixels: int = MOST_PIXELS
    text_only: bool = False

    def step(self, problem: Problem) -> Steps[Answered]:
        """The problem's trajectories."""
        try:
            pictures = pictures_of(problem, self.root, urls=self.urls, most_pixels=self.most_pixels)
        except ImageFault as fault:
            return Answered(dropped=[(-1, fault.why, fault.detail)])
        if not pictures and not self.text_only:
            return Answered(dropped=[(-1, NO_IMAGE, "")])
        text = self.prompt.filled(question=asked(problem))
        answers = yield [
            Ask(self.prompt.version, text, pictures, sample=sample, expected=EXPECTED_TOKENS)
            for sample in range(self.samples)
        ]
        return self._answered(problem, answers)

    def _answered(self, problem: Problem, answers: Sequence[Answer]) -> Answered:
        if answers and all(answer.why == BROKEN for answer in answers):
            return Answered(dropped=[(-1, BROKEN, answers[0].detail)])
        found = Answered()
        provenance = Provenance(
            source=problem.source or None,
            method="trajectories",
            model=self.sampling.model,
            created=self.began,
            prompt=self.prompt.version,
            settings=f"{self.sampling.said} pixels<={self.most_pixels}",
        )
        for sample, answer in enumerate(answers):
            if answer.why:
                found.dropped.append((sample, answer.why, answer.detail))
            elif answer.cut:
                found.dropped.append((sample, "was cut off at max_tokens", answer.text[-80:]))
            elif not answer.text.strip():
                found.dropped.append((sample, "is empty", ""))
            else:
                fields = problem.model_dump()
                found.kept.append(Trajectory(**fields, sample=sample, response=answer.text, provenance=provenance))
        return found


@dataclass(slots=True)
class Answered:
    """A problem's trajectories. dropped: (sample, why, detail); the sample is -1 where the problem was never asked."""

    kept: list[Trajectory] = field(default_factory=list[Trajectory])
    dropped: list[tuple[int, str, str]] = field(default_factory=list["tuple[int, str, str]"])


def asked(problem: Problem) -> str:
    """The question with its options below it."""
    return "\n".join([problem.question, *listed(problem.choices)])


def pictures_of(problem: Problem, root: Path, *, urls: bool, most_pixels: int = MOST_PIXELS) -> tuple[Picture, ...]:
    """The problem's images. Raises `ImageFault`."""
    return tuple(picture_of(one, root, urls=urls, most_pixels=most_pixels) for one in problem.images)
