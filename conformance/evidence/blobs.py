"""Bytes stored once each, one after the other in a compressed side file, and found again by their number."""

from __future__ import annotations

import tempfile
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import IO

REMEMBERED = 65_536
"""How many distinct blobs are known again when they recur."""
SMALL = 1024
"""Bytes up to which a blob is compressed hard."""
MOST_BYTES = 256 * 1024 * 1024
"""Of one blob."""
MOST_TOTAL = 16 * 1024 * 1024 * 1024
"""Of all blobs of a file, decompressed."""
_LENGTH = 4
_PIECE = 256 * 1024


class BlobWriter:
    """Appends blobs; what was written lately is not written again."""

    def __init__(self, path: Path, digest: Callable[[bytes], None]) -> None:
        self._file = path.open("wb")
        self._squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._digest = digest
        self._numbers: OrderedDict[bytes, int] = OrderedDict()
        self._count = 0

    def number(self, blob: bytes) -> int:
        """The number under which these bytes are found again."""
        key = blake2b(blob, digest_size=16).digest()
        if (known := self._numbers.get(key)) is not None:
            self._numbers.move_to_end(key)
            return known
        number = self._numbers[key] = self._count
        self._count += 1
        if len(self._numbers) > REMEMBERED:
            self._numbers.popitem(last=False)
        self._file.write(self._squeeze.compress(len(blob).to_bytes(_LENGTH, "big") + blob))
        self._digest(key)
        return number

    def close(self) -> None:
        try:
            self._file.write(self._squeeze.flush())
        finally:
            self._file.close()


class DamagedBlobs(ValueError):
    """The side file is cut, changed or none of ours."""


class BlobReader:
    """The blobs of a side file, ``count`` of them if that is known, unpacked into a temporary file."""

    def __init__(self, path: Path, count: int | None = None) -> None:
        self._count = count
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        self._ends = array("Q", [0])
        try:
            self._unpack(path)
        except BaseException:
            self._spool.close()
            raise

    def __enter__(self) -> BlobReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._spool.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:
        """The bytes of that number. Raises DamagedBlobs when there are none."""
        if not 0 <= number < len(self):
            raise DamagedBlobs(f"there is no blob {number}")
        start, end = self._ends[number], self._ends[number + 1]
        self._spool.seek(start)
        return self._spool.read(end - start)

    def _unpack(self, path: Path) -> None:
        """Write all blobs behind one another, and note where each ends."""
        expand, pending, due = zlib.decompressobj(-15), bytearray(), -1
        with path.open("rb") as file:
            while not expand.unused_data and ((packed := file.read(_PIECE)) or not expand.eof):
                try:
                    pending += expand.decompress(packed, _PIECE) if packed else expand.flush()
                    while expand.unconsumed_tail:
                        due = self._take(pending, due)
                        pending += expand.decompress(expand.unconsumed_tail, _PIECE)
                except zlib.error as error:
                    raise DamagedBlobs(f"it cannot be unpacked: {error}") from None
                due = self._take(pending, due)
                if not packed:
                    break
        if not expand.eof or pending or due >= 0 or len(self) < (self._count or 0):
            raise DamagedBlobs("it was cut short")
        if expand.unused_data:
            raise DamagedBlobs("something follows its end")

    def _take(self, pending: bytearray, due: int) -> int:
        """Move whole blobs out of what is pending; gives the length of the one that is not whole, or -1."""
        while True:
            if due < 0:
                if len(pending) < _LENGTH:
                    return -1
                due = int.from_bytes(pending[:_LENGTH], "big")
                del pending[:_LENGTH]
                if due > MOST_BYTES or self._ends[-1] + due > MOST_TOTAL or len(self) == self._count:
                    raise DamagedBlobs("it holds more than it should")
            if len(pending) < due:
                return due
            self._spool.write(pending[:due])
            del pending[:due]
            self._ends.append(self._ends[-1] + due)
            due = -1
