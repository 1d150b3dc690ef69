"""Ways to repeat what a finding shows: a self-contained script always, a curl line where curl can send the bytes."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from conformance.exchange import Case
from conformance.formats import http
from conformance.message import Request
from conformance.report.visible import visible

LONGEST = 1500
"""Bytes of a head that a command line shall hold; for longer ones there is the script."""

_SCRIPT = '''\
"""Repeats {title}. Needs nothing but Python; another base URL may be given as argument."""

import base64
import socket
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

URL = sys.argv[1] if len(sys.argv) > 1 else {url!r}
# Each list goes over one connection, one request after the other; the lists run at the same time.
CONNECTIONS = [
{connections}
]
SECONDS = {seconds!r}


def connect():
    parts = urlsplit(URL)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sock = socket.create_connection((parts.hostname, port), timeout=SECONDS)
    if parts.scheme != "https":
        return sock
    return ssl.create_default_context().wrap_socket(sock, server_hostname=parts.hostname)


def converse(requests, lines):
    sock = None
    for head, body in requests:
        try:
            sock = sock or connect()
            sock.sendall(base64.b64decode(head))
            if b"100-continue" in base64.b64decode(head):
                time.sleep(1)
            sock.sendall(base64.b64decode(body))
            answer = receive(sock)
        except OSError as error:
            answer = f"no answer: {{error}}".encode()
        lines.append(answer)
        if sock and (not answer.startswith(b"HTTP/") or b"connection: close" in answer.lower()):
            sock.close()
            sock = None
    if sock:
        sock.close()


def receive(sock):
    """One answer, or what came of it within the time."""
    data = b""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        sock.settimeout(0.5 if data else SECONDS)
        try:
            piece = sock.recv(65536)
        except TimeoutError:
            break
        if not piece:
            break
        data += piece
    return data or b"no answer"


transcripts = [[] for _ in CONNECTIONS]
threads = [threading.Thread(target=converse, args=pair) for pair in zip(CONNECTIONS, transcripts)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for number, transcript in enumerate(transcripts, 1):
    for answer in transcript:
        print(f"--- connection {{number}}: {{len(answer)}} bytes")
        print(ascii(answer[:4000].decode("latin-1")).replace("\\\\r\\\\n", "\\n"))
'''


def script(title: str, url: str, connections: Sequence[Sequence[Case]], seconds: float) -> str:
    """A Python program that sends the requests again, byte for byte, and shows the answers escaped."""
    rows = ",\n".join(f"    [{', '.join(_pair(case.request) for case in cases)}]" for cases in connections)
    return _SCRIPT.format(title=title, url=url, connections=rows, seconds=seconds)


def _pair(request: Request) -> str:
    return f"({base64.b64encode(request.head).decode()!r}, {base64.b64encode(request.body).decode()!r})"


def curl(url: str, request: Request, body_file: str) -> str | None:
    """A curl line that sends the request, its body taken from a file.

    None when curl would change the bytes, or when the line could not be shown to anybody as it stands.
    """
    message = http.read(request)
    if message.faults or message.chunked or not request.head.isascii() or request.values(b"expect"):
        return None
    if not request.target.startswith(b"/") or b"\0" in request.head or len(request.head) > LONGEST:
        return None
    if request.values(b"content-length") not in ((), (str(len(request.body)).encode(),)):
        return None
    words = ["curl", "-sS", "-i", "--http1.1", "--path-as-is", "-X", request.method.decode()]
    words += ["--request-target", request.target.decode()]
    if request.method == b"HEAD":
        words.append("--head")
    for name, value in request.headers:
        if name.lower() != b"content-length":
            words += ["-H", f"{name.decode()}: {value.decode()}" if value else f"{name.decode()};"]
    for absent in ("Accept", "User-Agent", "Content-Type", "Expect"):
        if not request.values(absent.lower().encode()):
            words += ["-H", f"{absent}:"]
    if request.body or request.values(b"content-length"):
        words += ["--data-binary", f"@{body_file}"]
    parts = urlsplit(url)
    line = shlex.join([*words, f"{parts.scheme}://{parts.netloc}/"])
    return line if visible(line, len(line)) == line else None
