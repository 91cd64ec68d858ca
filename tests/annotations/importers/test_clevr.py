from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]


def thing(color: str, shape: str = "cube") -> dict[str, Any]:
    return {"size": "small", "color": color, "material": "rubber", "shape": shape, "pixel_coords": [1, 2, 3]}


SCENE = {
    "image_filename": "made_up_7.png",
    "objects": [thing("red"), thing("blue", "sphere"), thing("green"), thing("green")],
    "relationships": {"left": [[1], [], [0, 1], [0]], "right": [[2], [0, 2], [], []], "front": [[], [0], [9], []]},
}


def test_counts_objects_and_relations_of_a_scene(imported: Import):
    (annotation,), report = imported("clevr", json.dumps({"info": {"version": 1}, "scenes": [SCENE]}))
    texts = [fact.text for fact in annotation.facts]
    assert annotation.id == "made_up_7"
    assert "There are four objects." in texts
    assert "There are two small green rubber cubes." in texts
    assert "There is one sphere." in texts
    assert "The small blue rubber sphere is to the left of the small red rubber cube." in texts
    assert "The small red rubber cube is in front of the small blue rubber sphere." in texts
    assert not [one for one in texts if "to the" in one and "green" in one]
    assert report.refused_facts == {"relates an object that is not there": 1}


def test_scenes_of_other_shapes_are_refused_and_the_next_one_is_read(imported: Import):
    rows = [{"objects": []}, {"objects": [{"size": "small"}]}, {**SCENE, "relationships": {"left": 3}}, SCENE]
    found, report = imported("clevr", "\n".join(map(json.dumps, rows)))
    assert len(found) == 1
    assert report.refused_rows == {
        "has no objects": 1,
        "has an object without color": 1,
        "is not of this layout": 1,
    }


def test_real_scenes(imported: Import, real_rows: Path):
    found, report = imported("clevr", real_rows / "clevr")
    assert (len(found), report.facts, report.refused_rows.total(), report.refused_facts.total()) == (10, 603, 0, 0)
