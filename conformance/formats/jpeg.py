"""A strict walker over JPEG files (ITU-T T.81): every marker segment, and where it can the entropy-coded data.

Decoders forgive nearly everything here, with grey where data is missing; this module names each fault instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformance.formats import jpeg_entropy

START = b"\xff\xd8"

ENTROPY_LIMIT = 65536
"""Bytes of entropy-coded data that are walked code by code; a megabyte would take about a second."""

_SOI, _EOI, _SOS, _DQT, _DNL, _DRI, _DHP, _EXP, _COM, _TEM = 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFE, 0x01
_DHT, _JPG, _DAC = 0xC4, 0xC8, 0xCC
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, _JPG, _DAC}
_SEQUENTIAL = (0xC0, 0xC1)
_USUAL = (0xC0, 0xC1, 0xC2)
_NAMES = {
    **{code: f"SOF{code - 0xC0}" for code in _FRAMES},
    **{0xD0 + number: f"RST{number}" for number in range(8)},
    **{0xE0 + number: f"APP{number}" for number in range(16)},
    **{0xF0 + number: f"JPG{number}" for number in range(14)},
}
_NAMES |= {_SOI: "SOI", _EOI: "EOI", _SOS: "SOS", _DQT: "DQT", _DNL: "DNL", _DRI: "DRI", _DHP: "DHP", _EXP: "EXP"}
_NAMES |= {_COM: "COM", _TEM: "TEM", _DHT: "DHT", _JPG: "JPG", _DAC: "DAC"}

_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_RESTART = re.compile(rb"(?<!\xff)\xff++([\xd0-\xd7])")
_STRAY = re.compile(rb"\xff[^\x00]")
_MAX_FAULTS = 20
_MAX_UNITS_IN_MCU = 10


@dataclass(frozen=True)
class Jpeg:
    """What a JPEG file declares, and everything that is wrong with it; zeros where there is no frame header."""

    width: int
    height: int
    components: int
    precision: int
    """Bits per sample."""
    baseline: bool
    progressive: bool
    unusual: bool
    """Lossless, hierarchical or arithmetic-coded, or its height stands behind the scan: few decoders can."""
    sampling: tuple[tuple[int, int], ...]
    """Horizontal and vertical factor of each component."""
    restart_interval: int
    """MCUs between restart markers, 0 for none; the last one declared."""
    markers: tuple[str, ...]
    """Names in file order, repeats kept, restart markers left out."""
    jfif: bool
    exif: bool
    adobe: bool
    entropy_checked: bool
    """All entropy-coded data was walked code by code."""
    faults: tuple[str, ...]
    """Fragments of sentences in printable ASCII, at most 20 and each once."""

    @property
    def sound(self) -> bool:
        """Nothing is wrong, as far as was looked: see ``entropy_checked``."""
        return not self.faults

    @property
    def plain(self) -> bool:
        """A sound file that every decoder takes: baseline JFIF, colour at 4:2:0, no restarts, no EXIF."""
        return (
            self.sound
            and (self.baseline, self.precision, self.restart_interval) == (True, 8, 0)
            and self.sampling == ((2, 2), (1, 1), (1, 1))
            and self.jfif
            and not self.exif
        )


def read(data: bytes, entropy_limit: int = ENTROPY_LIMIT) -> Jpeg | None:
    """Walk the whole file; None when it does not begin with FF D8.

    Sequential Huffman files are walked code by code, up to ``entropy_limit`` bytes of entropy-coded data in all.
    """
    if not data.startswith(START):
        return None
    walk = _Walk(data, entropy_limit)
    walk.to_the_end()
    frame = walk.frame or _NO_FRAME
    return Jpeg(
        width=frame.width,
        height=frame.height,
        components=len(frame.components),
        precision=frame.precision,
        baseline=frame.code == 0xC0,
        progressive=frame.code in (0xC2, 0xC6, 0xCA, 0xCE),
        unusual=walk.unusual,
        sampling=tuple((component.across, component.down) for component in frame.components),
        restart_interval=walk.restart_interval,
        markers=tuple(walk.markers),
        jfif=walk.jfif,
        exif=walk.exif,
        adobe=walk.adobe,
        entropy_checked=0 < walk.scans_checked == walk.markers.count("SOS"),
        faults=tuple(walk.faults)[:_MAX_FAULTS],
    )


class _SegmentError(ValueError):
    """One segment is wrong; the text is the fault."""


@dataclass(frozen=True)
class _Component:
    number: int
    across: int
    down: int
    quantisation: int


@dataclass(frozen=True)
class _Frame:
    code: int
    precision: int
    height: int
    width: int
    components: tuple[_Component, ...]

    def units(self, components: list[_Component]) -> int:
        """Count the MCUs of a scan of these components (T.81, A.2)."""
        across = max(component.across for component in self.components)
        down = max(component.down for component in self.components)
        if len(components) > 1:
            return _ceil(self.width, 8 * across) * _ceil(self.height, 8 * down)
        (only,) = components
        return _ceil(_ceil(self.width * only.across, across), 8) * _ceil(_ceil(self.height * only.down, down), 8)


_NO_FRAME = _Frame(0, 0, 0, 0, ())


@dataclass(frozen=True)
class _Scan:
    components: tuple[tuple[int, int, int], ...]
    """Of each its number and the numbers of its DC and AC tables."""
    first: int
    last: int
    approximation: int


@dataclass(frozen=True)
class _Table:
    counts: bytes
    values: bytes


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _name(code: int) -> str:
    return _NAMES.get(code, f"FF{code:02X}")


def _frame(code: int, body: bytes) -> _Frame:
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise _SegmentError(f"the {_name(code)} segment has the wrong length")
    components = tuple(
        _Component(number, factors >> 4, factors & 15, quantisation)
        for number, factors, quantisation in zip(body[6::3], body[7::3], body[8::3], strict=True)
    )
    return _Frame(code, body[0], int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big"), components)


def _frame_faults(frame: _Frame) -> list[str]:
    faults = []
    if frame.width == 0 or frame.height == 0:
        faults.append(f"the picture is {frame.width} x {frame.height} pixels")
    if not 1 <= len(frame.components) <= 4:
        faults.append(f"there are {len(frame.components)} components")
    if len({component.number for component in frame.components}) < len(frame.components):
        faults.append("two components have the same number")
    if any(not 1 <= factor <= 4 for one in frame.components for factor in (one.across, one.down)):
        faults.append("a sampling factor is not 1 to 4")
    if frame.precision not in {0xC0: (8,), 0xC1: (8, 12), 0xC2: (8, 12)}.get(frame.code, range(2, 17)):
        faults.append(f"samples of {frame.precision} bits are outside {_name(frame.code)}")
    return faults


def _scan(body: bytes) -> _Scan:
    count = body[0] if body else 0
    if not 1 <= count <= 4 or len(body) != 4 + 2 * count:
        raise _SegmentError("the SOS segment has the wrong length")
    tables = zip(body[1 : 1 + 2 * count : 2], body[2 : 2 + 2 * count : 2], strict=True)
    components = tuple((number, both >> 4, both & 15) for number, both in tables)
    return _Scan(components, first=body[-3], last=body[-2], approximation=body[-1])


def _quantisation_tables(body: bytes) -> list[int]:
    numbers = []
    position = 0
    while position < len(body):
        precision, number = body[position] >> 4, body[position] & 15
        size = 64 * (precision + 1)
        steps = body[position + 1 : position + 1 + size]
        if precision > 1 or number > 3 or len(steps) < size:
            raise _SegmentError("the DQT segment is not a list of quantisation tables")
        if any(step == (0,) * (precision + 1) for step in zip(*[iter(steps)] * (precision + 1), strict=True)):
            raise _SegmentError(f"quantisation table {number} holds a zero")
        numbers.append(number)
        position += 1 + size
    return numbers


def _huffman_tables(body: bytes) -> dict[tuple[int, int], _Table]:
    """Give the tables by class (0 DC, 1 AC) and number."""
    tables = {}
    position = 0
    while position < len(body):
        kind, number = body[position] >> 4, body[position] & 15
        counts = body[position + 1 : position + 17]
        values = body[position + 17 : position + 17 + sum(counts)]
        if kind > 1 or number > 3 or len(counts) < 16 or len(values) < sum(counts):
            raise _SegmentError("the DHT segment is not a list of Huffman tables")
        if sum(count << 16 - length for length, count in enumerate(counts, start=1)) > 1 << 16:
            raise _SegmentError(f"Huffman table {number} has more codes than fit its lengths")
        tables[kind, number] = _Table(counts, values)
        position += 17 + len(values)
    return tables


class _Walk:
    """The state of one walk over one file: what has been declared so far, and the faults seen."""

    def __init__(self, data: bytes, entropy_limit: int) -> None:
        self.data = data
        self.position = len(START)
        self.entropy_allowance = entropy_limit
        self.scans_checked = 0
        self.faults: dict[str, None] = {}
        self.markers = ["SOI"]
        self.frame: _Frame | None = None
        self.frame_is_sound = False
        self.quantisation: set[int] = set()
        self.huffman: dict[tuple[int, int], _Table] = {}
        self.restart_interval = 0
        self.scanned: set[int] = set()
        self.jfif = self.exif = self.adobe = self.unusual = False

    def to_the_end(self) -> None:
        """Walk every segment, then say what the file as a whole lacks."""
        while self._segment():
            pass
        if self.frame is None:
            self._note("there is no frame header")
        if "SOS" not in self.markers:
            self._note("there is no scan")
        elif self.frame_is_sound and self.frame:
            for component in self.frame.components:
                if component.number not in self.scanned:
                    self._note(f"component {component.number} is in no scan")

    def _note(self, *faults: str) -> None:
        self.faults.update(dict.fromkeys(faults))

    def _segment(self) -> bool:
        """Walk one marker and what belongs to it; False where the file ends or makes no more sense."""
        code = self._marker()
        if code is None:
            return False
        self.markers.append(_name(code))
        if code == _EOI:
            if self.position < len(self.data):
                self._note(f"{len(self.data) - self.position} bytes follow the EOI marker")
            return False
        if code in (_SOI, _TEM) or 0xD0 <= code <= 0xD7:
            self._note(f"the marker {_name(code)} stands outside its place")
            return True
        if code not in _NAMES:
            self._note(f"there is no marker {_name(code)}")
        body = self._body(code)
        if body is None:
            return False
        try:
            self._take(code, body)
        except _SegmentError as fault:
            self._note(str(fault))
        if code == _SOS:
            self._skip_entropy_data()
        return True

    def _marker(self) -> int | None:
        start = self.position
        if start < len(self.data) and self.data[start] != 0xFF:
            self._note(f"there is no marker at byte {start}")
            return None
        while self.position < len(self.data) and self.data[self.position] == 0xFF:
            self.position += 1
        if self.position >= len(self.data):
            self._note("there is no EOI marker")
            return None
        self.position += 1
        return self.data[self.position - 1]

    def _body(self, code: int) -> bytes | None:
        head = self.data[self.position : self.position + 2]
        length = int.from_bytes(head, "big")
        end = self.position + length
        if len(head) < 2 or end > len(self.data):
            self._note(f"the {_name(code)} segment runs past the end of the file", "there is no EOI marker")
            return None
        if length < 2:
            self._note(f"the {_name(code)} segment has the length {length}")
            return None
        body = self.data[self.position + 2 : end]
        self.position = end
        return body

    def _take(self, code: int, body: bytes) -> None:
        if code in _FRAMES:
            self._take_frame(_frame(code, body))
        elif code == _DQT:
            self.quantisation.update(_quantisation_tables(body))
        elif code == _DHT:
            self.huffman.update(_huffman_tables(body))
        elif code == _DRI:
            if len(body) != 2:
                raise _SegmentError("the DRI segment has the wrong length")
            self.restart_interval = int.from_bytes(body, "big")
        elif code == _SOS:
            self._take_scan(_scan(body))
        self.jfif |= code == 0xE0 and body.startswith(b"JFIF\0")
        self.exif |= code == 0xE1 and body.startswith(b"Exif\0\0")
        self.adobe |= code == 0xEE and body.startswith(b"Adobe")
        self.unusual |= code in (_DNL, _DHP, _EXP, _DAC) or (code in _FRAMES and code not in _USUAL)

    def _take_frame(self, frame: _Frame) -> None:
        if self.frame is not None:
            raise _SegmentError("there is more than one frame header")
        faults = _frame_faults(frame)
        self.frame = frame
        self.frame_is_sound = not faults
        self._note(*faults)

    def _take_scan(self, scan: _Scan) -> None:
        """Check a scan header against all that was declared before it, then the data behind it."""
        if self.frame is None:
            raise _SegmentError("a scan stands before the frame header")
        if not self.frame_is_sound:
            return
        known = {component.number: component for component in self.frame.components}
        numbers = [number for number, _, _ in scan.components]
        if len(set(numbers)) < len(numbers) or not set(numbers) <= set(known):
            raise _SegmentError("a scan is of components that the frame header does not have")
        if self.frame.code in _SEQUENTIAL and self.scanned.intersection(numbers):
            raise _SegmentError("a component of a sequential file is in more than one scan")
        self.scanned.update(numbers)
        components = [known[number] for number in numbers]
        if len(components) > 1 and sum(one.across * one.down for one in components) > _MAX_UNITS_IN_MCU:
            raise _SegmentError(f"an MCU has more than {_MAX_UNITS_IN_MCU} blocks")
        for component in components:
            if component.quantisation not in self.quantisation:
                self._note(f"there is no quantisation table {component.quantisation}")
        if self._scan_is_usual(self.frame, scan):
            self._check_restarts(self.frame.units(components))
            self._check_codes(self.frame, scan, components)

    def _scan_is_usual(self, frame: _Frame, scan: _Scan) -> bool:
        if frame.code not in _USUAL:
            return False
        sequential = frame.code in _SEQUENTIAL
        if sequential and (scan.first, scan.last, scan.approximation) != (0, 63, 0):
            raise _SegmentError("a sequential scan does not cover the 64 coefficients")
        if not sequential and not (scan.first <= scan.last <= 63 and (scan.first > 0 or scan.last == 0)):
            raise _SegmentError("a progressive scan mixes the first coefficient with others")
        if not sequential and scan.first > 0 and len(scan.components) > 1:
            raise _SegmentError("a progressive scan mixes components")
        dc = sequential or (scan.first == 0 and scan.approximation >> 4 == 0)
        ac = sequential or scan.first > 0
        wanted = [(0, one) for _, one, _ in scan.components if dc] + [(1, one) for _, _, one in scan.components if ac]
        missing = [f"there is no {('DC', 'AC')[kind]} Huffman table {one}" for kind, one in wanted]
        missing = [text for key, text in zip(wanted, missing, strict=True) if key not in self.huffman]
        self._note(*missing)
        return not missing

    def _entropy_data(self) -> bytes:
        """Give what lies between here and the next marker, without the bytes that fill up before it."""
        end = _SCAN_END.search(self.data, self.position)
        return self.data[self.position : end.start() if end else len(self.data)].rstrip(b"\xff")

    def _skip_entropy_data(self) -> None:
        end = _SCAN_END.search(self.data, self.position)
        self.position = end.start() if end else len(self.data)

    def _check_restarts(self, units: int) -> None:
        data = self._entropy_data()
        numbers = [match[1][0] & 7 for match in _RESTART.finditer(data)]
        expected = _ceil(units, self.restart_interval) - 1 if self.restart_interval else 0
        if numbers and not self.restart_interval:
            self._note("restart markers stand in the scan, and none were declared")
        elif len(numbers) != expected:
            self._note(f"a scan has {len(numbers)} restart markers, not {expected}")
        if any(number != index & 7 for index, number in enumerate(numbers)):
            self._note("the restart markers are out of order")
        if any(_STRAY.search(part) for part in _RESTART.split(data)[::2]):
            self._note("a stray FF byte stands in the entropy-coded data")

    def _check_codes(self, frame: _Frame, scan: _Scan, components: list[_Component]) -> None:
        data = self._entropy_data()
        self.entropy_allowance -= len(data)
        units = frame.units(components)
        if frame.code in _SEQUENTIAL and 8 * len(data) < 2 * units:
            self._note(f"{len(data)} bytes of entropy-coded data cannot hold {units} MCUs")
            return
        if frame.code not in _SEQUENTIAL or self.entropy_allowance < 0:
            return
        self.scans_checked += 1
        blocks = []
        for (_, dc, ac), component in zip(scan.components, components, strict=True):
            tables = self.huffman[0, dc], self.huffman[1, ac]
            lookups = (
                jpeg_entropy.dc_lookup(tables[0].counts, tables[0].values),
                jpeg_entropy.ac_lookup(tables[1].counts, tables[1].values),
            )
            blocks += [lookups] * (component.across * component.down if len(components) > 1 else 1)
        left = units
        for part in _RESTART.split(data)[::2]:
            units = min(left, self.restart_interval or left)
            left -= units
            fault = jpeg_entropy.fault_of(part.replace(b"\xff\x00", b"\xff"), blocks, units)
            if fault:
                self._note(fault)
                return
