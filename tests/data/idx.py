"""Files of digits as MNIST's are: gzipped, and with the sizes in front."""

import gzip
import struct

import numpy as np


def packed(content: bytes) -> bytes:
    """Returns bytes gzipped, the same whenever it is done."""
    return gzip.compress(content, mtime=0)


def idx(values: np.ndarray) -> bytes:
    """Returns the gzipped idx file of unsigned bytes."""
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    return packed(head + values.tobytes())


def written(n: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns digits [n, 28, 28] that their darkest pixel tells apart, and which they are [n]."""
    rng = np.random.default_rng(first)
    images = np.zeros((n, 28, 28), dtype="uint8")
    for k, (low, high) in enumerate(rng.integers((2, 15), (14, 27), size=(n, 2))):
        images[k, low:high, low + 1 : high - 2] = first + k
    return images, (np.arange(n) % 10).astype("uint8")
