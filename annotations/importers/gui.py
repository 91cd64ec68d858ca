"""Trees of a screen's elements: Android's window dumps (XML), Rico's hierarchies, and accessibility trees (JSON).

A fact names an element by its words: its role and text, its state where it has one, and where on the screen it is,
in ninths of it. Elements without words, and those that are not drawn, show nothing that a response could name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast
from xml.etree import ElementTree

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import Draft, Importer, Problem, Refused, optional, quoted, text
from perception_reward.annotations.importers.sources import whole_files

DEEPEST = 200
# By the last part of a class' name, or by an accessibility tree's role.
ROLES = {
    "button": "button",
    "imagebutton": "button",
    "edittext": "text field",
    "textbox": "text field",
    "textfield": "text field",
    "checkbox": "checkbox",
    "switch": "switch",
    "togglebutton": "switch",
    "radiobutton": "radio button",
    "radio": "radio button",
    "link": "link",
    "tab": "tab",
    "menuitem": "menu item",
    "combobox": "drop-down list",
    "spinner": "drop-down list",
    "heading": "heading",
    "image": "image",
    "imageview": "image",
    "img": "image",
}
CHECKED = ("checkbox", "switch", "radio button")
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Element:
    role: str
    words: str
    box: Box | None
    states: tuple[str, ...]


def read(content: str) -> Record:
    """The tree of an XML dump or a JSON document. Raises `ValueError`."""
    if content.lstrip().startswith("<"):
        if "<!DOCTYPE" in content:
            raise ValueError("has a document type, which a window dump has not")
        try:
            return {"tree": _plain(ElementTree.fromstring(content))}
        except ElementTree.ParseError as error:
            raise ValueError(f"is no XML ({error})") from None
    try:
        tree: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is neither JSON nor XML ({error})") from None
    return {"tree": tree}


def _plain(node: ElementTree.Element, depth: int = 0) -> dict[str, Any]:
    if depth > DEEPEST:
        raise ValueError(f"is nested deeper than {DEEPEST}")
    return {**node.attrib, "children": [_plain(child, depth + 1) for child in node]}


def make(row: Record) -> Problem:
    """What a screen shows, element by element."""
    tree = row.get("tree")
    root = cast("dict[str, Any]", tree) if isinstance(tree, dict) else {}
    activity = root.get("activity")
    if isinstance(activity, dict):  # Rico
        root = cast("dict[str, Any]", cast("dict[str, Any]", activity).get("root") or {})
    nodes = list(_nodes(root))
    screen = max((box for node in nodes if (box := _box(node))), key=lambda box: (box[2], box[3]), default=None)
    problem = Problem(id=text(row, "id"))
    elements = [element for node in nodes if (element := _element(node, problem))]
    if not elements:
        raise Refused("has no element with words")
    for element in elements:
        problem.drafts += (replace(draft, region=element.box) for draft in _drafts(element, screen))
    return problem


def _nodes(node: dict[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > DEEPEST:
        raise Refused("is nested too deep", DEEPEST)
    if node.get("visible-to-user") is False or str(node.get("visible")).lower() == "false":
        return
    yield node
    for child in cast("list[object]", node.get("children") or []):
        if isinstance(child, dict):
            yield from _nodes(cast("dict[str, Any]", child), depth + 1)


def _element(node: dict[str, Any], problem: Problem) -> _Element | None:
    descriptions = node.get("content-desc")
    described = (
        next((str(one) for one in cast("list[object]", descriptions) if one), "")
        if isinstance(descriptions, list)
        else optional(node, "content-desc")
    )
    words = optional(node, "text", "name") or described or optional(node, "value")
    kind = str(node.get("role") or node.get("componentLabel") or node.get("class") or "")
    role = ROLES.get(re.split(r"[.$]", kind)[-1].lower().replace(" ", ""), "text")
    if not words:
        if role != "text" and role != "image":
            problem.refused.append(Refused("is an element without words", role))
        return None
    box = _box(node)
    if box is not None and (box[2] <= box[0] or box[3] <= box[1]):
        problem.refused.append(Refused("is an element that is not drawn", words))
        return None
    return _Element(role, words, box, tuple(_states(node, role)))


def _states(node: dict[str, Any], role: str) -> Iterator[str]:
    checked = str(node.get("checked", "")).lower()
    if role in CHECKED and checked in ("true", "false"):
        on, off = ("on", "off") if role == "switch" else ("selected", "not selected")
        on, off = ("checked", "not checked") if role == "checkbox" else (on, off)
        yield on if checked == "true" else off
    elif str(node.get("selected", "")).lower() == "true":
        yield "selected"
    if str(node.get("enabled", "")).lower() == "false" or str(node.get("disabled", "")).lower() == "true":
        yield "disabled"


def _drafts(element: _Element, screen: Box | None) -> Iterator[Draft]:
    words = quoted(element.words)
    if element.role == "text":
        named = f"The text {words}"
        yield Draft(f"The screen shows the text {words}.", "text")
    else:
        named = f"The {element.role} {words}"
        article = "an" if element.role[0] in "aeiou" else "a"
        yield Draft(f"The screen shows {article} {element.role} {words}.", "element")
    yield from (Draft(f"{named} is {state}.", "state") for state in element.states)
    if screen is not None and element.box is not None and (place := _place(element.box, screen)):
        yield Draft(f"{named} is {place} of the screen.", "position")


def _place(box: Box, screen: Box) -> str:
    """By the ninth of the screen that holds the element whole; empty for one that reaches over several."""
    across = _third(box[0], box[2], screen[0], screen[2])
    down = _third(box[1], box[3], screen[1], screen[3])
    if across is None or down is None:
        return ""
    vertical, horizontal = ("top", "", "bottom")[down], ("left", "", "right")[across]
    return f"at the {' '.join(filter(None, (vertical, horizontal)))}" if vertical or horizontal else "in the middle"


def _third(start: float, end: float, first: float, last: float) -> int | None:
    third = (last - first) / 3
    if third <= 0:
        return None
    one, other = (start - first) / third, (end - first) / third
    return int(one) if one >= 0 and other <= int(one) + 1 and int(one) < 3 else None


def _box(node: dict[str, Any]) -> Box | None:
    """`[0,0][1080,2408]`, `[0, 0, 1080, 2408]`, or x, y, width and height."""
    bounds = node.get("bounds") or node.get("bbox") or node.get("box") or ""
    if isinstance(bounds, dict):
        named = cast("dict[str, object]", bounds)
        parts = [named.get(name) for name in ("x", "y", "width", "height")]
        x, y, width, height = (float(one) if isinstance(one, int | float) else math.nan for one in parts)
        return None if math.isnan(x + y + width + height) else (x, y, x + width, y + height)
    numbers = re.findall(r"-?\d+(?:\.\d+)?", str(bounds))
    if len(numbers) != 4:
        return None
    left, top, right, bottom = map(float, numbers)
    return left, top, right, bottom


GUI = Importer(
    "gui",
    "a screen's tree of elements in each file: Android's window dumps (XML), Rico's or accessibility trees (JSON)",
    ("text", "element", "state", "position"),
    whole_files(read, ".xml", ".json"),
    make,
)
