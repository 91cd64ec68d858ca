"""Images are sent by one rule, and one that cannot be sent is told by its name."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest

pillow = pytest.importorskip("PIL.Image")

from perception_reward.annotations.pipeline.images import ImageFault, picture_of  # noqa: E402


def drawn(path: Path, size: tuple[int, int], mode: str = "RGB", **more: object) -> Path:
    pillow.new(mode, size, 0).save(path, **more)
    return path


def sent(path: Path, **options: int) -> tuple[str, tuple[int, int], bytes]:
    kind, _, content = picture_of(path.name, path.parent, **options).url().partition(";base64,")
    raw = base64.b64decode(content)
    with pillow.open(io.BytesIO(raw)) as image:
        return kind, image.size, raw


def test_what_fits_is_sent_as_it_is(tmp_path: Path) -> None:
    path = drawn(tmp_path / "a.jpg", (100, 50))
    assert sent(path) == ("data:image/jpeg", (100, 50), path.read_bytes())


def test_what_is_too_large_keeps_its_shape_and_what_is_too_small_grows(tmp_path: Path) -> None:
    assert sent(drawn(tmp_path / "a.png", (400, 100)), most_pixels=10_000)[1] == (200, 50)
    assert sent(drawn(tmp_path / "b.png", (400, 3)))[1] == (400, 28)
    assert sent(drawn(tmp_path / "c.gif", (40, 40), "P"))[0] == "data:image/png"


def test_what_is_transparent_stands_on_white_and_what_was_turned_is_upright(tmp_path: Path) -> None:
    _, _, raw = sent(drawn(tmp_path / "a.png", (4000, 4000), "RGBA"))
    with pillow.open(io.BytesIO(raw)) as image:
        assert image.getpixel((0, 0)) == (255, 255, 255)
    exif = pillow.Exif()
    exif[0x0112] = 6
    assert sent(drawn(tmp_path / "b.jpg", (100, 50), exif=exif))[1] == (50, 100)


def test_the_identity_is_that_of_the_content_and_the_rule(tmp_path: Path) -> None:
    one, other = drawn(tmp_path / "a.png", (50, 50)), drawn(tmp_path / "b.png", (50, 50))
    same = picture_of("a.png", tmp_path).identity
    assert picture_of("b.png", tmp_path).identity == same
    assert picture_of("a.png", tmp_path, most_pixels=784).identity != same
    drawn(other, (51, 50))
    assert picture_of("b.png", tmp_path).identity != same
    assert one.exists()


def test_what_cannot_be_sent_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageFault, match=r"cannot be read.*gone\.png: No such file"):
        picture_of("gone.png", tmp_path)
    with pytest.raises(ImageFault, match="URL"):
        picture_of("https://x.test/a.png", tmp_path)
    assert picture_of("https://x.test/a.png", tmp_path, urls=True).url() == "https://x.test/a.png"
    whole = drawn(tmp_path / "a.png", (300, 300)).read_bytes()
    for content in (b"", b"no image", whole[:60], whole[:-40]):
        (tmp_path / "broken.png").write_bytes(content)
        with pytest.raises(ImageFault, match=r"broken: .*broken\.png"):
            picture_of("broken.png", tmp_path).url()
