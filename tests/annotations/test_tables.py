from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.faults import RecordFileError
from perception_reward.annotations.figures import Counts, Figures, Header
from perception_reward.annotations.file_store import FileStore
from perception_reward.annotations.jsonl import open_annotations, read_annotations, read_header
from perception_reward.annotations.model import Annotation, Provenance
from perception_reward.annotations.outputs import OutputRefused
from perception_reward.annotations.tables import data_files, write_dataset, write_parquet
from perception_reward.annotations.version import Version
from perception_reward.trainer_client.wire import Fact

pytest.importorskip("pyarrow")

FACT = Fact(id="f", text="Segment AB has length 5.", kind="length", weight=2.5, origin="given", polarity="distractor")
PLACED = Fact(id="p", text="The total is 5.", page=3, at=(1.0, 2.5), region=(0.0, 1.0, 2.0, 3.0), view="top", call="c1")
PLAIN = [
    Annotation(id="a", question="Find x.", answer="5", choices=["5", "6"], images=["a.png"], facts=[FACT, PLACED]),
    Annotation(id="b", provenance=Provenance(source="made up")),
]
MIXED = [
    Annotation(id="a", answer=5, choices={"A": "5", "B": "6"}),
    Annotation(id="b", answer=["5", "five"]),
    Annotation(id="c", answer="5", choices=["1", "2"]),
    Annotation(id="d", answer=2.5),
]
HEADER = Header(
    version="v",
    figures=Figures(
        version="v",
        gold="g",
        gold_version="w",
        method="symbolic",
        created=datetime(2026, 1, 1, tzinfo=timezone.utc),
        problems=2,
        total=Counts(facts=3),
    ),
)


@pytest.mark.parametrize("annotations", [PLAIN, MIXED])
def test_tables_are_read_back_as_they_were(tmp_path: Path, annotations: list[Annotation]):
    write_parquet(tmp_path / "a.parquet", annotations, HEADER)
    write_dataset(tmp_path / "a", annotations, HEADER)
    (arrow,) = data_files(tmp_path / "a")
    for path in (tmp_path / "a.parquet", arrow):
        assert list(read_annotations(path).values()) == annotations
        assert read_header(open_annotations(path)) == HEADER


@given(
    st.lists(
        st.builds(
            Annotation,
            id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=5),
            question=st.none() | st.text(st.characters(codec="utf-8"), max_size=9),
            answer=st.none() | st.integers(-9, 9) | st.text(st.characters(codec="utf-8"), max_size=3),
            facts=st.just([]) | st.just([FACT]),
        ),
        max_size=4,
        unique_by=lambda one: one.id,
    )
)
def test_the_version_does_not_depend_on_the_form(
    tmp_path_factory: pytest.TempPathFactory, annotations: list[Annotation]
):
    path = tmp_path_factory.mktemp("tables") / "a.parquet"
    write_parquet(path, annotations, Header())
    assert Version.of(read_annotations(path).values()) == Version.of(annotations)


async def test_a_folder_is_a_store_and_is_only_read(tmp_path: Path):
    write_dataset(tmp_path / "a", PLAIN, HEADER)
    store = FileStore([tmp_path / "a"])
    await store.start()
    assert await store.get_many(["a", "b"]) == PLAIN
    assert (await store.header()).figures == HEADER.figures


def test_a_folder_is_replaced_only_where_it_is_one_of_ours(tmp_path: Path):
    folder = tmp_path / "a"
    write_dataset(folder, PLAIN, HEADER)
    with pytest.raises(OutputRefused, match="--force"):
        write_dataset(folder, MIXED, HEADER, replace=False)
    write_dataset(folder, MIXED, HEADER)
    assert [*read_annotations(data_files(folder)[0]).values()] == MIXED
    other = tmp_path / "mine"
    other.mkdir()
    with pytest.raises(OutputRefused, match="no folder of the datasets library"):
        write_dataset(other, PLAIN, HEADER)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "mine"]


@pytest.mark.parametrize("state", ["{}", "no JSON", '{"_data_files": [{"filename": "../secret.arrow"}]}'])
def test_a_folder_that_names_no_files_of_its_own_is_told(tmp_path: Path, state: str):
    (tmp_path / "state.json").write_text(state)
    with pytest.raises(ValueError, match=r"state\.json"):
        data_files(tmp_path)


def test_a_column_of_json_that_holds_none_is_told_with_its_row(tmp_path: Path):
    arrow: Any = pytest.importorskip("pyarrow")
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    rows = [{"id": "a", "answer_json": "5"}, {"id": "b", "answer_json": "{"}]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    with pytest.raises(RecordFileError, match=r"a\.parquet row 2: has no JSON in its answer_json"):
        read_annotations(tmp_path / "a.parquet")


def test_the_datasets_library_loads_the_folder(tmp_path: Path):
    datasets: Any = pytest.importorskip("datasets")
    write_dataset(tmp_path / "a", PLAIN, HEADER)
    loaded = datasets.load_from_disk(str(tmp_path / "a"))
    assert loaded["id"][:] == ["a", "b"]
    assert loaded[0]["facts"][0]["text"] == FACT.text
    assert json.dumps(loaded[0]["choices"]) == '["5", "6"]'
