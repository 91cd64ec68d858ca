"""Whatever stands in it, a parser answers with what its contract names, or with the error it names, and in time.

`make fuzz`: real texts with pieces cut out, doubled, moved and put in, so that most of them get past the first check,
and values of every kind in the places of others. A nightly run draws thousands that no run before it has drawn; what it
finds is kept in `.hypothesis` and tried first the next time.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from pydantic import ValidationError

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.jsonl import parse_lines, read_annotations, to_json
from perception_reward.annotations.model import Annotation
from perception_reward.service.api.body import parse
from perception_reward.service.batch.layouts import read_map, recognised
from perception_reward.service.batch.rollouts import Rollout, RolloutFile, read_rollouts
from perception_reward.service.excerpt import excerpt
from perception_reward.service.judges.http.body import decoded
from perception_reward.service.judges.http.words import quotable
from perception_reward.service.judges.llm.engine import Choice, JudgeFailure
from perception_reward.service.judges.llm.reply import parse_reply
from perception_reward.service.judges.llm.sanitise import inert, visible
from perception_reward.service.judges.llm.selection import select
from perception_reward.service.judges.openai.completions import chosen, written
from perception_reward.service.judges.openai.scoring import scores
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.service.keyring import Keyring
from perception_reward.service.profiles.load import ProfileError, load_profiles
from perception_reward.service.rewards.accuracy import quick_grade
from perception_reward.service.rewards.answer import extract_answer
from perception_reward.service.rewards.format import format_reward
from perception_reward.service.rewards.parity import parity_format, parity_repetition, parse_judge_reply
from perception_reward.service.rewards.repetition import repetition_penalty
from perception_reward.service.scoring.responses import response_text, stripped
from perception_reward.trainer_client.tokens import Opened
from perception_reward.trainer_client.wire import Fact, ScoreRequest

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(1800)]

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
DEMO = ROOT / "service/demo"
ROLLOUTS = [json.loads(line) for line in (DEMO / "rollouts.jsonl").read_text().splitlines()]
ANNOTATIONS = (DEMO / "annotations.jsonl").read_text()
RESPONSES = [one["response"] for one in ROLLOUTS]
FACTS = [Fact(**fact) for line in ANNOTATIONS.splitlines() for fact in json.loads(line).get("facts", ())]
PROFILES = (ROOT / "service/profiles/profiles.toml").read_text()
KEY = "0123456789abcdef-the-key"
KEYS = f"""\
[trainer-7b]
key = "{KEY}"
may = ["score"]
items_per_second = 2000
pending_items = 8192

