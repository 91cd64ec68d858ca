"""Images on their way to a model: read from files, and made no larger than the rule allows.

The rule: turned as the camera says, transparent parts on white; more than `MOST_PIXELS` are scaled down with Lanczos,
keeping the shape; a side below `LEAST_SIDE` is scaled up to it, since models cut images into squares of that size. A
PNG, JPEG or WebP that is so already is sent as it is, anything else as PNG. A URL is refused unless it is allowed, and
then it is the model's server that fetches it, as it stands."""

from __future__ import annotations

import base64
import hashlib
import importlib
import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Qwen2.5-VL's usual limit, 1280 squares of 28 by 28.
MOST_PIXELS = 1280 * 28 * 28
LEAST_SIDE = 28
# Bytes of a file that is an image of a problem.
LARGEST = 64 << 20
BROKEN = "an image is broken"
_AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_ORIENTATION = 0x0112


class ImageFault(ValueError):
    """An image that cannot be sent: why, in words that can be counted, and which."""

    def __init__(self, why: str, detail: str) -> None:
        self.why = why
        self.detail = detail
        super().__init__(f"{why}: {detail}")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that is to be sent. identity: its content's digest and the rule, or its URL."""

    reference: str
    path: Path | None
    identity: str
    most_pixels: int = MOST_PIXELS

    def url(self) -> str:
        """What the request says: a data URL, or the URL itself. Raises `ImageFault`. Decoding takes time: use a
        thread."""
        if self.path is None:
            return self.reference
        kind, content = _prepared(self.path, self.most_pixels)
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"

    def tokens(self) -> int:
        """About what the image costs, at a token for each square of 28 by 28."""
        width, height = (1024, 1024) if self.path is None else _size(self.path)
        return math.ceil(min(width * height, self.most_pixels) / LEAST_SIDE**2)


def picture_of(reference: str, root: Path, *, urls: bool = False, most_pixels: int = MOST_PIXELS) -> Picture:
    """The image that a problem names. Raises `ImageFault` for one that cannot be had."""
    if reference.startswith(("http://", "https://")):
        if not urls:
            raise ImageFault("an image is a URL, and URLs are not allowed (--allow-urls, allow_urls)", reference[:200])
        return Picture(reference, None, reference, most_pixels)
    path = root / reference
    try:
        if path.stat().st_size > LARGEST:
            raise ImageFault(f"an image file is larger than {LARGEST >> 20} MB", str(path))
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except (OSError, ValueError) as error:
        raise ImageFault("an image file cannot be read", f"{path}: {getattr(error, 'strerror', error)}") from None
    return Picture(reference, path, f"{digest} pixels<={most_pixels}", most_pixels)


def _prepared(path: Path, most_pixels: int) -> tuple[str, bytes]:
    """The kind and the bytes of an image by the rule."""
    pillow: Any = _pillow()
    try:
        content = path.read_bytes()
        with warnings.catch_warnings():
            # What is far too large warns before it fails, and odd files warn of what cannot be helped.
            warnings.simplefilter("ignore")
            with pillow.Image.open(io.BytesIO(content)) as image:
                form, turned = image.format, image.getexif().get(_ORIENTATION, 1) != 1
                image.load()
                width, height = _scaled(image.width, image.height, most_pixels)
                if form in _AS_THEY_ARE and not turned and (width, height) == image.size:
                    return _AS_THEY_ARE[form], content
                return "image/png", _redrawn(pillow, image, most_pixels)
    except ImageFault:
        raise
    except pillow.UnidentifiedImageError:
        raise ImageFault(BROKEN, f"{path}: is of no known form, or cut short") from None
    except Exception as error:  # Pillow raises whatever a decoder does: SyntaxError, struct.error, …
        raise ImageFault(BROKEN, f"{path}: {' '.join(str(error).split())[:200]}") from None


def _redrawn(pillow: Any, image: Any, most_pixels: int) -> bytes:
    image = pillow.ImageOps.exif_transpose(image)
    if image.mode != "RGB":
        layer = image.convert("RGBA")
        image = pillow.Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    size = _scaled(image.width, image.height, most_pixels)
    if size != image.size:
        image = image.resize(size, pillow.Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _scaled(width: int, height: int, most_pixels: int) -> tuple[int, int]:
    scale = min(1.0, math.sqrt(most_pixels / (width * height)))
    width, height = round(width * scale), round(height * scale)
    return max(LEAST_SIDE, width), max(LEAST_SIDE, height)


def _size(path: Path) -> tuple[int, int]:
    try:
        with _pillow().Image.open(path) as image:
            return image.size
    except Exception:  # as above; it is told when it is sent
        return (0, 0)


def _pillow() -> Any:
    try:
        importlib.import_module("PIL.Image")
        importlib.import_module("PIL.ImageOps")
        return importlib.import_module("PIL")
    except ImportError as error:
        raise ImportError("images need Pillow: pip install 'perception-reward[annotate]'") from error
