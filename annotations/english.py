"""Statements as English sentences, with Unicode mathematics: `Angle ABC measures (4y - 10) degrees.`

Plain sentences on purpose: a language model and a pattern matcher must both read them.
"""

from __future__ import annotations

from perception_reward.annotations.language.quantities import Quantity
from perception_reward.annotations.statements import Figure, Statement


def sentence(statement: Statement) -> str:
    """One English sentence, with its full stop."""
    if statement.quantity is not None:
        return _valued(statement.kind, statement.figures[0], statement.quantity)
    return _related(statement.kind, *statement.figures)


def _valued(kind: str, figure: Figure, quantity: Quantity) -> str:
    match kind:
        case "length":
            return f"Segment {_name(figure)} has length {quantity}."
        case "angle" | "arc":
            amount = f"({quantity})" if quantity.is_compound else str(quantity)
            return f"{_capital(_named(figure))} measures {amount} degrees."
        case "arc_length":
            return f"{_capital(_named(figure))} has length {quantity}."
        case _:
            return f"The {kind} of {_named(figure)} is {quantity}."


def _related(kind: str, one: Figure, other: Figure) -> str:
    match kind:
        case "perpendicular" | "parallel":
            return f"{_name(one)} is {kind} to {_name(other)}."
        case "tangent":
            return f"Line {_name(one)} is tangent to circle {_name(other)}."
        case "on_line":
            return f"Point {_name(one)} lies on line {_name(other)}."
        case "on_circle":
            return f"Point {_name(one)} lies on circle {_name(other)}."
        case "label":
            return f"Angle {_name(one)} is labelled {_name(other)}."
        case "equal_length":
            return f"Segments {_name(one)} and {_name(other)} have equal length."
        case "equal_angle":
            return f"Angles {_name(one)} and {_name(other)} have equal measure."
        case "equal_arc_length":
            return f"Arcs {_name(one)} and {_name(other)} have equal length."
        case _:
            return f"Arcs {_name(one)} and {_name(other)} have equal measure."


def _name(figure: Figure) -> str:
    return "".join(figure.points)


def _named(figure: Figure) -> str:
    sort = "angle" if figure.sort == "label" else figure.sort
    return f"{sort} {_name(figure)}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
