from __future__ import annotations

import json

from perception_reward.annotations.surrogates import mended


def test_a_lone_surrogate_becomes_one_character_wherever_it_stands():
    value = json.loads('{"a\\ud800": ["x\\udfffy", {"b": "😀"}, 1, null]}')
    assert mended(value) == {"a\ufffd": ["x\ufffdy", {"b": "😀"}, 1, None]}
