"""Compiles what the learners call, as a process of its own, into the cache that all processes read.

In: `Settings` as JSON on standard input; the argument `learning` or `ranking`, what to begin with.
Out: Numba's cache. Numba compiles under the interpreter lock, so two processes are two cores: each
finds in the cache what the other has compiled already.
"""

from __future__ import annotations

import sys

import msgspec

from udfs.learning.item_shard import ItemShard
from udfs.learning.learner import Learner
from udfs.models.settings import Settings


def main() -> None:
    """`python -m udfs.learning.precompile learning|ranking < settings.json`"""
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=Settings)
    Learner(settings).compile(ranking_first=sys.argv[1:] == ["ranking"])
    ItemShard.compile(settings)


if __name__ == "__main__":
    main()
