"""The command line. Its entry point needs nothing but the standard library, so that it can say what is missing."""

# No `from __future__ import annotations` here: its name would hide the module `annotations` of this package.

import sys


def run() -> int:
    """Run `perception-reward`; where only the client is installed, no more than `check`, `path` and `trainers`."""
    try:
        from perception_reward.service.cli.main import app
    except ModuleNotFoundError as error:
        if sys.argv[1:2] in (["path"], ["trainers"]):
            return _trainers()
        if sys.argv[1:2] == ["check"]:
            return _check()
        sys.stderr.write(f"{lacking(error)}\n")
        return 2
    app(prog_name="perception-reward")
    return 0


def lacking(error: ModuleNotFoundError) -> str:
    """What to install, in one line. Raises the error where it is a module of this package that is not there."""
    if (error.name or "").startswith("perception_reward"):
        raise error
    return f"the command line needs the service: pip install 'perception-reward[service]' (no module {error.name})"


def _trainers() -> int:
    """What a trainer's environment needs to know, where only the client is installed."""
    from perception_reward.trainer_client.trainers.listing import main

    status, text = main(sys.argv[1:])
    (sys.stderr if status else sys.stdout).write(text + "\n")
    return status


def _check() -> int:
    from perception_reward.service.cli.check import main

    return main(sys.argv[2:])
