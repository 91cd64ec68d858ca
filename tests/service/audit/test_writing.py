from __future__ import annotations

import random
import re

import pytest

from perception_reward.service.audit.writing import filler, page
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.service.rewards.format import format_reward
from perception_reward.trainer_client.wire import Fact


@pytest.mark.parametrize("seed", range(20))
def test_a_page_holds_the_sentences_in_order(seed: int):
    written = page(random.Random(seed), "12").write(["AB = 5.", "AC = 7."])
    assert written.index("AB = 5.") < written.index("AC = 7.")
    assert "12" in written


def test_pages_come_in_blocks_prose_and_lists():
    forms = {page(random.Random(seed), None).form for seed in range(50)}
    assert forms == {"blocks", "prose", "list"}


def test_a_page_of_blocks_has_the_format_that_is_rewarded():
    pages = [page(random.Random(seed), "12") for seed in range(20)]
    assert all(format_reward(each.write(["AB = 5."])) == 1.0 for each in pages if each.form != "prose")


def test_padding_stands_around_the_sentences():
    written = page(random.Random(1), "12").write(["AB = 5."], padding=("before", "behind"))
    assert re.search(r"before.*AB = 5\..*behind", written, re.DOTALL)


def test_filler_is_as_long_as_asked_and_says_nothing():
    text = filler(random.Random(1), 5000)
    assert 5000 <= len(text) < 5200
    facts = [Fact(id="f1", text="Segment AB has length 5."), Fact(id="f2", text="There are two dogs.")]
    assert [verdict.label for verdict in decide_all(text, facts)] == ["absent", "absent"]
    assert not re.search(r"\d|\b[A-Z]{2,}\b", text)
