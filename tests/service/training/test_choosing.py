"""Choosing settings, with an engine whose answers the test scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perception_reward.service.audit.probes import Probe, probe
from perception_reward.service.judges.base import Health
from perception_reward.service.judges.llm.engine import Choice, LogProbs, Writing, Written
from perception_reward.service.judges.llm.vocabulary import Vocabulary
from perception_reward.service.settings import load
from perception_reward.service.training.choosing import Metered, Tried, by_rules, chosen, together, try_all, ways, worth
from perception_reward.trainer_client.wire import Fact

LABELS = ("stated", "contradicted", "absent")


class Knowing:
    """Says yes to a prompt that ends with a fact that `yes` holds of."""

    name, identity, capacity = "knowing", {}, 4

    def __init__(self, folder: Path, yes: Callable[[str], bool]) -> None:
        self.model = str(folder)
        self.vocabulary = Vocabulary(str(folder))
        self.yes = yes
        self.asked = 0

    async def choose(self, choice: Choice, affinity: str, deadline: float) -> tuple[LogProbs, ...]:
        self.asked += len(choice.suffixes)
        yes, no = self.vocabulary.single_tokens(("Yes",)), self.vocabulary.single_tokens(("No",))
        return tuple(
            {token: -0.1 if token in (yes if self._yes(suffix) else no) else -4.0 for token in choice.answers}
            for suffix in choice.suffixes
        )

    def _yes(self, suffix: tuple[int, ...]) -> bool:
        return self.yes("".join(map(self.vocabulary.piece, suffix)).replace("Ġ", " "))

    async def write(self, writing: Writing, affinity: str, deadline: float) -> Written:
        return Written("<info1>1</info1>", (1, 2, 3))

    async def health(self) -> Health:
        return Health(True)

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...


def pairs(count: int) -> list[Probe]:
    """Each response says one thing of a bar, and the fact is that or another."""
    found: list[Probe] = []
    for number in range(count):
        for value, label in ((40 + number, "stated"), (10 + number, "contradicted")):
            fact = Fact(id="f", text=f"The bar for May is at {value}.")
            response = f"Looking at the chart, May stands at {40 + number}, I read it twice."
            found.append(probe("labelled", "human", fact, response, label, problem=f"p{number}"))  # type: ignore[arg-type]
    return found


def test_facts_of_one_response_are_asked_together():
    asked = together(pairs(2))
    assert [[fact.text for fact in one.asked] for one in asked[:2]] == [[one.fact.text for one in asked[:2]]] * 2
    assert [one.fact.id for one in asked] == ["f1", "f2", "f1", "f2"]


async def test_every_way_is_tried_and_a_model_is_asked_the_same_only_once(tokenizer_folder: Path):
    engine = Knowing(tokenizer_folder, lambda fact: not fact.startswith("The bar for May is at 1"))
    settings = load(judge="openai:http://127.0.0.1:9#m")
    asked = together(pairs(6))
    rules = await by_rules(asked, settings)
    found = [
        one async for one in try_all(engine, asked, list(ways(["verdict", "paper"], ["en"])), settings, rules, seed=0)
    ]
    # Whole and selected, grounded or not, each behind the rules too; and `paper`. Too few pairs for a calibration.
    assert len(found) == 2 * 2 * 2 + 1
    grounded = next(one for one in found if one.settings["judge_grounding"] == "on")
    assert sum(grounded.hits) == len(asked)
    assert all(one.read > 0 for one in found if not str(one.settings["judge"]).startswith("cascade"))
    assert found[-1].written == pytest.approx(3 * 6 / 12)
    # Each fact with the whole response, and with its sentences.
    assert engine.asked <= 2 * len(asked)


async def test_what_is_calibrated_is_judged_on_other_problems_and_can_be_fitted(tokenizer_folder: Path):
    engine = Knowing(tokenizer_folder, lambda fact: True)
    settings = load(judge="openai:http://127.0.0.1:9#m")
    asked = together(pairs(40))
    rules = await by_rules(asked, settings)
    (way, *_) = ways(["verdict"], ["en"])
    found = [one async for one in try_all(engine, asked, [way], settings, rules, seed=0)]
    assert [one.calibration is not None for one in found] == [False, False, True, True]
    calibration = found[2].calibration
    assert calibration is not None
    assert calibration.judge == found[2].info.fingerprint


def tried(seconds: float, rights: list[bool], asked: list[Probe]) -> Tried:
    from perception_reward.service.audit.probes import Observation
    from perception_reward.service.judges.base import JudgeInfo, Verdict

    seen = [
        Observation(one, Verdict(one.expected if right else "absent", 0.5))  # type: ignore[arg-type]
        for one, right in zip(asked, rights, strict=True)
    ]
    return Tried({"judge": str(seconds)}, tuple(seen), 1.0, 0.0, seconds, JudgeInfo("j", None, "m", "f"))


def test_the_fastest_of_the_best_is_chosen_and_its_worth_is_told_on_other_problems():
    asked = pairs(10)
    slow = tried(3.0, [True] * 20, asked)
    near = tried(2.0, [True] * 19 + [False], asked)
    fast = tried(1.0, [True] * 10 + [False] * 10, asked)
    assert chosen([slow, near, fast], 0.0) is slow
    assert chosen([slow, near, fast], 0.05) is near
    assert chosen([slow, near, fast], 0.5) is fast
    assert worth([slow, fast], 0.0, 0).value == 1.0
    # Where the one mistake of `near` does not count yet, it is as good and faster.
    assert worth([slow, near, fast], 0.0, 0).value == pytest.approx(19 / 20)


async def test_what_all_prompts_begin_with_is_counted_once(tokenizer_folder: Path):
    meter = Metered(Knowing(tokenizer_folder, lambda fact: True))
    for number in range(3):
        await meter.choose(Choice((1, 2, 3, 4, 10 + number), ((20,), (21,)), (5, 6)), "", 0.0)
    assert meter.read == 4 + 3 * (1 + 2)
    assert meter.new == 3
    await meter.choose(Choice((1, 2, 3, 4, 10), ((20,), (21,)), (5, 6)), "", 0.0)
    assert meter.new == 3
