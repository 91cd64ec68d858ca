"""Which path somebody may have meant who asked for one that there is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

# How alike two paths are of which one may be meant for the other, by `difflib`.
ALIKE = 0.6
DEFAULT = "POST /v1/score scores"


def hint(path: str, method: str, routes: Iterable[BaseRoute]) -> str:
    """`did you mean POST /v1/score?`, and where all paths are listed. It never repeats what was asked for."""
    served = list(_served(routes))
    same = [route for verb, route in served if verb == method]
    found = _ending(path, same) or _similar(path, same) or _ending(path, [route for _, route in served])
    if found is None:
        return f"there is no such path; {DEFAULT}, and GET /docs lists all paths"
    verbs = [verb for verb, route in served if route == found]
    meant = f"{method if method in verbs else verbs[0]} {found}"
    return f"there is no such path; did you mean {meant}? A base URL ends before it; GET /docs lists all paths"


def _served(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, APIRoute) and "{" not in route.path:
            yield from ((method, route.path) for method in sorted(route.methods))


def _ending(path: str, routes: Sequence[str]) -> str | None:
    """The longest route that the path ends with: a base URL that held a path already."""
    ends = [route for route in routes if path.rstrip("/").endswith(route)]
    return max(ends, key=len, default=None)


def _similar(path: str, routes: Sequence[str]) -> str | None:
    return next(iter(get_close_matches(path[:200].lower(), routes, n=1, cutoff=ALIKE)), None)
