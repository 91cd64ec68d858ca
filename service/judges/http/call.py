"""One HTTP request to a judge server, its answer, and a server's refusal of it."""

from __future__ import annotations

from dataclasses import dataclass

from perception_reward.service.judges.llm.failure import JudgeFailure


@dataclass(frozen=True, slots=True)
class Call:
    """The path below the endpoint's URL, and a JSON body.

    most: bytes that an answer to it may have; the server is asked for nothing that takes more.
    optional: there is another way for servers that refuse it, so that a refusal is nothing to complain about.
    """

    path: str
    body: bytes
    most: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The body with which the server `endpoint` (host:port) answered 200."""

    endpoint: str
    body: bytes


class Refused(JudgeFailure):
    """An endpoint answered with `status`, an HTTP status that another try would not change."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__("judge_unavailable", detail)
        self.status = status
