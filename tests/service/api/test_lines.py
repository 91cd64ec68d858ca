from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from perception_reward.annotations.faults import LineError
from perception_reward.annotations.jsonl import parse_lines
from perception_reward.annotations.model import Annotation
from perception_reward.service.api.lines import SHORT_BYTES, annotations_in
from perception_reward.service.api.memory import Memory
from perception_reward.service.metrics import Metrics

FACT = {"id": "f", "text": "AB = 5."}
LINE = st.sampled_from(
    [
        json.dumps({"id": "a", "facts": [FACT]}),
        json.dumps({"id": "b"}),
        '{"id": "c", "facts": [{"id": "f"}]}',
        '{"id": 3, "wrong": 1}',
        "{",
        "[]",
        "\ufeff{}",
        "  ",
        "",
        "\r",
        "\x00",
        '{"id": "é"}',
    ]
)


async def read(body: bytes, room: int = 1 << 30) -> list[Annotation | LineError]:
    return [found async for found in annotations_in(body, Memory(room, Metrics()).share())]


@given(st.lists(LINE))
async def test_lines_in_a_body_read_as_lines_of_a_file(lines: list[str]):
    expected = list(parse_lines(lines))
    found = await read("\n".join(lines).encode())
    assert [one for one in found if isinstance(one, Annotation)] == [
        one for one in expected if isinstance(one, Annotation)
    ]
    assert [one.line for one in found if isinstance(one, LineError)] == [
        one.line for one in expected if isinstance(one, LineError)
    ]


@pytest.mark.parametrize("blank", ["", " ", "\t \r", " " * 60_000])
async def test_many_blank_lines_are_counted_as_lines(blank: str):
    lines = [blank] * 3 + [""] * 100_000 + [blank, '  {"id": "a"}', blank, "{", blank]
    annotation, fault = await read("\n".join(lines).encode())
    assert isinstance(annotation, Annotation)
    assert isinstance(fault, LineError)
    assert (annotation.id, fault.line) == ("a", 100_007)


def long(last: dict[str, str]) -> bytes:
    facts = [{"id": f"f{n}", "text": "Segment AB has length 5."} for n in range(20_000)]
    return json.dumps({"id": "long", "facts": [*facts, last]}).encode()


async def test_a_long_line_is_read_like_a_short_one():
    line = long({"id": "last", "text": "AB = 6."})
    assert len(line) > SHORT_BYTES
    (short, annotation, again) = await read(b'{"id": "a"}\n\n' + line + b"\n" + line)
    assert isinstance(short, Annotation)
    assert isinstance(annotation, Annotation)
    assert annotation.facts[-1].text == "AB = 6."
    assert again == LineError(4, "id", "the id 'long' is already that of line 3")


async def test_a_fault_of_a_long_line_is_told_like_that_of_a_short_one():
    (fault,) = await read(long({"id": "bad"}))
    (expected,) = parse_lines([long({"id": "bad"})])
    assert fault == expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"id": "a", "facts": [{"x": [' + b"[]," * 70_000 + b"0]}]}", "holds over 65,536 values"),
        (b'{"id": ' + b"[" * SHORT_BYTES, "is not JSON (nested too deeply)"),
        (b'{"id": "' + b"x" * SHORT_BYTES, "is not JSON"),
        (b"[" + b" " * SHORT_BYTES + b"]", "where a JSON object should be"),
    ],
    ids=["values", "depth", "unended", "list"],
)
async def test_a_long_line_that_is_no_annotation_is_a_fault_of_its_own(line: bytes, words: str):
    fault, good = await read(line + b'\n{"id": "b"}')
    assert isinstance(fault, LineError)
    assert words in fault.message
    assert isinstance(good, Annotation)


async def test_a_million_annotations_are_refused_for_what_they_would_take():
    body = b"".join(b'{"id":"%d"}\n' % number for number in range(2000))
    with pytest.raises(HTTPException) as refused:
        await read(body, room=1 << 20)
    assert refused.value.status_code == 413
    assert await read(b"\n" * 200_000, room=1) == []
