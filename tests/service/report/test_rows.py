"""Rows of results, in the forms that are read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perception_reward.annotations.faults import RecordFileError
from perception_reward.service.batch.results import to_line
from perception_reward.service.report.rows import Results, measures_of, problem_name, reasons, row_of
from perception_reward.trainer_client.wire import Components, FactResult, ItemResult

PARTS = Components(format=1.0, accuracy=0.0, perception=0.5, repetition=0.0)
OK = ItemResult(
    id="r-0",
    status="ok",
    score=0.45,
    components=PARTS,
    facts=[FactResult(id="f1", verdict="stated", probability=0.9, span=(3, 9))],
    reason=None,
)
MISSING = OK.model_copy(update={"id": "r-1", "status": "missing", "score": None, "reason": "judge_timeout"})


def line(result: ItemResult, **extra: object) -> dict[str, Any]:
    return json.loads(to_line(result, extra))


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "parquet", "flat.parquet"])
def test_what_score_writes_is_read_in_every_form(tmp_path: Path, form: str):
    records = [line(OK, model="m", step=3), line(MISSING, model="m", step=4)]
    path = tmp_path / f"results.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    elif form == "flat.parquet":
        names = ("components", "facts", "extra")
        pq.write_table(
            pa.Table.from_pylist([{**one, **{name: json.dumps(one[name]) for name in names}} for one in records]), path
        )
    else:
        text = "".join(json.dumps(one) + "\n" for one in records).encode()
        path.write_bytes(gzip.compress(text) if form.endswith("gz") else text)
    first, second = Results([str(path)])
    assert (first.id, first.place, first.file) == ("r-0", 1, str(path))
    assert (first.value("perception"), first.value("score"), first.step) == (0.5, 0.45, 3)
    assert (first.facts[0].verdict, first.facts[0].span) == ("stated", (3, 9))
    assert first.field("model") == "m"
    assert (second.missing, second.reason) == (True, "judge_timeout")
    assert reasons([first, second]) == {"judge_timeout": 1}


def test_the_first_record_that_is_no_result_is_told_with_its_line(tmp_path: Path):
    path = tmp_path / "rollouts.jsonl"
    path.write_text(json.dumps(line(OK)) + '\n{"response": "x"}\n', encoding="utf-8")
    with pytest.raises(RecordFileError) as error:
        list(Results([str(path)]))
    assert str(error.value) == (
        "rollouts.jsonl line 2: is no result of `perception-reward score`: it has neither components nor a score"
    )


def test_problems_are_named_by_the_first_field_that_all_rows_have_and_the_files_share():
    def rows(*fields: dict[str, object]):
        return [row_of("f", n, {"id": str(n), "score": 1.0, "extra": one}) for n, one in enumerate(fields)]

    one = rows({"group": "a", "pid": 1}, {"group": "b", "pid": 2})
    assert problem_name((one, one)) == "group"
    assert problem_name((one, rows({"group": "x", "pid": 2}))) == "pid"
    assert problem_name((one, rows({"group": "x", "pid": 9}))) == "id"
    with pytest.raises(ValueError, match="f line 0: has no 'level'; name the field"):
        problem_name((one,), "level")


def test_fields_that_nobody_asks_for_are_not_kept(tmp_path: Path):
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(line(OK, model="m", prompt="x" * 1000)) + "\n", encoding="utf-8")
    assert Results([str(path)]).slim({"model"})[0].fields == {"model": "m"}


def test_folders_and_globs_are_read_in_order_but_for_the_side_table_of_missing_rows(tmp_path: Path):
    for name in ("10.jsonl", "2.jsonl"):
        text = json.dumps(line(OK.model_copy(update={"id": name})))
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    (tmp_path / "2.jsonl.missing.jsonl").write_text('{"line": 1, "reason": "judge_timeout"}\n', encoding="utf-8")
    assert [row.id for row in Results([str(tmp_path)])] == ["2.jsonl", "10.jsonl"]
    assert [row.id for row in Results([str(tmp_path / "1*")])] == ["10.jsonl"]
    with pytest.raises(ValueError, match="there is no such file"):
        Results([str(tmp_path / "3*")])


def test_a_slim_row_has_counts_for_facts_and_the_fields_that_are_asked_for():
    [slim] = [row_of("f", 1, line(OK, model="m", step=3)).slim(["step"])]
    assert (slim.facts, slim.judged, slim.stated, slim.contradicted) == ((), 1, 1, 0)
    assert (slim.fields, slim.value("accuracy")) == ({"step": 3}, 0.0)


def test_rows_carry_whatever_components_their_profile_had():
    short = row_of("f", 1, {"id": "a", "score": 0.5, "components": {"brevity": -0.5, "accuracy": 1.0}})
    plain = row_of("f", 2, line(OK))
    assert short.measures == ("brevity", "accuracy", "score")
    assert (short.value("brevity"), short.value("perception")) == (-0.5, None)
    assert "brevity" not in short.fields
    assert measures_of([short, plain]) == ("brevity", "accuracy", "format", "perception", "repetition", "score")
