from __future__ import annotations

import gzip
import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.figures import Header
from perception_reward.annotations.jsonl import (
    open_annotations,
    parse_lines,
    read_annotations,
    read_header,
    to_json,
    write_jsonl,
)
from perception_reward.annotations.model import Annotation
from perception_reward.trainer_client.wire import Fact

ONE = Annotation(id="a", answer="5", facts=[Fact(id="f1", text="Segment AB has length 5.", kind="length")])
TWO = Annotation(id="b", question="Wie groß ist ∠ABC?")


def faults_of(path: Path) -> tuple[LineError, ...]:
    with pytest.raises(RecordFileError) as caught:
        read_annotations(path)
    return caught.value.faults


@pytest.mark.parametrize("name", ["some.jsonl", "some.jsonl.gz"])
def test_what_is_written_reads_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert write_jsonl(path, [ONE, TWO]) == 2
    assert read_annotations(path) == {1: ONE, 2: TWO}


def test_fields_at_their_defaults_are_not_written() -> None:
    assert json.loads(to_json(TWO)) == {"id": "b", "question": "Wie groß ist ∠ABC?"}


def test_byte_order_marks_windows_line_ends_and_blank_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + to_json(ONE).encode() + b"\r\n\r\n  \r\n" + to_json(TWO).encode())
    assert read_annotations(path) == {1: ONE, 4: TWO}


def test_a_byte_order_mark_in_text_is_fine() -> None:
    assert list(parse_lines(["\ufeff" + to_json(ONE)])) == [ONE]


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()
    assert read_annotations(path) == {}


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ('{"id": "a", "facts": [{"id": "f3"}]}', "facts.0.text", "fact 'f3' has no text"),
        ('{"id": "a", "facts": [{"id": "f3", "text": ""}]}', "facts.0.text", "fact 'f3' has no text"),
        ('{"id": "a", "facts": [{"text": "x"}]}', "facts.0.id", "fact number 1 has no id"),
        ('{"id": "a", "facts": [7]}', "facts.0", "fact number 1 is wrong: Input should be an object"),
        ('{"id": "a", "images": ["x", 7]}', "images.1", "'images' has a wrong entry 2: Input should be a valid string"),
        ('{"id": "a", "facts": [{"id": "f", "text": "x", "kidn": "y"}]}', "facts.0.kidn", "a field 'kidn'"),
        ('{"answer": "5"}', "id", "the annotation has no id"),
        ('{"id": ""}', "id", "the annotation has no id"),
        ('{"id": "a", "anwser": "5"}', "anwser", "the annotation has a field 'anwser' that is not known"),
        ('{"id": "a", "answer": {}}', "answer", "the annotation has a wrong answer"),
        ('{"id": "a", "facts": [{"id": "f", "text": "x", "weight": 1e999}]}', "facts.0.weight", "wrong weight"),
        ('{"id": "a", "facts": [{"id": "f", "text": "x", "weight": NaN}]}', "", "NaN is not JSON"),
        ('{"id": "a", "facts": [{"id":"f","text":"x"},{"id":"f","text":"y"}]}', "", "two facts share the id 'f'"),
        ('{"id": 1, "question": 2}', "id", "(and 1 more)"),
        ('{"id": "\\ud800"}', "id", "the annotation has a wrong id"),
        ('{"id": "a", "grün\\n": 1}', "grün\\n", "has a field 'grün\\\\n' that is not known"),
        ('{"id": "a", "\\ud800": 1}', "", "the annotation is wrong"),
        ("[1]", "", "holds list where a JSON object should be"),
        ("{", "", "is not JSON"),
        ("[" * 100_000, "", "is not JSON that can be read"),
        ("1" * 5000, "", "is not JSON that can be read"),
    ],
)
def test_a_fault_names_its_line_and_field(line: str, field: str, message: str) -> None:
    (found,) = parse_lines([line])
    assert isinstance(found, LineError)
    assert (found.line, found.field) == (1, field)
    assert message in found.message
    json.dumps([found.field, found.message]).encode()
    found.field.encode()


