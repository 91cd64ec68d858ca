from __future__ import annotations

import math
import struct
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.cache.codec import (
    decode_grade,
    decode_verdict,
    encode_grade,
    encode_verdict,
)
from perception_reward.service.judges.base import Verdict
from perception_reward.trainer_client.wire import Stage

unit = st.floats(0, 1)
offsets = st.integers(0, 2**32 - 1)
spans = st.none() | st.tuples(offsets, offsets).map(lambda pair: (min(pair), max(pair)))
labels = st.sampled_from(["stated", "contradicted", "absent"])


verdicts = st.builds(
    Verdict,
    label=labels,
    probability=unit,
    span=spans,
    certainty=unit,
    contradiction=st.none() | unit,
    truncated=st.booleans(),
    settled=st.booleans(),
    stage=st.sampled_from(get_args(Stage)),
)


@given(verdicts)
def test_a_verdict_survives_to_the_last_bit(verdict: Verdict):
    assert decode_verdict(encode_verdict(verdict)) == verdict


@given(st.binary(max_size=40))
def test_any_bytes_decode_to_a_sound_verdict_or_a_miss(value: bytes):
    verdict = decode_verdict(value)
    assert verdict is None or (0 <= verdict.probability <= 1 and 0 <= verdict.certainty <= 1)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        struct.pack("<BBdd", 1, 0, 0.5, 0.5),
        struct.pack("<BBBddd", 1, 0, 0, 0.5, 0.5, 0.5),
        struct.pack("<BBBddd", 2, 3, 0, 0.5, 0.5, 0.5),
        struct.pack("<BBBddd", 2, 0, 4, 0.5, 0.5, 0.5),
        struct.pack("<BBBddd", 2, 0, 0, math.nan, 0.5, 0.5),
        struct.pack("<BBBddd", 2, 0, 0, 0.5, math.inf, 0.5),
        struct.pack("<BBBddd", 2, 0, 0, -0.1, 0.5, 0.5),
        struct.pack("<BBBddd", 2, 0, 0, 0.5, math.nan, 0.5),
        struct.pack("<BBBddd", 2, 0, 0, 1.0000001, 0.5, 0.5),
        struct.pack("<BBBddd", 2, 0, 0, 0.5, 0.5, 1.5),
        struct.pack("<BBBddd", 2, 0x20, 0, 0.5, 0.5, 0.5),
        struct.pack("<BBBdddII", 2, 0, 0, 0.5, 0.5, 0.5, 9, 3),
        struct.pack("<BBBdddI", 2, 0, 0, 0.5, 0.5, 0.5, 9),
    ],
)
def test_what_this_version_did_not_write_is_a_miss(value: bytes):
    assert decode_verdict(value) is None


@pytest.mark.parametrize("right", [True, False])
def test_a_grade_survives(right: bool):
    assert decode_grade(encode_grade(right)) is right


@given(st.binary(max_size=4))
def test_any_bytes_decode_to_a_grade_or_a_miss(value: bytes):
    assert decode_grade(value) in (True, False, None)


def test_a_verdict_takes_at_most_35_bytes():
    assert len(encode_verdict(Verdict("stated", 0.9))) == 27
    assert len(encode_verdict(Verdict("stated", 0.9, (3, 9)))) == 35
