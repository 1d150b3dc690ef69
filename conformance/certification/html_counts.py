"""Which outcomes a report page shows, read from the page itself."""

from __future__ import annotations

from html.parser import HTMLParser


def outcomes_in(page: bytes) -> dict[str, str]:
    """By clause: the outcome that the page shows for it."""
    reader = _Reader()
    reader.feed(page.decode("utf-8", "replace"))
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "article" and named.get("data-outcome") is not None:
            self.found[named.get("id") or ""] = named["data-outcome"] or ""
