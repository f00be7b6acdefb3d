"""Fixed-edge logarithmic buckets for durations, shared by everything that counts times.

Eight buckets an octave above 1,024 ns and eight equal ones below it, so a bucket is at most an eighth wider than its
lower edge and every edge is a multiple of 128 ns.  The edges never move: two runs can always be laid over each other.
"""

from __future__ import annotations

from typing import Final

LINEAR_SHIFT: Final = 7
"""Nanoseconds >> LINEAR_SHIFT is the number of the 128 ns bin that holds a short duration."""

_SUB_BITS: Final = 3
_SUB: Final = 1 << _SUB_BITS
_LINEAR_LIMIT_NS: Final = _SUB << LINEAR_SHIFT
_OCTAVES: Final = 27

BUCKET_COUNT: Final = _SUB + _OCTAVES * _SUB
"""Number of buckets; the last one also holds everything longer than its lower edge (about 129 s)."""


def bucket_of(duration_ns: int) -> int:
    """Return the index of the bucket that holds `duration_ns` (negative durations count as 0).

    >>> bucket_of(0), bucket_of(127), bucket_of(128), bucket_of(1024)
    (0, 0, 1, 8)
    """
    if duration_ns < _LINEAR_LIMIT_NS:
        return duration_ns >> LINEAR_SHIFT if duration_ns > 0 else 0
    octave = duration_ns.bit_length() - 11
    index = ((octave + 1) << _SUB_BITS) + ((duration_ns >> (octave + LINEAR_SHIFT)) & (_SUB - 1))
    return min(index, BUCKET_COUNT - 1)


def lower_edge_ns(index: int) -> int:
    """Return the smallest duration in ns that falls into bucket `index`.

    >>> lower_edge_ns(0), lower_edge_ns(8), lower_edge_ns(16)
    (0, 1024, 2048)
    """
    if index < _SUB:
        return index << LINEAR_SHIFT
    octave, sub = divmod(index - _SUB, _SUB)
    return (_SUB + sub) << (octave + LINEAR_SHIFT)


def upper_edge_ns(index: int) -> int:
    """Return the first duration in ns that is too long for bucket `index`."""
    return lower_edge_ns(index + 1)


LOWER_EDGES_NS: Final = tuple(lower_edge_ns(index) for index in range(BUCKET_COUNT + 1))
"""All edges in ns, ascending; entry i is the lower edge of bucket i and the upper edge of bucket i - 1."""
