"""What importing the client costs a trainer."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import perception_reward.trainer_client as client

# What an `async` client with pydantic models cannot do without.
BARE = "import asyncio, json; from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag; BaseModel.__doc__"
OURS = "from perception_reward.trainer_client import RewardClient, ItemResult, ScoreItem, resolve"


def fresh(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_the_client_is_imported_without_pydantic_and_the_models_without_an_http_library() -> None:
    program = (
        "import sys\n"
        "from perception_reward.trainer_client import RewardClient, resolve\n"
        "RewardClient()\n"
        "print('pydantic' in sys.modules, 'aiohttp' in sys.modules)\n"
        f"{OURS}\n"
        "print('aiohttp' in sys.modules)\n"
    )
    assert fresh(program).split() == ["False", "False", "False"]


def test_the_client_adds_little_to_the_imports_that_it_cannot_do_without() -> None:
    # In CPU time, and the least of several: the machine may be busy. The client and all wire models together are
    # measured after the bare imports, and are to take less than those.
    program = (
        "import time, json\n"
        f"a = time.process_time(); {BARE}\n"
        f"b = time.process_time(); {OURS}\n"
        "print(json.dumps([b - a, time.process_time() - b]))"
    )
    runs = [json.loads(fresh(program)) for _ in range(4)]
    bare, ours = (min(taken) for taken in zip(*runs, strict=True))
    assert ours < bare


def test_what_the_client_does_not_offer_is_named() -> None:
    with pytest.raises(AttributeError, match="no_such"):
        _ = client.no_such  # pyright: ignore[reportAttributeAccessIssue]
