from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Import = Callable[..., Any]

DUMP = """<?xml version='1.0'?><hierarchy rotation="0"><node text="" class="android.widget.FrameLayout"
 bounds="[0,0][900,1800]"><node text="Wi-Fi" class="android.widget.Switch" checked="false" enabled="true"
 bounds="[10,10][200,90]"/><node text="" content-desc="Send" class="android.widget.Button" enabled="false"
 bounds="[700,1700][890,1790]"/><node text="ghost" class="android.widget.TextView" bounds="[5,5][5,9]"/><node text=""
 class="android.widget.Button" bounds="[0,0][9,9]"/></node></hierarchy>"""
TREE = {
    "role": "window",
    "bbox": {"x": 0, "y": 0, "width": 300, "height": 300},
    "children": [
        {"role": "checkbox", "name": "Agree", "checked": True, "bbox": {"x": 110, "y": 110, "width": 50, "height": 20}},
        {"role": "link", "name": 'the "rules"', "children": [{"role": "text", "name": "unseen", "visible": False}]},
    ],
}


def test_a_window_dump_tells_roles_texts_states_and_places(imported: Import):
    (annotation,), report = imported("gui", DUMP, "screen.xml")
    assert annotation.id == "screen"
    assert [(fact.kind, fact.text) for fact in annotation.facts] == [
        ("element", 'The screen shows a switch "Wi-Fi".'),
        ("state", 'The switch "Wi-Fi" is off.'),
        ("position", 'The switch "Wi-Fi" is at the top left of the screen.'),
        ("element", 'The screen shows a button "Send".'),
        ("state", 'The button "Send" is disabled.'),
        ("position", 'The button "Send" is at the bottom right of the screen.'),
    ]
    assert annotation.facts[0].region == (10, 10, 200, 90)
    assert report.refused_facts == {"is an element that is not drawn": 1, "is an element without words": 1}


def test_an_accessibility_tree(imported: Import):
    (annotation,), _ = imported("gui", json.dumps(TREE), "tree.json")
    assert [fact.text for fact in annotation.facts] == [
        'The screen shows a checkbox "Agree".',
        'The checkbox "Agree" is checked.',
        'The checkbox "Agree" is in the middle of the screen.',
        "The screen shows a link \"the 'rules'\".",
    ]


def test_what_is_no_tree_is_refused(imported: Import):
    deep = "<n>" * 300 + "</n>" * 300
    entities = '<!DOCTYPE n [<!ENTITY a "aaaa">]><n text="&a;"/>'
    found, report = imported("gui", {"a.xml": "<n", "b.xml": deep, "c.xml": entities, "d.json": "{}", "e.json": "nope"})
    assert not found
    assert report.refused_rows == {"cannot be read": 4, "has no element with words": 1}


def test_a_real_window_dump(imported: Import, real_rows: Path):
    (annotation,), _ = imported("gui", real_rows / "gui")
    assert 'The text "Home" is at the bottom left of the screen.' in [fact.text for fact in annotation.facts]
    assert len(annotation.facts) == 19
