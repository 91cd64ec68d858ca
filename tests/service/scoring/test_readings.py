from __future__ import annotations

from perception_reward.service.cache.keys import response_digest
from perception_reward.service.judges.base import Missing
from perception_reward.service.rewards.component import Component, Sample
from perception_reward.service.rewards.registry import BUILT_IN
from perception_reward.service.scoring.readings import LONGEST_ANSWER, Reading, Readings

RESPONSE = "<think>\nAB = 5\n</think>\n<answer>\n\\boxed{13}\n</answer>"


def read(readings: Readings, text: str, mode: str = "default") -> Reading:
    return readings.read(text, response_digest(text), mode, components=BUILT_IN)  # pyright: ignore[reportArgumentType]


def test_a_response_is_read_once():
    readings = Readings()
    assert read(readings, RESPONSE) is read(readings, RESPONSE)
    assert read(readings, RESPONSE) == Reading("13", "opened", {"format": 1.0, "repetition": 0.0})


def test_the_modes_read_for_themselves():
    readings = Readings()
    loose = "<think>x</think><answer>\\boxed{13}</answer>"
    assert read(readings, loose).values["format"] == 1.0
    assert read(readings, loose, "parity").values["format"] == 0.0


def test_what_the_prompt_had_written_changes_the_reading():
    readings = Readings()
    text = "AB = 5\n</think>\n<answer>\n\\boxed{13}\n</answer>"
    digest = response_digest(text)
    assert readings.read(text, digest, "default", "", BUILT_IN[:1]) == Reading("13", "unopened", {"format": 0.0})
    assert readings.read(text, digest, "default", "<think>", BUILT_IN[:1]) == Reading("13", "opened", {"format": 1.0})


def test_the_public_code_does_not_see_the_prompt():
    text = "\nAB = 5\n</think>\n<answer>\n\\boxed{13}\n</answer>"
    reading = Readings().read(text, response_digest(text), "parity", "<think>", BUILT_IN)
    assert reading.values["format"] == 0.0


def test_a_component_is_computed_once_and_one_that_failed_again():
    asked: list[str] = []

    def moody(sample: Sample) -> float:
        asked.append(sample.text)
        if len(asked) == 1:
            raise OSError
        return 0.5

    component = Component("moody", "Fails at first.", (0.0, 1.0), moody)
    readings = Readings()
    found = [
        readings.read(RESPONSE, response_digest(RESPONSE), "default", "", [component]).values["moody"] for _ in range(3)
    ]
    assert found == [Missing("component_failed"), 0.5, 0.5]
    assert asked == [RESPONSE] * 2


def test_a_response_that_is_one_long_answer_is_not_kept():
    readings = Readings()
    text = "<answer>" + "x " * LONGEST_ANSWER + "</answer>"
    assert read(readings, text) is not read(readings, text)


def test_memory_is_bounded_and_the_recent_stay():
    readings = Readings(100)
    first = read(readings, "0")
    for number in range(1, 100):
        read(readings, str(number))
    assert read(readings, "0") is first
    read(readings, "one more")
    assert len(readings._recent) == 100
    assert read(readings, "0") is first