def test_bytes_that_are_no_utf8_are_a_fault_of_their_line() -> None:
    first, second = parse_lines([b'{"id": "\xff"}', to_json(ONE).encode()])
    assert first == LineError(1, "", "is not UTF-8 (byte 9: invalid start byte)")
    assert second == ONE


def test_an_id_that_comes_twice_names_both_lines() -> None:
    found = list(parse_lines([to_json(ONE), "", to_json(ONE)]))
    assert found == [ONE, LineError(3, "id", "the id 'a' is already that of line 1")]


def test_lines_are_parsed_as_they_come() -> None:
    def lines() -> Iterator[str]:
        yield to_json(ONE)
        raise AssertionError("read ahead")

    assert next(parse_lines(lines())) == ONE


def test_all_faults_of_a_file_are_collected_and_the_first_twenty_shown(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "ok"}\n' + '{"id": "a", "facts": [{"id": "f3"}]}\n' * 30)
    with pytest.raises(RecordFileError) as caught:
        read_annotations(path)
    assert len(caught.value.faults) == 30
    shown = str(caught.value).splitlines()
    assert shown[0] == "bad.jsonl line 2: fact 'f3' has no text"
    assert shown[20] == "… and 10 more faults in bad.jsonl"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_gzip_file_that_is_cut_is_a_fault_and_a_plain_one_of_that_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(to_json(ONE).encode() * 100)[:-20])
    assert "no complete gzip file" in faults_of(path)[0].message
    path.write_text(to_json(ONE))
    assert read_annotations(path) == {1: ONE}


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    write_jsonl(path, [ONE])

    def broken() -> Iterator[Annotation]:
        yield TWO
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_jsonl(path, broken())
    assert read_annotations(path) == {1: ONE}
    assert os.listdir(tmp_path) == ["some.jsonl"]


def test_a_rewritten_file_keeps_its_permissions_and_a_link_its_target(tmp_path: Path) -> None:
    path, link = tmp_path / "some.jsonl", tmp_path / "link.jsonl"
    write_jsonl(path, [ONE])
    path.chmod(0o600)
    link.symlink_to(path)
    write_jsonl(link, [TWO])
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_annotations(path) == {1: TWO}


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
facts = st.builds(Fact, id=texts, text=texts.filter(str.strip), weight=st.floats(0, 1000))
annotations = st.builds(Annotation, id=texts, answer=st.none() | texts, facts=st.lists(facts, unique_by=lambda f: f.id))


@given(annotations)
def test_any_annotation_survives_its_line(annotation: Annotation) -> None:
    assert list(parse_lines([to_json(annotation)])) == [annotation]
    assert "\n" not in to_json(annotation)


@given(st.lists(st.binary(max_size=60) | st.text(max_size=60)))
def test_any_line_is_an_annotation_or_a_fault(lines: list[str | bytes]) -> None:
    assert all(isinstance(found, Annotation | LineError) for found in parse_lines(lines))


def test_a_header_is_no_annotation_and_is_read_from_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    write_jsonl(path, [Annotation(id="a")], header=Header(version="v"))
    assert read_header(open_annotations(path)) == Header(version="v")
    assert list(read_annotations(path)) == [2]
    write_jsonl(path, [Annotation(id="a")], header=Header())
    assert list(read_annotations(path)) == [1]
    assert read_header(open_annotations(path)) == Header()


def test_a_header_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"header": {"versoin": "v"}}\n{"id": "a"}\n{"header": {}}\n')
    with pytest.raises(RecordFileError, match=r"line 1: has a header whose versoin is wrong"):
        read_header(open_annotations(path))
    with pytest.raises(RecordFileError, match=r"line 3: the annotation has"):
        read_annotations(path)
