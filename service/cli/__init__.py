"""The command line. Its entry point needs nothing but the standard library, so that it can say what is missing."""

# No `from __future__ import annotations` here: its name would hide the module `annotations` of this package.

import sys


def run() -> int:
    """Run `perception-reward`; status 2 where only the client is installed."""
    try:
        from perception_reward.service.cli.main import app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("perception_reward"):
            raise
        sys.stderr.write(
            f"the command line needs the service: pip install 'perception-reward[service]' (no module {error.name})\n"
        )
        return 2
    app(prog_name="perception-reward")
    return 0
