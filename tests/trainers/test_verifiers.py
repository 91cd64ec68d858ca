"""A task of verifiers and, in releases that have them, its rubrics, scoring against a real service."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [
    pytest.mark.verifiers,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("keyed_service"),
]

vf = pytest.importorskip("verifiers.v1")

from verifiers.v1.graph import MessageNode  # noqa: E402
from verifiers.v1.types import AssistantMessage, UserMessage  # noqa: E402

from perception_reward.trainer_client.trainers.verifiers import perception_rewards, score_reply  # noqa: E402

RESPONSE = "<think>\nAB = 5 and the angle ABC is 90°.\n</think>\n<answer>\n\\boxed{13}\n</answer>"
THOUGHT, ANSWER = "\nAB = 5 and the angle ABC is 90°.\n", "<answer>\n\\boxed{13}\n</answer>"


class FigureData(vf.TaskData):
    annotation_id: str


class FigureTask(vf.Task[FigureData]):
    """The lines of the documentation."""

    @vf.reward
    async def perception(self, trace: vf.Trace) -> float:
        return await score_reply(trace.assistant_messages[-1:], self.data)


def rollout(annotation: str = "triangle/1", **said: str) -> tuple[FigureTask, vf.Trace]:
    """A task and the trace of one turn."""
    task = FigureTask(FigureData(idx=0, prompt="Find AC.", annotation_id=annotation))
    nodes = [
        MessageNode(parent=None, message=UserMessage(content="Find AC."), sampled=False),
        MessageNode(parent=0, message=AssistantMessage(**said), sampled=True),
    ]
    agent = vf.AgentInfo(config=vf.AgentConfig())
    return task, vf.Trace(agent=agent, task=vf.TraceTask(type="FigureTask", data=task.data), nodes=nodes)


@pytest.mark.parametrize(
    "said",
    [{"content": RESPONSE}, {"content": ANSWER, "reasoning_content": THOUGHT}],
    ids=["in one piece", "reasoning apart"],
)
async def test_a_task_s_rollout_gets_its_reward(said: dict[str, str]):
    task, trace = rollout(**said)
    await task.score(trace)
    assert trace.reward == pytest.approx(1.7)
    assert list(trace.rewards) == ["perception"]


async def test_a_missing_score_is_an_error_of_the_task_and_leaves_it_without_a_reward():
    task, trace = rollout("unknown", content=RESPONSE)
    with pytest.raises(vf.TaskError, match="unknown"):
        await task.score(trace)
    assert trace.rewards == {"perception": None}


async def test_a_rubric_gives_a_missing_score_the_mean_of_its_group():
    legacy = pytest.importorskip("verifiers.legacy", reason="verifiers 0.4 has no rubrics")
    rubric = legacy.Rubric(funcs=[perception_rewards])
    texts = [(RESPONSE, "triangle/1"), ("AB = 5.", "triangle/1"), (RESPONSE, "unknown")]
    states: list[dict[str, Any]] = [
        {
            "prompt": [{"role": "user", "content": "Find AC."}],
            "completion": [{"role": "assistant", "content": text}],
            "answer": "13",
            "info": {"annotation_id": annotation, "group": "3"},
            "trajectory": [],
        }
        for text, annotation in texts
    ]
    await rubric.score_group(states)
    assert [state["reward"] for state in states] == [
        pytest.approx(1.7),
        pytest.approx(0.35),
        pytest.approx((1.7 + 0.35) / 2),
    ]
    assert sum(state["advantage"] for state in states) == pytest.approx(0.0)
