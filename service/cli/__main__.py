"""`python -m perception_reward.service.cli`, where the command itself is not on the PATH."""

from perception_reward.service.cli.main import app

app(prog_name="perception-reward")
