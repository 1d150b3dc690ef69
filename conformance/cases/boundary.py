"""Values at, inside and just outside the limits of the contract, derived from its keywords.

Nothing is retyped here: a longer limit or another pattern in the document changes what these functions yield. What a
value breaks is asked of the schema, so a new mutation may be added without saying what it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.contract.schema import Schema, checks

Mutation = Callable[[str], str]

MUTATIONS: dict[str, Mutation] = {
    "newline-at-end": lambda text: text + "\n",
    "newline-at-start": lambda text: "\n" + text,
    "second-line": lambda text: text + "\n!" + text,
    "space-at-end": lambda text: text + " ",
    "space-at-start": lambda text: " " + text,
    "tab-inside": lambda text: text[:1] + "\t" + text[1:],
    "leading-hyphen": lambda text: "-" + text,
    "leading-underscore": lambda text: "_" + text,
    "leading-zero": lambda text: "0" + text,
    "leading-plus": lambda text: "+" + text,
    "only-zero": lambda _: "0",
    "only-hyphen": lambda _: "-",
    "only-underscore": lambda _: "_",
    "trailing-hyphen": lambda text: text + "-",
    "trailing-underscore": lambda text: text + "_",
    "hyphen-and-underscore-inside": lambda text: text[:1] + "-_" + text[1:],
    "dot": lambda text: text[:1] + "." + text[1:],
    "dot-zero": lambda text: text + ".0",
    "colon": lambda text: text + ":" + text[:1],
    "semicolon": lambda text: text + ";x=1",
    "comma": lambda text: text + "," + text[:1],
    "at-sign": lambda text: text + "@" + text[:1],
    "exclamation-mark": lambda text: text + "!",
    "tilde": lambda text: text + "~",
    "asterisk": lambda text: text + "*",
    "dollar": lambda text: text + "$",
    "ampersand": lambda text: text + "&" + text[:1],
    "equals": lambda text: text + "=",
    "quote": lambda text: "'" + text,
    "double-quote": lambda text: '"' + text + '"',
    "brackets": lambda text: text + "[]",
    "braces": lambda text: "{" + text + "}",
    "angle-brackets": lambda text: "<" + text + ">",
    "pipe": lambda text: text + "|" + text[:1],
    "caret": lambda text: text + "^",
    "percent": lambda text: text + "%",
    "percent-escape-as-text": lambda text: "%" + format(ord(text[0]), "02X") + text[1:],
    "question-mark": lambda text: text + "?",
    "hash": lambda text: text + "#",
    "upper-case": lambda text: text.upper(),
    "capitalised": lambda text: text.capitalize(),
    "hexadecimal": lambda text: "0x" + text,
    "exponent": lambda text: text[:1] + "e3",
    "grouped-digits": lambda text: text + "_000",
    "letter-behind": lambda text: text + "a",
    "word-behind": lambda text: text + "latest",
    "digit-behind": lambda text: text + "7",
    "single-letter": lambda _: "a",
    "single-digit": lambda _: "7",
    "umlaut": lambda text: text + "ä",
    "cyrillic-letter": lambda text: text[:1] + "а" + text[1:],
    "full-width-letter": lambda text: text + "ａ",
    "full-width-digit": lambda text: text + "１",
    "arabic-digit": lambda text: text + "١",
    "only-arabic-digit": lambda _: "١",
    "superscript-digit": lambda text: text + "²",
    "letter-like-one": lambda _: "ⅰ",
    "combining-accent": lambda text: text + "\u0301",
    "kelvin-sign": lambda text: text + "\u212a",
    "zero-width-space": lambda text: text + "\u200b",
    "soft-hyphen": lambda text: text + "\u00ad",
    "line-separator": lambda text: text + "\u2028",
    "no-break-space": lambda text: text + "\u00a0",
    "emoji": lambda text: text + "\U0001f36a",
    "under-tie": lambda text: text + "\u203f",
}

EDGES = (
    "newline-at-end newline-at-start space-at-end space-at-start leading-hyphen upper-case capitalised letter-behind "
    "digit-behind exclamation-mark zero-width-space combining-accent percent-escape-as-text"
).split()
"""The mutations that every further example goes through; the first goes through all."""


def mutated(schema: Schema, examples: list[str]) -> Iterator[tuple[str, str]]:
    """Yield a name and a value for every mutation of every example, each value once, none of them over-long."""
    seen = set(examples)
    for index, example in enumerate(examples):
        for name in EDGES if index else MUTATIONS:
            value = MUTATIONS[name](example)
            if value not in seen and not _breaks_length(schema, value):
                seen.add(value)
                yield (f"{name}-{index + 1}" if index else name), value


def lengths(schema: Schema, example: str) -> Iterator[tuple[str, str]]:
    """Yield a name and a value for the shortest, the longest, and those past the longest length."""
    longest = schema["maxLength"]
    for name, length in {"shortest": schema["minLength"], "longest": longest, "one-too-long": longest + 1}.items():
        yield name, stretched(example, length)
    for factor in (2, 4):
        yield f"{factor}-times-too-long", stretched(example, factor * longest)


def stretched(example: str, length: int) -> str:
    """An example brought to a length by cutting it or repeating its last character."""
    return example[:length] + example[-1] * (length - len(example))


def _breaks_length(schema: Schema, value: str) -> bool:
    return any(check.actual is not None and check.keyword.endswith("Length") for check in checks(schema, value))
