from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.llm.evidence import Shown
from perception_reward.service.processes.messages import (
    LENGTH,
    Answer,
    Raised,
    Returned,
    frame,
    read_frame,
    whole_frames,
)

VALUES = [1, True, None, "text", 2.5, b"b", (1, [2], {"3": {4}}), (Verdict("stated", 0.5, (1, 2)),), [Shown("a", True)]]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_judges_and_graders_return_arrives(value: object) -> None:
    answer = Answer(Returned(value), 0.25)
    assert list(whole_frames(bytearray(frame(answer)))) == [answer]
    assert read_frame(io.BytesIO(frame(answer))) == answer


@given(st.lists(st.text(), max_size=5), st.integers(0, 200))
def test_frames_arrive_whole_wherever_they_are_cut(texts: list[str], cut: int) -> None:
    sent = b"".join(frame(Raised(text)) for text in texts)
    buffer = bytearray(sent[:cut])
    found = list(whole_frames(buffer))
    buffer += sent[cut:]
    found += list(whole_frames(buffer))
    assert found == [Raised(text) for text in texts]
    assert buffer == b""


class Hostile:
    """Runs a function where it is read."""

    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self) -> tuple[object, ...]:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("call", [(os.mkdir,), (eval, "1"), (getattr, 1, "real"), (Path, "/")], ids=repr)
def test_what_a_worker_says_runs_nothing(tmp_path: Path, call: tuple[object, ...]) -> None:
    call = (*call, str(tmp_path / "made")) if call == (os.mkdir,) else call
    with pytest.raises(ValueError, match="cannot be read"):
        list(whole_frames(bytearray(frame(Hostile(*call)))))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_is_not_believed_any_length() -> None:
    with pytest.raises(ValueError, match="announced"):
        list(whole_frames(bytearray(LENGTH.pack(2**32 - 1))))


@given(st.binary(max_size=300))
def test_noise_is_a_value_error_or_a_value(noise: bytes) -> None:
    with suppress(ValueError):
        list(whole_frames(bytearray(LENGTH.pack(len(noise)) + noise)))
