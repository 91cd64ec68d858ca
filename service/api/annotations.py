"""`/v1/annotations`: read, write, list and load annotations."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from perception_reward.annotations.cursor import to_cursor
from perception_reward.annotations.model import Annotation
from perception_reward.service.api.body import LenientRoute
from perception_reward.service.api.deps import ServiceDep, declared
from perception_reward.service.api.dumped import dumped
from perception_reward.service.api.lines import annotations_in
from perception_reward.service.api.memory import share_of
from perception_reward.service.api.problems import InvalidRequest, documented
from perception_reward.service.pace import let_go

# What tools call JSON lines. The first is the one that is asked for.
JSON_LINES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/json",
)
# Characters of a page, about: an annotation may have megabytes.
PAGE_CHARACTERS = 8_000_000
# Faults told of one bulk load; their number is told besides.
MOST_FAULTS = 1000
# With more lines at fault, a body is no file of annotations: reading twenty million of them would take minutes.
TOO_MANY_FAULTS = 20_000

router = APIRouter(
    prefix="/v1/annotations",
    tags=["annotations"],
    route_class=LenientRoute,
    responses=documented(400, 401, 403, 408, 413, 415, 422, 429, 503),
)


class Listing(BaseModel):
    """A page of annotations, in the order of ids."""

    annotations: list[Annotation]
    cursor: str | None = Field(description="Send it as `cursor` to get the next page; null at the end.")


class Fault(BaseModel):
    """A line of a bulk load that was not stored."""

    line: int = Field(description="From 1.")
    field: str
    message: str


class Loaded(BaseModel):
    """What a bulk load did. Good lines are stored whatever the others hold."""

    stored: int
    failed: int = Field(description="Lines that were not stored.")
    errors: list[Fault] = Field(description=f"What is wrong with them, of the first {MOST_FAULTS}.")


@router.get("", response_model=Listing)
async def list_annotations(
    service: ServiceDep,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """A page of annotations. It ends early where they are large; the cursor goes on behind it."""
    try:
        page = await service.store.list(cursor=cursor, limit=limit)
    except ValueError as error:
        raise InvalidRequest("cursor", str(error)) from None
    written: list[str] = []
    cursor, room = page.cursor, PAGE_CHARACTERS
    for annotation in page.annotations:
        if room <= 0:
            cursor = to_cursor(page.annotations[len(written) - 1].id)
            break
        written.append(await dumped(annotation, "facts"))
        room -= len(written[-1])
    text = f'{{"annotations":[{",".join(written)}],"cursor":{json.dumps(cursor)}}}'
    return Response(text, media_type="application/json")


@router.get("/{annotation_id:path}", response_model=Annotation, responses=documented(404))
async def get_annotation(annotation_id: str, service: ServiceDep) -> Response:
    """One annotation."""
    (annotation,) = await service.store.get_many([annotation_id])
    if annotation is None:
        raise _unknown(annotation_id)
    return await _answer(annotation)


@router.put(
    "/{annotation_id:path}",
    response_model=Annotation,
    responses=documented(409),
    dependencies=[Depends(declared("application/json"))],
)
async def put_annotation(annotation_id: str, annotation: Annotation, service: ServiceDep) -> Response:
    """Store an annotation, in place of the one with its id if there is one."""
    if annotation.id != annotation_id:
        raise InvalidRequest("id", "the body's id is not that of the path")
    await service.store.put_many([annotation])
    await service.count_annotations()
    return await _answer(annotation)


@router.delete("/{annotation_id:path}", status_code=204, responses=documented(404, 409))
async def delete_annotation(annotation_id: str, service: ServiceDep) -> Response:
    """Forget an annotation."""
    if not await service.store.delete(annotation_id):
        raise _unknown(annotation_id)
    await service.count_annotations()
    return Response(status_code=204)


batch_router = APIRouter(tags=["annotations"], responses=documented(400, 401, 403, 408, 409, 413, 415, 422, 429, 503))


@batch_router.post(
    "/v1/annotations:batch",
    dependencies=[Depends(declared(*JSON_LINES))],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    },
)
async def load_annotations(request: Request, service: ServiceDep) -> Loaded:
    """Load annotations from JSON lines. Good lines are stored, the first 1,000 faults told; over 20,000 are a 422."""
    good: list[Annotation] = []
    failed, faults = 0, list[Fault]()
    try:
        async with aclosing(annotations_in(await request.body(), share_of(request))) as lines:
            async for found in lines:
                if isinstance(found, Annotation):
                    good.append(found)
                    continue
                failed += 1
                if failed <= MOST_FAULTS:
                    faults.append(Fault(line=found.line, field=found.field, message=found.message))
                if failed > TOO_MANY_FAULTS:
                    raise InvalidRequest(f"line {faults[0].line}", _refusal(faults[0]))
    except HTTPException:
        await let_go(good)
        raise
    await service.store.put_many(good)
    await service.count_annotations()
    return Loaded(stored=len(good), failed=failed, errors=faults)


def _refusal(first: Fault) -> str:
    words = f"{first.field}: {first.message}" if first.field else first.message
    return f"{words}; more than {TOO_MANY_FAULTS:,} lines are at fault, so nothing was stored"


async def _answer(annotation: Annotation) -> Response:
    return Response(await dumped(annotation, "facts"), media_type="application/json")


def _unknown(annotation_id: str) -> HTTPException:
    return HTTPException(404, "there is no annotation with this id")