[curators]
sha256 = ["{"ab" * 32}", "{"cd" * 32}"]
may = ["score", "annotate"]
"""
SECONDS = 5.0
"""Of the processor for one text. Much is a fault of the kind that takes a service down."""

PIECES = (
    *("<think>", "</think>", "<answer>", "</answer>", "<|im_end|>", "<image>", "```", "\\boxed{", "}", "{", "$", "$$"),
    *(
        "\\frac{",
        "\\sqrt[",
        "^{",
        "_{",
        "\\left(",
        "\\text{",
        "\\begin{array}",
        "\\\\",
        "&",
        "|",
        "|---|",
        "\n",
        "\r",
        "\t",
    ),
    *(
        "\x00",
        "\x85",
        "\u2028",
        "\u202e",
        "\u200b",
        "\ud800",
        "\U000e0041",
        "𝟓",
        "٣",
        "½",
        "Ⅻ",
        "²",
        "−",
        "∠",
        "°",
        "⊥",
        "≅",
    ),
    *(
        "AB",
        "ABC",
        "5",
        "five",
        "1e999",
        "-0",
        "nan",
        "inf",
        "%",
        "¥",
        "not ",
        "no wait",
        "therefore",
        "A.",
        "(B)",
        "x",
        "!",
    ),
    *(
        '"',
        "'",
        "\\",
        "[",
        "]",
        ",",
        ":",
        "=",
        "null",
        "true",
        "NaN",
        "-Infinity",
        "\ufeff",
        "#",
        "9" * 400,
        "(" * 200,
        "{[1]: 2}",
        "1e400",
    ),
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), st.text(max_size=8), st.sampled_from(PIECES)
)
NESTED = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def changed(draw: st.DrawFn, corpus: list[T], pieces: list[T]) -> T:
    """A text of the corpus, of characters or bytes, with some places of it changed."""
    text: Any = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 60)))
        put: Any = draw(st.sampled_from(pieces)) * draw(st.sampled_from([0, 1, 1, 1, 2, 50]))
        again: Any = text[start:end] * draw(st.sampled_from([0, 0, 1, 2, 20]))
        text = text[:start] + put + again + text[end:]
    return text


BITS = [piece.encode("utf-8", "surrogatepass") for piece in PIECES] + [bytes([byte]) for byte in (0, 1, 127, 128, 255)]
TEXTS = st.one_of(
    changed(RESPONSES, list(PIECES)), st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.text(max_size=200)
)


@st.composite
def altered(draw: st.DrawFn, record: Any) -> Any:
    """A JSON value with others in the places of some of its own."""
    if draw(st.integers(0, 9)) == 0:
        return draw(NESTED)
    if isinstance(record, dict):
        kept = {key: draw(altered(value)) for key, value in record.items() if draw(st.integers(0, 12))}
        return kept | draw(
            st.dictionaries(st.sampled_from(["", "id", "extra", "response", "facts"]), NESTED, max_size=1)
        )
    if isinstance(record, list):
        return [draw(altered(value)) for value in record]
    return record


@contextmanager
def quick() -> Generator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


# Responses, which a policy writes on purpose.


@given(TEXTS, st.sampled_from(get_args(Opened)))
def test_rewards_that_need_no_model_are_numbers_of_their_range(text: str, opened: Opened) -> None:
    with quick():
        assert format_reward(text, opened) in (0.0, 1.0)
        assert parity_format(text) in (0.0, 1.0)
        for penalty in (repetition_penalty(text), parity_repetition(text)):
            assert -2.0 <= penalty <= 0.0
        own, start = stripped(text)
        assert text[start : start + len(own)] == own
        for scope in ("response", "think", "answer"):
            found = excerpt(text, scope, opened)
            assert found is None or found.text in text


@given(TEXTS, st.sampled_from(["15", "x^2 - 1", "B", "12 cm", "50°", "3/4", "yes", "(2, 3)", "", "\\frac{1}{2}"]))
def test_an_answer_is_right_or_wrong(text: str, reference: str) -> None:
    with quick():
        answer = extract_answer(text)
        for said in {text[-300:], answer or ""}:
            assert quick_grade(said, [reference], [("A", "12"), ("B", reference)]) in (True, False, None)
            assert quick_grade(reference, [said]) in (True, False, None)


@given(
    TEXTS,
    st.lists(st.sampled_from(FACTS), min_size=1, max_size=4)
    | TEXTS.map(lambda text: [Fact.model_construct(id="f", text=text)]),
)
def test_rules_decide_each_fact_and_point_into_the_response(text: str, facts: list[Fact]) -> None:
    with quick():
        verdicts = decide_all(text, facts)
    assert len(verdicts) == len(facts)
    for verdict in verdicts:
        assert 0.0 <= verdict.probability <= 1.0
        if verdict.span is not None:
            start, end = verdict.span
            assert 0 <= start <= end <= len(text)


@given(TEXTS, st.sampled_from(FACTS))
def test_what_a_model_is_shown_holds_nothing_that_it_would_obey(text: str, fact: Fact) -> None:
    with quick():
        shown = inert(visible(select(text, fact)))
    assert "</response>" not in shown
    assert not {"\u200b", "\u202e", "\U000e0041"} & set(shown)


@given(altered({"profile": "p", "step": 3, "items": [dict(ROLLOUTS[0], answer=["15", 3], choices={"A": "1"})]}))
def test_a_request_is_read_or_refused(value: Any) -> None:
    with quick():
        try:
            request = ScoreRequest.model_validate(value)
        except ValidationError:
            return
        for item in request.items:
            response_text(item.response)


@given(changed([json.dumps({"items": ROLLOUTS[:2]}).encode(), b'{"a":[1,{"b":"\\ud800"}]}'], BITS))
def test_a_body_is_json_or_refused(body: bytes) -> None:
    with quick(), suppress(json.JSONDecodeError):
        parse(body)


# Replies of a judge, which may be any server.

REPLIES = [
    "<fact_1>1</fact_1>\n<fact_2>0</fact_2>",
    "1: Yes\n2: Unknown\n3: No",
    "[[1]] [[0.5]] <info_1>1</info_1> <score_1>0</score_1>",
]
CHOSEN = {"choices": [{"index": 0, "logprobs": {"top_logprobs": [{"token_id:7": -0.5, "token_id:9": -1.0}]}}]}
WRITTEN = {
    "choices": [
        {
            "index": 0,
            "text": "1: Yes",
            "finish_reason": "stop",
            "logprobs": {
                "tokens": ["token_id:7"],
                "token_logprobs": [-0.5],
                "top_logprobs": [{"token_id:7": -0.5}],
                "text_offset": [0],
            },
        }
    ]
}
SCORES = {"data": [{"index": 0, "score": 0.5}], "usage": {"prompt_tokens": 4}}
ASKED = Choice((1, 2, 3), ((4,),), (7, 9))


@given(changed(REPLIES, list(PIECES)) | TEXTS, st.integers(0, 40), st.booleans())
def test_a_written_reply_holds_numbers_or_nothing(text: str, count: int, strict: bool) -> None:
    with quick():
        for value in parse_reply(text, count, strict=strict):
            assert value is None or 0.0 <= value <= 1.0
        assert all(math.isfinite(value) for value in parse_judge_reply(text))


@given(altered(CHOSEN) | altered(WRITTEN) | altered(SCORES), st.integers(1, 3))
def test_a_reply_is_read_or_it_is_a_failure_of_the_judge(reply: Any, count: int) -> None:
    with quick():
        for read in (lambda: chosen(reply, count), lambda: scores(reply, ASKED)):
            try:
                found = read()
            except JudgeFailure:
                continue
            values = [value for one in found for value in (one.values() if isinstance(one, dict) else [one])]
            assert all(value <= 0.001 for value in values)
        with suppress(JudgeFailure):
            written(reply)


@given(changed([json.dumps(one).encode() for one in (CHOSEN, WRITTEN, SCORES)], BITS) | st.binary(max_size=60))
def test_a_body_of_a_judge_is_json_or_a_failure_and_quoted_in_one_line(body: bytes) -> None:
    with quick():
        said = quotable(body)
        assert len(said) <= 1000
        assert said.isprintable()
        with suppress(JudgeFailure):
            decoded(body)


# Files, which come from anywhere.


def csv_of(records: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(records[0]))
    writer.writeheader()
    writer.writerows({k: v if isinstance(v, str) else json.dumps(v) for k, v in one.items()} for one in records)
    return out.getvalue().encode()


def parquet_of(records: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), out)
    return out.getvalue()


def sheet_of(records: list[dict[str, Any]]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet.append(list(records[0]))
    for one in records:
        sheet.append([value if isinstance(value, str) else json.dumps(value) for value in one.values()])
    book.save(out)
    return out.getvalue()


PLAIN = [{key: one[key] for key in ("id", "response", "annotation_id")} for one in ROLLOUTS[:3]]
FORMS: dict[str, bytes] = {
    ".jsonl": "".join(json.dumps(one) + "\n" for one in ROLLOUTS[:3]).encode(),
    ".json": json.dumps(ROLLOUTS[:3]).encode(),
    ".csv": csv_of(PLAIN),
    ".parquet": parquet_of(PLAIN),
    ".xlsx": sheet_of(PLAIN),
    ".jsonl.gz": gzip.compress(json.dumps(ROLLOUTS[0]).encode()),
}
RECORDS: dict[str, dict[str, Any]] = {
    "ours": {"response": "AB = 5", "answer": "15", "choices": {"A": "1"}, "facts": [{"id": "f", "text": "AB is 5."}]},
    "verl": {"input": "AC?<think>\n", "output": "5</think>", "score": 1.0, "gts": "5", "step": 3},
    "trl": {
        "prompt": [{"role": "user", "content": "AC?"}],
        "completion": [{"role": "assistant", "content": "5"}],
        "solution": 5,
    },
    "openai": {
        "custom_id": "r",
        "response": {"body": {"choices": [{"message": {"role": "assistant", "content": "5"}}]}},
    },
    "lmms-eval": {"doc_id": 3, "resps": [["5"]], "filtered_resps": ["5"], "target": "5", "doc": {"question": "AC?"}},
    "vlmevalkit": {"index": 1, "prediction": "B", "A": "1", "B": "2", "answer": "B", "thinking": "hm"},
    "mathvista": {"pid": "1", "answer_type": "text", "response": "5", "answer": "5", "choices": "['1', '5']"},
    "mathverse": {
        "sample_index": "1",
        "problem_version": "Text",
        "model_answer": "5",
        "answer": "5",
        "problem_index": "3",
    },
    "mathv": {"id": "1", "response": "5", "options": ["1", "5"], "answer": "B"},
    "wemath": {"ID": "1", "option": "A. 1; B. 2", "response": "A", "answer": "A"},
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bytes], Path]:
    folder = tmp_path_factory.mktemp("fuzz")

    def write(ending: str, content: bytes) -> Path:
        path = folder / f"file{ending}"
        path.write_bytes(content)
        return path

    return write


def one_line(message: str) -> None:
    assert message
    assert not {"\n", "\r", "\u2028", "\x00"} & set(message), message


@pytest.mark.parametrize("layout", RECORDS)
@given(st.data())
def test_a_record_of_a_layout_is_rollouts_or_a_fault_in_one_line(layout: str, data: st.DataObject) -> None:
    record = data.draw(altered(RECORDS[layout]))
    if not isinstance(record, dict):
        return
    with quick():
        found = read_rollouts(1, record, recognised([RECORDS[layout]]))
        read_rollouts(1, record, recognised([record]))
        for one in found:
            if isinstance(one, LineError):
                one_line(one.message)
            else:
                json.dumps(one.extra)


@pytest.mark.parametrize("form", FORMS)
@given(st.data())
def test_a_file_of_rollouts_is_read_or_refused_in_words(file: Any, form: str, data: st.DataObject) -> None:
    path = file(form, data.draw(changed([FORMS[form]], BITS)))
    with quick():
        try:
            for _, found in RolloutFile(path):
                assert isinstance(found, Rollout | LineError)
                if isinstance(found, LineError):
                    one_line(found.message)
        except RecordFileError as error:
            one_line(str(error))


@pytest.mark.parametrize("form", [".jsonl", ".json", ".csv", ".parquet", ".jsonl.gz"])
@given(st.data())
def test_a_file_of_annotations_is_read_or_refused_and_comes_back_as_it_was(
    file: Any, form: str, data: st.DataObject
) -> None:
    records = [json.loads(line) for line in ANNOTATIONS.splitlines()[:3]]
    forms = {
        ".jsonl": ANNOTATIONS.encode(),
        ".json": json.dumps(records).encode(),
        ".csv": csv_of([{key: one[key] for key in ("id", "question", "answer", "facts")} for one in records]),
        ".parquet": parquet_of([{key: one[key] for key in ("id", "question", "answer")} for one in records]),
        ".jsonl.gz": gzip.compress(ANNOTATIONS.encode()),
    }
    path = file(form, data.draw(changed([forms[form]], BITS)))
    with quick():
        try:
            read = read_annotations(path)
        except RecordFileError as error:
            for line in str(error).splitlines():
                one_line(line)
            return
        again = list(parse_lines(to_json(one) for one in read.values()))
        assert again == list(read.values())


@given(altered(json.loads(ANNOTATIONS.splitlines()[0])))
def test_an_annotation_is_one_or_a_fault_in_one_line(record: Any) -> None:
    with quick():
        for found in parse_lines([json.dumps(record)]):
            if isinstance(found, LineError):
                one_line(found.message)
            else:
                assert isinstance(found, Annotation)


def hides_keys(message: str) -> None:
    assert KEY not in message


TABLES = [
    *PIECES,
    "[",
    "]",
    "[[",
    '"""',
    "= ",
    "0x",
    "1979-05-27",
    "\n[a]\n",
    "may",
    "sha256",
    "key_file",
    "base",
    "weights",
]


