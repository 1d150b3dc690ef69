"""What a payload looks like from its first bytes: which image format, or what else that is sent in place of one."""

from __future__ import annotations

import base64
import binascii
import re

from conformance.formats import jpeg, png

_MAGIC = (
    ("png", re.compile(re.escape(png.SIGNATURE))),
    ("jpeg", re.compile(re.escape(jpeg.START))),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("tiff", re.compile(rb"II[*+]\0|MM\0[*+]")),
    ("bmp", re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)),
    ("pdf", re.compile(rb"\s{0,1024}%PDF-")),
    ("svg", re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1024}<(?:svg[\s>]|(?:\?xml|!--|!DOCTYPE)[^\0]{0,2048}?<svg[\s>])")),
    ("multipart", re.compile(rb"(?:\r\n)?--[^\r\n]{1,256}\r?\n(?:[^\r\n]{1,1024}\r?\n){0,16}?content-[a-z-]+:", re.I)),
)
_DATA_URL = re.compile(rb"\A(?:data:[^,]{0,256},)?")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-\s]++={0,2}\s*+")
_ENCODED_START = 4096


def identify(data: bytes) -> str:
    """Name what the bytes begin as.

    One of ``png``, ``jpeg``, ``gif``, ``bmp``, ``webp``, ``tiff``, ``svg``, ``pdf``, ``multipart``, ``base64`` (text
    that encodes a PNG or JPEG, or a data URL of one), ``empty``, ``prefix`` (the beginning of a PNG signature or of
    FF D8, and no more) and ``unknown``.
    """
    if not data:
        return "empty"
    if (png.SIGNATURE.startswith(data) and data != png.SIGNATURE) or data == jpeg.START[:1]:
        return "prefix"
    for name, magic in _MAGIC:
        if magic.match(data):
            return name
    return "base64" if _encodes_an_image(data) else "unknown"


def _encodes_an_image(data: bytes) -> bool:
    text = _DATA_URL.sub(b"", data, count=1)
    if not _BASE64.fullmatch(text):
        return False
    start = b"".join(text[:_ENCODED_START].split()).translate(bytes.maketrans(b"-_", b"+/"))[:12]
    try:
        decoded = base64.b64decode(start, validate=True)
    except binascii.Error:
        return False
    return decoded.startswith((png.SIGNATURE, jpeg.START))
