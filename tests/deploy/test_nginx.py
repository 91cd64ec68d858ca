"""nginx before several replicas: it reads its configuration, whose limits are those of the service and the client.

`make load-rolling` and `make load-faults` run it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from perception_reward.service.settings import Settings
from perception_reward.trainer_client import transport
from perception_reward.trainer_client.options import Options

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def conf(root: Path) -> str:
    return (root / "deploy/nginx/perception-reward.conf").read_text()


def test_nginx_takes_it(conf: str, tmp_path: Path):
    binary = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if binary is None:
        pytest.skip("no nginx: install it (apt install nginx-light)")
    (tmp_path / "nginx.conf").write_text(f"pid nginx.pid; events {{}} http {{ access_log off; {conf} }}")
    command = [binary, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "errors")]
    tested = subprocess.run(command, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr + (tmp_path / "errors").read_text()


def test_a_body_that_the_service_takes_is_passed_on(conf: str):
    assert f"client_max_body_size {Settings().max_body_mb}m;" in conf


def test_nginx_waits_for_longer_than_the_service_takes_and_shorter_than_the_client_waits(conf: str):
    (wait,) = re.findall(r"^    proxy_read_timeout (\d+)s;", conf, re.MULTILINE)
    assert Settings().request_timeout < int(wait) < Options(urls=("http://a",)).timeout


def test_a_replica_that_gives_no_sign_of_life_is_left_before_the_client_leaves_it(conf: str):
    ((beat, wait),) = re.findall(r"proxy_set_header X-Heartbeat (\d+);\s+proxy_read_timeout (\d+)s;", conf)
    assert 3 * int(beat) < int(wait) < transport.SILENT_SECONDS
