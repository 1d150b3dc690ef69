"""The entropy-coded data of sequential Huffman JPEGs (ITU-T T.81, F.2.2): walked code by code, nothing is painted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

Lookup = Sequence[int]
"""For each of the 65536 sequences of 16 bits the step of the code that begins it: coefficients * 32 + bits."""

_INVALID = 256 << 5
_END_OF_BLOCK = 128
_BITS = 31
_LONGEST_BLOCK = 64 * 31 // 8 + 3
"""Bytes that one block can reach past the end of the data before the end is noticed."""


@lru_cache(maxsize=16)
def dc_lookup(counts: bytes, values: bytes) -> Lookup:
    """Give the steps of a table for first coefficients: ``counts`` codes of 1..16 bits, and their values in turn."""
    return _lookup(counts, [0 if value <= 15 else None for value in values], values)


@lru_cache(maxsize=16)
def ac_lookup(counts: bytes, values: bytes) -> Lookup:
    """Give the steps of a table for the other 63 coefficients; codes that sequential files do not use are invalid."""
    return _lookup(counts, [_coefficients(value) for value in values], [value & 15 for value in values])


def fault_of(data: bytes, blocks: Sequence[tuple[Lookup, Lookup]], units: int) -> str | None:
    """Say what is wrong with one restart interval: ``units`` MCUs, each of the ``blocks`` with their tables in turn.

    ``data`` is without the stuffed zero bytes; whatever bits fill its last byte are taken.
    """
    size = 8 * len(data)
    padded = data + bytes(_LONGEST_BLOCK + 3)
    windows = [a << 16 | b << 8 | c for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)]
    bit = 0
    for unit in range(units):
        for dc, ac in blocks:
            step = dc[windows[bit >> 3] >> 8 - (bit & 7) & 0xFFFF]
            bit += step & _BITS
            index = 1 + (step >> 5)
            while index < 64:
                step = ac[windows[bit >> 3] >> 8 - (bit & 7) & 0xFFFF]
                bit += step & _BITS
                index += step >> 5
            if bit > size:
                return f"the entropy-coded data ends in unit {unit} of {units}"
            if index >= _INVALID >> 5:
                return f"there is no such Huffman code at bit {bit} of the entropy-coded data"
            if 64 < index < _END_OF_BLOCK:
                return f"a block has more than 64 coefficients at bit {bit} of the entropy-coded data"
    left = (size - bit) // 8
    return f"{left} bytes of entropy-coded data are left over" if left else None


def _lookup(counts: bytes, coefficients: Sequence[int | None], sizes: Sequence[int]) -> Lookup:
    steps: list[int] = []
    index = 0
    for length, count in enumerate(counts, start=1):
        for _ in range(count):
            taken, size = coefficients[index], sizes[index]
            step = _INVALID if taken is None else taken << 5 | (length + size)
            steps += [step] * (1 << 16 - length)
            index += 1
    return steps + [_INVALID] * (65536 - len(steps))


def _coefficients(value: int) -> int | None:
    run, size = value >> 4, value & 15
    if size:
        return run + 1
    return {0: _END_OF_BLOCK, 15: 16}.get(run)
