"""The interests of a reader, told apart by what they liked.

A reader of proteins and of robots is close to neither: the mean of both lies between them. So the
liked papers are grouped (average linkage; compare PinnerSage, Pal et al., KDD 2020), each group is
a profile of its own, and a paper counts for the one that it fits best (blend.py).
"""

import numpy as np
from scipy.cluster.hierarchy import linkage

from recommender.matrices import Floats, Integers

# With fewer likes a reader has one interest: telling two apart by chance costs readers with five
# likes up to two percent of nDCG@10.
FEWEST_LIKES = 8
# Of more the newest are looked at: the work grows with the square.
MOST_LIKES = 1_000
# Groups are apart if the cosines between them are below this in the mean. On CiteULike-t .06 to
# .3 serve merged readers alike; below .2 readers who are new to the model lose.
LEAST_ALIKE = 0.2
MOST_MODES = 6
# A smaller group joins the nearest one.
_FEWEST_OF_A_MODE = 2
_LEAST_SHARE = 0.07
# A like counts less than this in another mode: not at all.
_LEAST_OF_A_LIKE = 0.01


def find_modes(factors: Floats) -> Floats:
    """How much each like counts in each interest (modes x likes), from likes x unit factors.

    1 in its own; in another the square root of the two interests' cosine, so that close ones share
    their likes. No rows for a reader with a single interest.
    """
    likes = len(factors)
    if likes < FEWEST_LIKES:
        return np.zeros((0, likes), dtype=np.float32)
    cosines = factors @ factors.T
    groups = _groups(cosines)
    sizes = np.bincount(groups)
    enough = max(_FEWEST_OF_A_MODE, _LEAST_SHARE * likes)
    largest = np.argsort(-sizes, kind="stable")
    large = largest[sizes[largest] >= enough].tolist()
    if len(large) < 2:
        return np.zeros((0, likes), dtype=np.float32)
    member = _members(groups, large[:MOST_MODES], cosines)
    shares = np.sqrt(_alike(member, cosines)) @ member
    return np.where(shares >= _LEAST_OF_A_LIKE, shares, 0).astype(np.float32)


def _groups(cosines: Floats) -> Integers:
    """The group of each like, numbered from 0."""
    likes = len(cosines)
    places = np.arange(likes)
    distances = np.maximum(1 - cosines[places[:, None] < places], 0).astype(np.float64)
    members = {like: [like] for like in range(likes)}
    # By hand, because scipy's fcluster takes four times as long as the tree.
    merges = linkage(distances, "average").tolist()
    for number, (one, other, distance, _) in enumerate(merges, start=likes):
        if distance > 1 - LEAST_ALIKE:
            break
        members[number] = members.pop(int(one)) + members.pop(int(other))
    groups = [0] * likes
    for group, own in enumerate(members.values()):
        for like in own:
            groups[like] = group
    return np.array(groups, dtype=np.int32)


def _members(groups: Integers, large: list[int], cosines: Floats) -> Floats:
    """Modes x likes, 1 where a like belongs; those of small groups belong to the nearest mode."""
    own = np.stack([groups == group for group in large]).astype(np.float32)
    lengths = np.sqrt(np.einsum("kn,nm,km->k", own, cosines, own))
    nearest = (own @ cosines / np.maximum(lengths, 1e-6)[:, None]).argmax(axis=0)
    for mode, group in enumerate(large):
        nearest[groups == group] = mode
    return np.asarray(np.eye(len(large), dtype=np.float32)[nearest].T)


def _alike(member: Floats, cosines: Floats) -> Floats:
    """The cosines of the modes' centroids, none negative."""
    between = member @ cosines @ member.T
    lengths = np.sqrt(np.maximum(np.diag(between), 1e-12))
    alike = np.clip(between / lengths[:, None] / lengths, 0, 1)
    np.fill_diagonal(alike, 1)
    return np.asarray(alike, dtype=np.float32)
