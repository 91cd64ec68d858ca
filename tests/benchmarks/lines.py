"""How many lines of Python the three packages have, by room, at a commit and in the working tree.

python tests/benchmarks/lines.py 4a07ea2
"""

from __future__ import annotations

import argparse
import subprocess
from collections import Counter
from pathlib import PurePosixPath

from measures import table
from places import REPOSITORY

PACKAGES = ("annotations", "service", "trainer_client")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("commit", help="what the working tree is compared with")
    print(compared(lines_at(parser.parse_args().commit), lines_now()))


def lines_at(commit: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for name in _git("ls-tree", "-r", "--name-only", commit, *PACKAGES).splitlines():
        if name.endswith(".py"):
            found[_room(name)] += _git("show", f"{commit}:{name}").count("\n")
    return found


def lines_now() -> Counter[str]:
    found: Counter[str] = Counter()
    for name in _git("ls-files", *PACKAGES).splitlines():
        if name.endswith(".py"):
            found[_room(name)] += (REPOSITORY / name).read_text(encoding="utf-8").count("\n")
    return found


def compared(before: Counter[str], now: Counter[str]) -> str:
    """A row for each room, those that lost most first, and one for all."""
    rooms = sorted(before.keys() | now.keys(), key=lambda room: now[room] - before[room])
    rows = [(room, before[room], now[room]) for room in rooms] + [("all", before.total(), now.total())]
    header = ["room", "before", "now", "more"]
    return table(header, [[room, str(old), str(new), f"{new - old:+d}"] for room, old, new in rows])


def _room(name: str) -> str:
    """The folder in a package, of judges one folder further; the package itself for what lies in none."""
    folders = PurePosixPath(name).parent.parts
    return "/".join(folders[: 3 if folders[:2] == ("service", "judges") else 2])


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
