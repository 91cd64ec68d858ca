"""`perception-reward check`: whether a trainer can use a service, and what the service lacks of a data set.

    perception-reward check --url http://rewards:8420 --dataset data/trl/train.parquet

It needs what the client needs and no more: a trainer's environment has only that. Exit status: 0 where all is well, 1
where a run would fail or go without facts, 2 where that could not be found out (a wrong option, an unreadable file).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.annotations.jsonl import is_header
from perception_reward.annotations.records import open_records
from perception_reward.trainer_client.answers import document
from perception_reward.trainer_client.check import Found, check_servers
from perception_reward.trainer_client.errors import OptionError, RewardError
from perception_reward.trainer_client.facts import guess
from perception_reward.trainer_client.options import Options, named, resolve_options
from perception_reward.trainer_client.trainers.problems import NAMES, NESTED, TRUTHS, names_in, problem_of
from perception_reward.trainer_client.transport import NoAnswer, Transport

# Where NeMo Gym's rows say it.
GYM = "verifier_metadata"
COLUMNS = ("id", *NAMES, *NESTED, GYM, *TRUTHS)
# Annotations, and faults of lines, that are listed; their number is told besides.
MOST_SHOWN = 20
# Of the service's listing: annotations a page, its bytes, and the seconds for it.
PAGE, PAGE_BYTES, PAGE_SECONDS = 200, 1 << 28, 60.0


@dataclass
class Rows:
    """What a file asks for. columns: the names in rows without facts, which tell what was misspelt."""

    path: Path
    count: int = 0
    facts: int = 0
    without: int = 0
    annotations: dict[str, None] = field(default_factory=dict[str, None])
    columns: set[str] = field(default_factory=set[str])
    faults: list[str] = field(default_factory=list[str])


class Unreadable(Exception):
    """A file or an option that cannot be used, in one line."""


def main(arguments: Sequence[str]) -> int:
    """Run the command, and return its exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        options = resolve_options(
            parsed.url,
            parsed.api_key,
            profile=parsed.profile,
            ca_file=parsed.ca_file,
            verify=parsed.verify,
            start_wait=parsed.wait,
        )
        files = [_read(Path(name)) for name in (*parsed.annotations, *parsed.dataset)]
    except (OptionError, Unreadable) as error:
        return _fail(str(error), 2)
    try:
        return asyncio.run(_checked(options, files))
    except (RewardError, NoAnswer) as error:
        return _fail(str(error), 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="perception-reward check",
        description="Ask a service whether a trainer can use it, and what it lacks of a data set. What is not given "
        "comes from PERCEPTION_REWARD_* variables, as in a trainer.",
        epilog="Exit status: 0 all is well; 1 a run would fail or have no facts; 2 a wrong option or a bad file.",
    )
    parser.add_argument("--url", help=f"the service's address, or several with commas; {named('base_url')}")
    parser.add_argument("--api-key", help=f"its key; {named('api_key')}, which other users of the machine do not see")
    parser.add_argument("--profile", help=f"the profile that the run will use; {named('profile')}")
    parser.add_argument("--ca-file", help=f"certificates to trust; {named('ca_file')}")
    parser.add_argument("--no-verify", dest="verify", action="store_false", default=None, help="trust any certificate")
    parser.add_argument(
        "--wait", type=float, metavar="SECONDS", help=f"for a service that starts; {named('start_wait')}"
    )
    for name, what in (("annotations", "annotations"), ("dataset", "a trainer's rows")):
        help = (
            f"a file of {what} (JSON Lines, JSON, CSV, Parquet) to compare with what the service has; may be repeated"
        )
        parser.add_argument(f"--{name}", action="append", default=[], metavar="FILE", help=help)
    return parser


def _read(path: Path) -> Rows:
    rows = Rows(path)
    try:
        for place, record in open_records(path, known=COLUMNS, nested=(*NESTED, GYM)):
            if isinstance(record, LineError):
                rows.faults.append(f"{place}: {record.message}")
            elif not is_header(record):
                _add(rows, record)
    except (RecordFileError, OSError, ImportError) as error:
        raise Unreadable(" ".join(str(error).split())) from None
    if not rows.count and not rows.faults:
        raise Unreadable(f"{path} holds no rows")
    return rows


def _add(rows: Rows, record: Mapping[str, Any]) -> None:
    rows.count += 1
    if "id" in record and isinstance(record.get("facts"), list) and not record.get("annotation_id"):
        rows.annotations[str(record["id"])] = None
        return
    row = {**record, "metadata": record.get("metadata") or record.get(GYM)}
    problem = problem_of(row)
    if "annotation_id" in problem:
        rows.annotations[problem["annotation_id"]] = None
    elif "facts" in problem:
        rows.facts += 1
    else:
        rows.without += 1
        rows.columns.update(name for name in names_in(row) if not name.startswith("metadata") or name in record)


async def _checked(options: Options, files: Sequence[Rows]) -> int:
    transport = Transport(options)
    try:
        servers = await check_servers(transport, options)
        for found in servers:
            _say(_told(found))
        lacking = await _unknown(transport, servers[0].url, {name for rows in files for name in rows.annotations})
    finally:
        await transport.aclose()
    faults = [fault for rows in files for fault in _faults(rows, lacking)]
    for rows in files:
        without = f"; {rows.without} rows without facts" if rows.without else ""
        _say(f"{rows.path}: {rows.count} rows, which name {len(rows.annotations)} annotations{without}")
    for fault in faults:
        _fail(fault, 1)
    return 1 if faults else 0


def _told(found: Found) -> str:
    checks = "".join(f"; {name}: {text}" for name, text in found.checks.items() if name != "draining")
    return f"{found.url}: can be used; profile: {found.profile}{checks}"


async def _unknown(transport: Transport, url: str, names: Collection[str]) -> set[str]:
    """Those of `names` that the service has no annotation of: its listing is read until none is left to find."""
    left, cursor = set(names), ""
    while left:
        page = await transport.get(url, f"/v1/annotations?limit={PAGE}{cursor}", PAGE_SECONDS, PAGE_BYTES)
        listing = document(page.content)
        annotations = listing.get("annotations")
        if page.status != 200 or not isinstance(annotations, list):
            raise NoAnswer(f"{url}: GET /v1/annotations was answered with {page.status}")
        left -= {str(annotation.get("id")) for annotation in cast("list[dict[str, Any]]", annotations)}
        if listing.get("cursor") is None:
            break
        cursor = f"&cursor={quote(str(listing['cursor']))}"
    return left


def _faults(rows: Rows, unknown: Collection[str]) -> Iterator[str]:
    if rows.faults:
        yield f"{rows.path}: {len(rows.faults)} rows cannot be read, such as {rows.faults[0]}"
    if rows.count and not rows.annotations and not rows.facts:
        yield (
            f"{rows.path}: no row names facts; they have {', '.join(sorted(rows.columns)) or 'no columns'}."
            f"{guess(sorted(rows.columns))} `perception-reward dataset` writes what each trainer needs."
        )
    if lacking := [name for name in rows.annotations if name in unknown]:
        shown = ", ".join(map(repr, lacking[:MOST_SHOWN])) + (", …" if len(lacking) > MOST_SHOWN else "")
        yield f"{rows.path}: the service lacks {len(lacking)} of {len(rows.annotations)} annotations: {shown}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _fail(text: str, status: int) -> int:
    sys.stderr.write(f"error: {text}\n")
    return status