@given(changed([KEYS], TABLES).filter(lambda text: "\ud800" not in text))
def test_a_file_of_keys_is_read_or_refused_without_its_keys(file: Any, text: str) -> None:
    path = file(".toml", text.encode())
    with quick():
        try:
            ring = Keyring(file=path)
        except (ValueError, OSError) as error:
            one_line(str(error))
            hides_keys(str(error))
            return
        assert ring
        ring.find(text.encode()[:50])


@given(changed([KEYS.encode()], BITS))
def test_bytes_are_keys_or_refused(file: Any, content: bytes) -> None:
    try:
        Keyring(file=file(".toml", content))
    except (ValueError, OSError) as error:
        hides_keys(str(error))


OWN = [
    '[mine]\nbase = "perception-r1"\nweights = { perception = 0.5 }\n',
    PROFILES.replace("[", "[my-", 1).replace("\n[", "\n[my-"),
]


@given(changed(OWN, TABLES).filter(lambda text: "\ud800" not in text))
def test_a_file_of_profiles_is_read_or_refused(file: Any, text: str) -> None:
    path = file(".toml", text.encode())
    with quick():
        try:
            profiles = load_profiles(path)
        except ProfileError as error:
            one_line(str(error))
            return
        assert all(profile.name == name for name, profile in profiles.items())


@given(changed(["response=output,answer=meta.truth", "id=a.*.b"], list(PIECES)))
def test_a_map_is_read_or_refused(text: str) -> None:
    try:
        read_map(text)
    except ValueError as error:
        one_line(str(error))
