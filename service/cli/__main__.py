"""`python -m perception_reward.service.cli`, where the command itself is not on the PATH."""

import sys

from perception_reward.service.cli import run

sys.exit(run())
