"""How a cascade is written: `cascade:` and the judge that is asked second."""

from __future__ import annotations

from typing import Final

SCHEME: Final = "cascade:"
FORM: Final = "cascade:JUDGE, where JUDGE is a language model, as in cascade:openai:http://127.0.0.1:8000#MODEL"


def second_stage(spec: str) -> str:
    """The judge of the second stage. ValueError for a spec that names none, or one that is no language model."""
    judge = spec.removeprefix(SCHEME).strip()
    if not spec.startswith(SCHEME) or not judge:
        raise ValueError(f"a cascade is written {FORM}")
    if judge == "symbolic" or judge.startswith(SCHEME):
        raise ValueError(
            f"the symbolic judge is the first stage already, and {judge!r} is no model to ask then: {FORM}"
        )
    return judge
