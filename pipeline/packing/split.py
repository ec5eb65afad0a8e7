"""Which pictures are for the test, and in which order pictures are written."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

DIGEST: Final = hashlib.sha256

Groups = Mapping[bytes, list[int]]
"""The positions of equal pictures, by the digest of their pixels."""


def groups_of(digests: Sequence[bytes]) -> Groups:
    """Groups equal pictures."""
    groups = defaultdict(list)
    for position, digest in enumerate(digests):
        groups[digest].append(position)
    return groups


def in_order(groups: Groups, seed: int) -> list[bytes]:
    """The digests in an order that depends on nothing but them and the seed."""
    return sorted(groups, key=lambda digest: DIGEST(b"%d %b" % (seed, digest)).digest())


def chosen(groups: Groups, labels: Sequence[int], share: float, seed: int) -> set[bytes]:
    """The digests of the pictures for the test: a share of each class, rounded.

    It is at least one picture of each class that has two different ones, and never all of a class.
    Equal pictures stay together, also those of two classes.
    """
    counts = Counter(labels)
    wanted = {
        label: min(count - 1, max(1, round(count * share))) for label, count in counts.items()
    }
    order = in_order(groups, seed)
    taken: Counter[int] = Counter()
    test = set()

    def take(digest: bytes, most: Mapping[int, int]) -> bool:
        more = Counter(labels[place] for place in groups[digest])
        fits = all(taken[label] + count <= most[label] for label, count in more.items())
        if fits:
            test.add(digest)
            taken.update(more)
        return fits

    for digest in order:
        take(digest, wanted)
    # Where equal pictures are more than the share, the fewest of them.
    almost = {label: count - 1 for label, count in counts.items()}
    for label in sorted(counts):
        if not taken[label]:
            own = (each for each in order if any(labels[place] == label for place in groups[each]))
            any(take(digest, almost) for digest in sorted(own, key=lambda each: len(groups[each])))
    return test
