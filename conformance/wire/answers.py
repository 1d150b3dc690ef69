"""Reads one HTTP/1.x answer, strictly, out of the bytes that have come so far.

Nothing here knows a socket or a clock. What can be read is read and each breach of HTTP is named; what cannot be read
becomes a ``NoAnswer``. Nothing raises, and the work is linear in the bytes received.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from conformance.message import Answer, NoAnswer, Request, Response, Silence

_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)")
_SPACED_LIKE_A_STATUS_LINE = re.compile(rb"[!-~]+ [!-~]+ ")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]+)([ \t]*)(;.*)?", re.DOTALL)
_SLOPPY_NUMBER = re.compile(rb"\+?([0-9]+)")
_LONGEST_CODE = 9
_LONGEST_NUMBER = 15
_MOST_FAULTS = 64


@dataclass(frozen=True)
class Caps:
    """How much of an answer is taken in before it counts as too large."""

    head_bytes: int = 64 * 1024
    """Of one head, one chunk line or one trailer section."""
    interim_answers: int = 8
    body_bytes: int = 16 * 1024 * 1024
    """Of the body, and again of the chunk lines around it."""
    headers: int = 512
    """Lines in one head or one trailer section."""


class Reader:
    """Takes the bytes of one answer as they come.

    ``method`` is the request's, for an answer to HEAD has no body. ``upgrade_asked`` makes a 101 lawful.
    ``followed`` says that another answer is due behind this one (pipelining): then the bytes behind are ``leftover``
    and no fault.
    """

    def __init__(self, method: bytes, caps: Caps, *, upgrade_asked: bool = False, followed: bool = False) -> None:
        self._method = method
        self._caps = caps
        self._upgrade_asked = upgrade_asked
        self._followed = followed

        self._wire = bytearray()
        self._at = 0  # everything before has been understood
        self._scanned = 0  # no line feed between _at and here
        self._section = 0  # where the head, the chunk line or the trailer section began
        self._lines = 0
        self._step: _Step = Reader._read_status_line

        self._version = b""
        self._status = 0
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._interim: list[int] = []

        self._body = bytearray()
        self._body_at = 0
        self._due = 0  # bytes of the body or the chunk still to come

        self._faults: dict[str, None] = {}  # a set that keeps the order
        self._framing_in_doubt = False
        self._closes = False
        self._tunnel = False
        self._answer: Answer | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes, wherever they were cut."""
        if self._step is Reader._failed:
            return
        self._wire += data
        if self._step is Reader._done:
            self._answer = None
        while self._step(self):
            pass

    def feed_eof(self) -> None:
        """The server will send no more."""
        self._closes = True
        if self._step is Reader._read_to_close:
            self._take_the_rest()
        elif self._step is Reader._done:
            self._answer = None
        else:
            self.give_up(Silence.CLOSED, "The server closed the connection before the answer was whole.")

    def give_up(self, kind: Silence, reason: str) -> Answer:
        """Wait no longer: the answer if there is one, else a ``NoAnswer`` that says how far the reading came.

        An answer whose length was announced illegibly is taken as far as it came, for its fault is the thing to know.
        """
        if self._step is Reader._read_to_close and self._framing_in_doubt:
            self._take_the_rest()
        if self._step not in (Reader._done, Reader._failed):
            self._fail(kind, f"{reason} {self._place()}")
        return self.answer or NoAnswer(kind, reason)

    @property
    def answer(self) -> Answer | None:
        """What was read; None as long as it is not complete. Bytes that come behind it change it."""
        if self._answer is None and self._step is Reader._done:
            self._answer = self._response()
        return self._answer

    @property
    def interim(self) -> tuple[int, ...]:
        """Status codes of the 1xx answers read so far."""
        return tuple(self._interim)

    @property
    def waiting_for_final(self) -> bool:
        """An interim answer came, the final one is not complete."""
        return bool(self._interim) and self.answer is None

    @property
    def started(self) -> bool:
        """At least one byte has come."""
        return bool(self._wire)

    @property
    def leftover(self) -> bytes:
        """The bytes behind the complete answer."""
        return bytes(self._wire[self._at :]) if self._step is Reader._done else b""

    # Steps. Each reads one thing; True means: go on with the next step, False: wait for more bytes.

    def _read_status_line(self) -> bool:
        opening = bytes(self._wire[self._at : self._at + 5]).upper()
        if not b"HTTP/".startswith(opening) and opening[:1] not in (b"\r", b"\n"):
            return self._fail(Silence.MALFORMED, f"The answer begins with {_shown(self._wire[self._at :])}, not HTTP/.")
        line = self._line()
        if line is None:
            return False
        if not line:
            return self._doubt("An empty line stands before the status line.")
        proper = _STATUS_LINE.fullmatch(line)
        if proper:
            self._version, self._status, self._reason = proper[1], int(proper[2]), proper[3]
        elif not self._mend_status_line(line):
            return self._fail(Silence.MALFORMED, f"The status line {_shown(line)} cannot be read.")
        self._step = Reader._read_header
        return True

    def _read_header(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not line:
            return self._end_head()
        if not self._count_line():
            return False
        if line[0] in b" \t":
            self._unfold(line)
        elif pair := self._field(line):
            self._headers.append(pair)
        return True

    def _read_sized(self) -> bool:
        if len(self._wire) - self._at < self._due:
            return False
        self._body = self._wire[self._at : self._at + self._due]
        self._at += self._due
        return self._finish()

    def _read_to_close(self) -> bool:
        if len(self._wire) - self._at > self._caps.body_bytes:
            return self._fail(Silence.TOO_LARGE, f"The body is longer than {self._caps.body_bytes} bytes.")
        return False

    def _read_chunk_line(self) -> bool:
        self._section = self._at
        line = self._line()
        if line is None:
            return False
        parts = _CHUNK_LINE.fullmatch(line)
        if parts is None:
            return self._fail(Silence.MALFORMED, f"The chunk line {_shown(line)} cannot be read.")
        if parts[2] and not parts[3]:
            self._doubt("White space stands behind a chunk size.")
        if parts[3] and _CONTROL.search(parts[3]):
            self._doubt("A chunk extension holds a control character.")
        self._due = _number(parts[1].lstrip(b"0"), 16)
        return self._begin_chunk()

    def _read_chunk(self) -> bool:
        piece = self._wire[self._at : self._at + self._due]
        self._body += piece
        self._at += len(piece)
        self._due -= len(piece)
        if self._due:
            return False
        self._step = Reader._read_chunk_end
        return True

    def _read_chunk_end(self) -> bool:
        end = bytes(self._wire[self._at : self._at + 2])
        if end in (b"", b"\r"):
            return False
        if end[:1] == b"\n":
            self._doubt("A line ends with a bare LF.")
            self._at += 1
        elif end == b"\r\n":
            self._at += 2
        else:
            found = _shown(self._wire[self._at :])
            return self._fail(Silence.MALFORMED, f"A chunk goes on with {found} where its size says that it ends.")
        self._step = Reader._read_chunk_line
        return True

    def _read_trailer(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not line:
            return self._finish()
        if not self._count_line():
            return False
        if line[0] in b" \t":
            self._doubt("A header line is folded.")
        else:
            self._field(line)
        return True

    def _done(self) -> bool:
        return False

    def _failed(self) -> bool:
        return False

    # What the steps are made of.

    def _line(self) -> bytes | None:
        """The next line without its end; None when it is not complete, or the section has passed its cap."""
        end = self._wire.find(b"\n", max(self._scanned, self._at))
        self._scanned = end + 1 if end >= 0 else len(self._wire)
        if self._scanned - self._section > self._caps.head_bytes:
            self._fail(Silence.TOO_LARGE, f"{self._section_name()} is longer than {self._caps.head_bytes} bytes.")
            return None
        if end < 0:
            return None
        line = bytes(self._wire[self._at : end])
        self._at = end + 1
        if line.endswith(b"\r"):
            return line[:-1]
        self._doubt("A line ends with a bare LF.")
        return line

    def _section_name(self) -> str:
        named: dict[_Step, str] = {Reader._read_chunk_line: "A chunk line", Reader._read_trailer: "The trailer section"}
        return named.get(self._step, "The head")

    def _count_line(self) -> bool:
        self._lines += 1
        if self._lines <= self._caps.headers:
            return True
        return self._fail(Silence.TOO_LARGE, f"{self._section_name()} has more than {self._caps.headers} lines.")

    def _mend_status_line(self, line: bytes) -> bool:
        """Read a status line that breaks the grammar, naming how; False when there is no code in it."""
        version, code, reason = (*line.split(None, 2), b"", b"", b"")[:3]
        if version[:5].upper() != b"HTTP/" or not code.isdigit() or len(code) > _LONGEST_CODE:
            return False
        if version not in (b"HTTP/1.0", b"HTTP/1.1"):
            self._doubt(f"The version {_shown(version)} is neither HTTP/1.0 nor HTTP/1.1.")
        if not _SPACED_LIKE_A_STATUS_LINE.match(line):
            self._fault("The status line is not a version, a space, a code, a space and a reason.")
        if len(code) != 3 or not 100 <= int(code) <= 599:
            self._doubt(f"The status code {_shown(code)} is not three digits from 100 to 599.")
        if _CONTROL.search(reason):
            self._fault("The reason holds a control character.")
        self._version, self._status, self._reason = version, int(code), reason
        return True

    def _field(self, line: bytes) -> tuple[bytes, bytes] | None:
        raw_name, colon, value = line.partition(b":")
        if not colon:
            self._doubt(f"The header line {_shown(line)} has no colon.")
            return None
        name = raw_name.rstrip(b" \t")
        if name != raw_name:
            self._doubt(f"White space stands before the colon of the header {_shown(name)}.")
        if not _TOKEN.fullmatch(name):
            self._doubt(f"The header name {_shown(name)} is illegal.")
        value = value.strip(b" \t")
        if _CONTROL.search(value):
            self._name_control_character(name, value)
        return name, value

    def _unfold(self, line: bytes) -> None:
        self._doubt("A header line is folded.")
        if not self._headers:
            return
        name, value = self._headers[-1]
        more = line.strip(b" \t")
        if _CONTROL.search(more):
            self._name_control_character(name, more)
        self._headers[-1] = (name, value + b" " + more)

    def _name_control_character(self, name: bytes, value: bytes) -> None:
        self._fault(f"The value of the header {_shown(name)} holds a control character.")
        # Some readers end a line at a bare CR, and a string at NUL: the head may be another one for them.
        self._framing_in_doubt |= b"\r" in value or b"\0" in value

    def _end_head(self) -> bool:
        if 100 <= self._status <= 199 and self._status != 101:
            return self._end_interim()
        lengths, codings, options = _framing_headers(self._headers)
        self._closes |= b"close" in options or (self._version == b"HTTP/1.0" and b"keep-alive" not in options)
        length = self._length(lengths)
        chunked = self._chunked(codings, bool(lengths))
        self._body_at = self._at
        if self._is_bodiless():
            return self._finish()
        if chunked:
            self._step = Reader._read_chunk_line
        elif length is None:
            self._closes = True
            self._step = Reader._read_to_close
        elif length > self._caps.body_bytes:
            return self._fail(Silence.TOO_LARGE, f"The answer announces more than {self._caps.body_bytes} bytes.")
        else:
            self._due = length
            self._step = Reader._read_sized
        return True

    def _end_interim(self) -> bool:
        self._interim.append(self._status)
        if len(self._interim) > self._caps.interim_answers:
            return self._fail(Silence.TOO_LARGE, f"More than {self._caps.interim_answers} interim answers came.")
        self._headers = []
        self._lines = 0
        self._section = self._at
        self._step = Reader._read_status_line
        return True

    def _is_bodiless(self) -> bool:
        if self._status == 101:
            if not self._upgrade_asked:
                self._doubt("The server switches protocols (101) though no upgrade was asked for.")
            self._tunnel = self._upgrade_asked
            self._closes = True
            return True
        if self._method == b"CONNECT" and 200 <= self._status <= 299:
            self._tunnel = self._closes = True
            return True
        return self._method == b"HEAD" or self._status in (204, 304)

    def _length(self, values: list[bytes]) -> int | None:
        """The announced length; where the values differ the smallest, so that the rest shows as stray bytes."""
        if not values:
            return None
        members = [member.strip(b" \t") for value in values for member in value.split(b",")]
        for member in members:
            if not member.isdigit():
                self._doubt(f"The Content-Length {_shown(member)} is not a plain decimal.")
        if len(set(members)) > 1:
            self._doubt("Several Content-Length values differ.")
        elif len(members) > 1:
            self._doubt("Content-Length is repeated.")
        numbers = [_number(found[1].lstrip(b"0")) for member in members if (found := _SLOPPY_NUMBER.fullmatch(member))]
        return min(numbers, default=None)

    def _chunked(self, codings: list[bytes], has_length: bool) -> bool:
        if not codings:
            return False
        if has_length:
            self._doubt("Content-Length stands together with Transfer-Encoding.")
        if self._version == b"HTTP/1.0":
            self._doubt("An HTTP/1.0 answer has a Transfer-Encoding.")
        if codings != [b"chunked"]:
            self._doubt(f"The Transfer-Encoding is {_shown(b', '.join(codings))}, not chunked alone.")
        return codings[-1] == b"chunked"

    def _begin_chunk(self) -> bool:
        cap = self._caps.body_bytes
        if len(self._body) + self._due > cap:
            return self._fail(Silence.TOO_LARGE, f"The body is longer than {cap} bytes.")
        if self._at - self._body_at - len(self._body) > cap:
            return self._fail(Silence.TOO_LARGE, f"The chunk lines alone are longer than {cap} bytes.")
        if self._due:
            self._step = Reader._read_chunk
        else:
            self._section = self._at
            self._lines = 0
            self._step = Reader._read_trailer
        return True

    def _take_the_rest(self) -> None:
        self._body = self._wire[self._at :]
        self._at = len(self._wire)
        self._finish()

    def _finish(self) -> bool:
        self._step = Reader._done
        return False

    def _response(self) -> Response:
        stray = len(self._wire) - self._at
        is_strays = bool(stray) and not self._tunnel and (self._closes or not self._followed)
        faults = (*self._faults, *([self._stray_fault(stray)] if is_strays else []))
        return Response(
            status=self._status,
            headers=tuple(self._headers),
            body=bytes(self._body),
            reason=self._reason,
            version=self._version,
            faults=faults,
            interim=tuple(self._interim),
            wire=bytes(self._wire if is_strays or not self._followed else self._wire[: self._at]),
            closes=self._closes or self._framing_in_doubt or is_strays,
        )

    def _stray_fault(self, count: int) -> str:
        found = f"{count} bytes follow, beginning with {_shown(self._wire[self._at :])}"
        if self._method == b"HEAD":
            return f"An answer to HEAD has no body, but {found}."
        if self._status in (204, 304):
            return f"An answer {self._status} has no body, but {found}."
        return f"The answer is complete, but {found}."

    def _fault(self, sentence: str) -> None:
        if len(self._faults) < _MOST_FAULTS:
            self._faults[sentence] = None

    def _doubt(self, sentence: str) -> bool:
        """Name a fault that leaves in doubt where the message ends for others. True: the reading goes on."""
        self._fault(sentence)
        self._framing_in_doubt = True
        return True

    def _fail(self, kind: Silence, reason: str) -> bool:
        """End with a ``NoAnswer``. False: there is nothing more to read.

        Of what is too large only the beginning is kept, or a hundred such answers would fill the memory.
        """
        named = f" Faults before that: {' '.join(self._faults)}" if self._faults else ""
        kept = self._wire[: 2 * self._caps.head_bytes] if kind is Silence.TOO_LARGE else self._wire
        self._answer = NoAnswer(kind, reason + named, bytes(kept))
        self._step = Reader._failed
        return False

    def _place(self) -> str:
        """How far the reading came, as a sentence."""
        if not self._wire:
            return "Nothing had come."
        if self._step is Reader._read_sized:
            return f"Of {self._due} bytes of the body {len(self._wire) - self._at} had come."
        if self._step is Reader._read_to_close:
            return f"{len(self._wire) - self._at} bytes of a body without announced length had come."
        if self._step is Reader._read_trailer:
            return "The trailer section had not ended."
        if self._step in (Reader._read_status_line, Reader._read_header):
            after = " final" if self._interim else ""
            return f"The{after} head had not ended, {len(self._wire)} bytes had come."
        return f"The chunks had not ended, {len(self._body)} bytes of the body had come."


_Step = Callable[[Reader], bool]


def read_again(wire: bytes, request: Request) -> Answer:
    """The answer to a request, from all bytes that came for it, with more patience than when they came."""
    reader = Reader(request.method, _GENEROUS, upgrade_asked=b"\nupgrade" in request.head.lower())
    reader.feed(wire)
    if reader.answer is None:
        reader.feed_eof()
    return reader.answer or NoAnswer(Silence.CLOSED, wire=wire)


_GENEROUS = Caps(head_bytes=2**20, interim_answers=64, body_bytes=2**28, headers=4096)


def _framing_headers(headers: list[tuple[bytes, bytes]]) -> tuple[list[bytes], list[bytes], set[bytes]]:
    """The Content-Length values, the transfer codings and the connection options; the last two in lower case."""
    lengths: list[bytes] = []
    codings: list[bytes] = []
    options: set[bytes] = set()
    for name, value in headers:
        key = name.lower()
        if key == b"content-length":
            lengths.append(value)
        elif key == b"transfer-encoding":
            codings += [coding.strip(b" \t") for coding in value.lower().split(b",")]
        elif key == b"connection":
            options |= {option.strip(b" \t") for option in value.lower().split(b",")}
    return lengths, codings, options


def _number(digits: bytes, base: int = 10) -> int:
    """The number; where it is too long to be meant, one beyond every cap. No digits are 0."""
    return int(digits or b"0", base) if len(digits) <= _LONGEST_NUMBER else 10**_LONGEST_NUMBER


def _shown(octets: bytes | bytearray) -> str:
    """The first octets in plain ASCII, for a sentence; nothing a terminal would obey."""
    return repr(bytes(octets[:40]))[1:]
