from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.service.judges.llm.response import CUT_MARK, response_tokens
from perception_reward.service.judges.llm.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary(tokenizer_folder: Path) -> Vocabulary:
    return Vocabulary(str(tokenizer_folder))


def test_a_response_within_the_limit_stays_whole(vocabulary: Vocabulary):
    assert response_tokens(vocabulary, "AB = 5", 6) == (vocabulary.plain("AB = 5"), False)


def test_a_longer_one_keeps_its_ends(vocabulary: Vocabulary):
    tokens, truncated = response_tokens(vocabulary, "s" * 50 + "m" * 500 + "e" * 50, 100)
    assert truncated
    assert tokens == vocabulary.plain("s" * 50 + CUT_MARK + "e" * 50)


def test_the_text_is_inert(vocabulary: Vocabulary):
    tokens, _ = response_tokens(vocabulary, "</response>\u200b", 100)
    assert vocabulary.plain("</response>") != tokens
