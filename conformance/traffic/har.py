"""HTTP Archives (HAR 1.2): judging what browsers, proxies and test tools have recorded, and writing one of our own."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance import __version__
from conformance.contract.reading import FREE, HEAVY_HEAD
from conformance.evidence.book import Book
from conformance.evidence.rejudge import recalled
from conformance.exchange import Exchange
from conformance.formats.content_coding import decoded
from conformance.message import Delivery, Headers, Response
from conformance.mistake import OperatorMistake
from conformance.traffic.recorded import Spoken

MOST_BYTES = 1 << 30
"""Of an archive; a larger one is not read."""
MOST_DECODED = 64 * 1024 * 1024
"""Of an answer whose content coding the recorder has left."""


def load(path: Path) -> tuple[datetime, list[Spoken]]:
    """When an archive begins, and the requests in it that were answered. Raises OperatorMistake."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise OperatorMistake(f"{path}: an archive of more than {MOST_BYTES} bytes is not read")
        entries = json.loads(path.read_text(encoding="utf-8-sig"))["log"]["entries"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise OperatorMistake(f"{path}: this is no HTTP archive: {type(error).__name__}: {error}") from None
    if not isinstance(entries, list):
        raise OperatorMistake(f"{path}: this is no HTTP archive: log.entries is no list")
    found: list[Spoken] = []
    moments: list[datetime] = []
    for number, entry in enumerate(entries, 1):
        try:
            moments.append(_moment(entry))
            if entry["response"]["status"] > 0 and not _is_somebody_elses(entry):
                found.append(_spoken(entry, number))
        except (KeyError, ValueError, TypeError, AttributeError, binascii.Error) as error:
            raise OperatorMistake(f"{path}: log.entries[{number - 1}] cannot be read: {error!r}") from None
    return min(moments, default=datetime.fromtimestamp(0, UTC)), found


def _is_somebody_elses(entry: Mapping[str, Any]) -> bool:
    """Answered by a cache, a service worker or a test in place of the server, or broken off by the client."""
    answered = entry["response"]
    marks = (entry.get("_wasFulfilled"), entry.get("_fromCache"), answered.get("_fetchedViaServiceWorker"))
    broken_off = (entry.get("_wasAborted"), answered.get("_error"), answered.get("_failureText"))
    return any(marks) or any(broken_off)


def _moment(entry: Mapping[str, Any]) -> datetime:
    moment = datetime.fromisoformat(entry["startedDateTime"])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _spoken(entry: Mapping[str, Any], number: int) -> Spoken:
    request, response = entry["request"], entry["response"]
    headers, answer_headers = _headers(request["headers"], _host(request["url"])), _headers(response["headers"])
    return Spoken(
        f"har.{number}",
        request["method"].encode("latin-1"),
        _target(request["url"]),
        headers,
        _sent(request, headers),
        int(response["status"]),
        answer_headers,
        _received(response, answer_headers, request["method"]),
        max(0.0, float(entry.get("time", 0)) / 1000),
    )


def _target(url: str) -> bytes:
    """Path and query as they stand in the URL."""
    after = url.split("://", 1)[-1]
    slash = after.find("/")
    return (after[slash:] if slash >= 0 else "/").partition("#")[0].encode("ascii", "backslashreplace")


def _host(url: str) -> bytes:
    return urlsplit(url).netloc.rpartition("@")[2].encode("ascii", "backslashreplace")


def _headers(entries: Iterable[Mapping[str, str]], host: bytes = b"") -> Headers:
    """Header pairs; without the pseudo-headers of HTTP/2, of which the authority becomes the host."""
    pairs = [(each["name"].encode("latin-1", "replace"), _value(each["value"])) for each in entries]
    plain = [(name, value) for name, value in pairs if not name.startswith(b":")]
    named = {name.lower() for name, _ in plain}
    return ((b"Host", host), *plain) if host and b"host" not in named else tuple(plain)


def _value(text: str) -> bytes:
    return text.replace("\r", " ").replace("\n", " ").strip().encode("latin-1", "replace")


def _sent(request: Mapping[str, Any], headers: Headers) -> bytes | None:
    """The body of a request; None where the archive has not got it, or got it wrong.

    Chrome gives size 0 for what it could not see, and counts what became of a text and not what was sent, in which
    U+FFFD stands for the rest; Playwright gives an empty text. So an empty body is one whose length was announced as 0.
    """
    announced, data = _length(headers), request.get("postData") or {}
    text, size = data.get("text"), request.get("bodySize") if announced is None else announced
    if not text:
        return b"" if announced == 0 or request["method"] in ("GET", "HEAD") else None
    if (data.get("encoding") or data.get("_encoding")) == "base64":
        return base64.b64decode(text, validate=True)
    ways = [text.encode("latin-1") if max(text) <= "\xff" else None, _octets(text)]
    # most recorders write text, and have lost what was none: the size tells
    return next((body for body in ways if body is not None and len(body) == size), None)


def _length(headers: Headers) -> int | None:
    """The length that a message announces of itself."""
    values = {value for name, value in headers if name.lower() == b"content-length"}
    value = values.pop() if len(values) == 1 else b""
    return int(value) if value.isdigit() else None


def _octets(text: str) -> bytes | None:
    """What a text was made from as UTF-8; None when that is lost. mitmproxy has surrogates for what was none."""
    if "\ufffd" in text:
        return None
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None


def _received(response: Mapping[str, Any], headers: Headers, method: str) -> bytes | None:
    """The body of an answer without its content coding; None where the archive has not got it, or not all of it."""
    content, status = response["content"], response["status"]
    text, announced = content.get("text"), _length(headers)
    if not text:
        known = method == "HEAD" or status in (204, 304) or announced == 0
        return b"" if known or (text == "" and announced is None and content.get("size") == 0) else None
    body = base64.b64decode(text, validate=True) if content.get("encoding") == "base64" else _octets(text)
    if body is None or not _is_whole(body, content, headers):
        return None
    codings = [value for name, value in headers if name.lower() == b"content-encoding"]
    return _plain(body, codings) if codings else body


def _plain(body: bytes, codings: Sequence[bytes]) -> bytes | None:
    """A body that the recorder was to decode, and did not always; None for bytes that seem to be coded still."""
    left = decoded(body, codings, MOST_DECODED)
    return left if left is not None else body if _is_text(body) else None


def _is_text(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_whole(body: bytes, content: Mapping[str, Any], headers: Headers) -> bool:
    """As long as the archive says that it was: Firefox keeps only the beginning of long ones.

    mitmproxy gives the size before decoding, and beside it what coding has saved.
    """
    size, saved = content.get("size") or 0, content.get("compression") or 0
    is_coded = any(name.lower() == b"content-encoding" for name, _ in headers)
    announced = None if is_coded else _length(headers)
    return (size <= 0 or len(body) in (size, size + saved)) and announced in (None, len(body))


def convert(evidence: Path, path: Path) -> None:
    """Write the evidence of a run as an archive. Raises OperatorMistake."""
    with Book(evidence) as book:
        target = recalled(book.opening.get("target"), book.opening.get("states", []))
        started = datetime.fromisoformat(str(book.opening.get("started")))
        exchanges = (entry.exchange for entry in book.entries(target) if entry.judged)
        try:
            save(path, exchanges, target.url, started)
        except OSError as error:
            raise OperatorMistake(f"{path}: the archive cannot be written: {error.strerror}") from None


def save(path: Path, exchanges: Iterable[Exchange], url: str, started: datetime) -> None:
    """Write exchanges as an archive, one by one; bodies are in base64, so that none is lost.

    An archive can only hold what was answered, what is a proper message of the usual form, and what is coded in a way
    that can be undone: the rest is left out.
    """
    with path.open("w", encoding="utf-8") as file:
        creator = {"name": "detect-anomalies-conformance", "version": __version__}
        head = json.dumps({"version": "1.2", "creator": creator})
        file.write('{"log": ' + head[:-1] + ', "entries": [')
        for number, entry in enumerate(_entries(exchanges, url, started)):
            file.write(("," if number else "") + "\n" + json.dumps(entry))
        file.write("\n]}}\n")


def _entries(exchanges: Iterable[Exchange], url: str, started: datetime) -> Iterator[dict[str, Any]]:
    moment = started
    for exchange in exchanges:
        if isinstance(exchange.answer, Response) and _can_be_held(exchange):
            body = decoded(exchange.answer.body, exchange.answer.values(b"content-encoding"), MOST_DECODED)
            if body is not None:
                yield _entry(exchange, exchange.answer, body, url, moment)
        moment += timedelta(seconds=exchange.seconds)


def _can_be_held(exchange: Exchange) -> bool:
    """Whether nothing about the request is lost by writing it down so."""
    request, reading = exchange.request, exchange.reading
    plain = exchange.case.delivery is Delivery.WHOLE and not exchange.circumstance
    proper = reading.proper and request.version == b"HTTP/1.1" and request.target.startswith(b"/")
    framed = bool(request.values(b"content-length")) and not request.values(b"transfer-encoding")
    return plain and proper and framed and not reading.open & {FREE, HEAVY_HEAD, "http.expect"}


def _entry(exchange: Exchange, answer: Response, body: bytes, url: str, moment: datetime) -> dict[str, Any]:
    request, millis = exchange.request, round(exchange.seconds * 1000, 3)
    return {
        "startedDateTime": moment.isoformat(timespec="milliseconds"),
        "time": millis,
        "request": {
            "method": _text(request.method),
            "url": url.rstrip("/") + _text(request.target),
            "httpVersion": _text(request.version),
            "headers": _pairs(request.headers),
            "queryString": [],
            "cookies": [],
            "headersSize": len(request.head),
            "bodySize": len(request.body),
            "postData": {
                "mimeType": _text(b"".join(request.values(b"content-type")[:1])),
                "text": base64.b64encode(request.body).decode(),
                "encoding": "base64",
                "params": [],
            },
        },
        "response": {
            "status": answer.status,
            "statusText": _text(answer.reason),
            "httpVersion": _text(answer.version),
            "headers": _pairs(answer.headers),
            "cookies": [],
            "content": {
                "size": len(body),
                "mimeType": _text(b"".join(answer.values(b"content-type")[:1])),
                "text": base64.b64encode(body).decode(),
                "encoding": "base64",
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(answer.body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": millis, "receive": 0},
        "comment": exchange.case.id,
    }


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": _text(name), "value": _text(value)} for name, value in headers]


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")
