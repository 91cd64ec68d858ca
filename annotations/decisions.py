"""What people decided about facts: a file of JSON Lines, to which lines are only added.

    decisions = Decisions(Path("problems.review.jsonl"))
    decisions.put(Decision(annotation="p-1", fact="f1", text="AB has length 5.", decision="accept", reviewer="ann"))
    decisions.of("ann")[("p-1", "f1")].decision                # "accept"

A decision is on disk before `put` returns, and of two about a fact the later one counts. Several processes may add to
one file. What a process that was killed left of a line is taken away by the next one that writes.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from perception_reward.annotations.faults import LineError, RecordFileError
from perception_reward.trainer_client.wire import Identifier

# Of an annotation and its fact, the ids.
Key: TypeAlias = tuple[str, str]


class Decision(BaseModel):
    """What one person says of one fact, worded as it then was. decision: null takes back what was said before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    annotation: Identifier
    fact: Identifier
    text: str = Field(min_length=1, max_length=2000)
    decision: Literal["accept", "reject", "edit"] | None
    edited: str | None = Field(
        default=None, min_length=1, max_length=2000, pattern=r"\S", description="The right words."
    )
    reviewer: str = Field(min_length=1, max_length=100, pattern=r"\S")
    time: str = ""

    @model_validator(mode="after")
    def _an_edit_has_words(self) -> Self:
        if (self.decision == "edit") != (self.edited is not None):
            raise ValueError("an edit has the right words in `edited`, and nothing else has")
        return self

    @property
    def key(self) -> Key:
        return self.annotation, self.fact


class Decisions:
    """The decisions of a file, by reviewer. Reading raises `RecordFileError` for a line that is none, and `OSError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end = 0
        self._lines = 0
        self._found: dict[str, dict[Key, Decision]] = {}
        self.refresh()

    @property
    def path(self) -> Path:
        return self._path

    @property
    def reviewers(self) -> list[str]:
        """Whoever decided anything that still counts."""
        return [name for name, found in self._found.items() if found]

    def of(self, reviewer: str) -> Mapping[Key, Decision]:
        """What `reviewer` decided last of each fact."""
        return self._found.get(reviewer, {})

    def check_writable(self) -> None:
        """Raises `OSError` where decisions cannot be kept, before anybody makes one."""
        with self._locked():
            pass

    def put(self, decision: Decision) -> None:
        """Add a decision, and what others added meanwhile. Raises `OSError`, and then it is not added."""
        line = json.dumps(decision.model_dump(exclude_none=True) | {"decision": decision.decision}).encode() + b"\n"
        with self._locked() as descriptor:
            self.refresh()
            os.ftruncate(descriptor, self._end)
            try:
                if os.pwrite(descriptor, line, self._end) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(descriptor, self._end)
                raise OSError(error.errno, error.strerror, str(self._path)) from None
            self.refresh()

    def refresh(self) -> None:
        """Read what was added since. A last line without its end is not looked at."""
        with suppress(FileNotFoundError), self._path.open("rb") as lines:
            lines.seek(self._end)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._note(line)
                self._end += len(line)

    def _note(self, line: bytes) -> None:
        self._lines += 1
        if not line.strip():
            return
        try:
            found = Decision.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            said = f"{where}: {first['msg']}" if where else first["msg"]
            raise RecordFileError(self._path, [LineError(self._lines, where, f"is no decision ({said})")]) from None
        theirs = self._found.setdefault(found.reviewer, {})
        if found.decision is None:
            theirs.pop(found.key, None)
        else:
            theirs[found.key] = found

    @contextmanager
    def _locked(self) -> Generator[int]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)
