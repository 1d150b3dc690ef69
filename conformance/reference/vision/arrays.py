"""The kinds of arrays that the package passes around, and their products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]

_SMALL = 2**18  # multiplications up to which OpenBLAS does not wake other threads


def product(left: Floats, right: Floats) -> Floats:
    """The matrix product of something small and something long, (n, k) and (k, cells).

    It is taken in pieces that stay on one core: the server's threads share the others, and waking them for so little
    takes longer than the work.
    """
    cells = right.shape[1]
    step = max(1, _SMALL // max(1, left.size))
    result = np.empty((len(left), cells), dtype=np.float32)
    for start in range(0, cells, step):
        np.matmul(left, right[:, start : start + step], out=result[:, start : start + step])
    return result


def covariance(sample: Floats) -> NDArray[np.float64]:
    """The covariance of a sample (features, cells), in pieces as well."""
    features, cells = sample.shape
    away = sample - sample.mean(axis=1, keepdims=True)
    step = max(1, _SMALL // features**2)
    total = np.zeros((features, features))
    for start in range(0, cells, step):
        part = away[:, start : start + step]
        total += part @ part.T
    total /= max(1, cells - 1)
    return total


def some(number: int, of: int) -> NDArray[np.intp]:
    """At most so many of the places 0 .. ``of`` - 1, the same ones each time.

    They are drawn, since every so-many-th cell of a picture may well be of the same trace.
    """
    places = np.random.default_rng(of).permutation(of)[:number]
    places.sort()
    return places


def single(array: NDArray[np.floating]) -> Floats:
    """The same in 32 bit."""
    return array.astype(np.float32, copy=False)
