"""Negatives: items that a user has not met, drawn to stand against those that they have.

Data on what people watched hold no dislikes, so a model is shown items without an interaction in their stead: a few
for each positive in training (He et al., 2017, Neural Collaborative Filtering, section 3.1), and in the sampled
ranking protocol a fixed number for each user, all different (section 4.1).

A draw is thrown away and made again while the user has met the item. What survives is distributed as a draw from the
user's unseen items alone, evenly or in proportion to popularity. Whoever has met nearly everything would keep that
waiting, so what is still open after MAX_ROUNDS is drawn from the list of their unseen items instead, which has the
same distribution. Nothing is kept between calls: calling again with the same generator draws afresh, as each epoch
should, and a generator in the same state draws the same.
"""

from collections.abc import Callable

import numpy as np

from course_utils.whole_numbers import whole_numbers

MAX_ROUNDS = 12  # of a user who has met half of all items, 1 draw in 4,096 is then still open
CHUNK = 1 << 18  # draws looked up at a time: their arrays stay in the processor's cache

Draw = Callable[[int], np.ndarray]  # how many -> that many item ids, seen or not


class SeenItems:
    """Who has met what, one bit for each pair of a user and an item.

    That is n_users * n_items / 8 bytes (rows are filled up to 8 bytes): 0.2 MB for MovieLens 100K, 2.8 MB for 1M, and
    232 MB for 48,762 users and 38,000 items. Building and looking up take no loop and no hash table.

    user_ids  (n,) ints, in [0, n_users)
    item_ids  (n,) ints, in [0, n_items); a pair may occur more than once
    n_unseen  (n_users,) int64, how many items each user has not met
    raises    ValueError for an id that does not fit, or arrays that differ in length; TypeError for ids that are no
              whole numbers
    """

    def __init__(self, user_ids: np.ndarray, item_ids: np.ndarray, n_users: int, n_items: int) -> None:
        self.n_users, self.n_items = n_users, n_items
        user_ids = _ids("user", user_ids, n_users)
        item_ids = _ids("item", item_ids, n_items)
        if user_ids.shape != item_ids.shape:
            raise ValueError(f"{user_ids.shape} user ids and {item_ids.shape} item ids, expected as many of each")
        self._words = np.zeros((n_users, -(-n_items // 64)), dtype=np.uint64)  # whole words count their bits faster
        self._bytes = self._words.view(np.uint8)  # (n_users, bytes a user), bit i % 8 of byte i // 8 is item i
        np.bitwise_or.at(self._bytes.reshape(-1), self._place(user_ids, item_ids), _bit(item_ids))
        self.n_unseen = n_items - self._count_bits(self._words)

    def contains(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        """Whether each user has met each item: two arrays of ints that broadcast -> bool of their common shape."""
        return self._lookup(_ids("user", user_ids, self.n_users), _ids("item", item_ids, self.n_items))

    def unseen_items(self, user_id: int) -> np.ndarray:
        """(n_unseen[user_id],) int64, ascending: the items that a user has not met."""
        _ids("user", user_id, self.n_users)
        bits = np.unpackbits(self._bytes[user_id], count=self.n_items, bitorder="little")
        return np.flatnonzero(bits == 0)

    def count_unseen(self, among: np.ndarray) -> np.ndarray:
        """How many of some items each user has not met: among (n_items,) bool -> (n_users,) int64."""
        mask = np.packbits(np.pad(among, (0, 64 * self._words.shape[1] - len(among))), bitorder="little")
        seen = np.zeros(self.n_users, dtype=np.int64)
        step = max(1, CHUNK // max(1, self._words.shape[1]))
        for start in range(0, self.n_users, step):
            words = self._words[start : start + step] & mask.view(np.uint64)
            seen[start : start + step] = self._count_bits(words)
        return np.count_nonzero(among) - seen

    def _lookup(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        return (self._bytes.reshape(-1)[self._place(user_ids, item_ids)] & _bit(item_ids)) != 0

    def _place(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        return user_ids * self._bytes.shape[1] + (item_ids >> 3)

    @staticmethod
    def _count_bits(words: np.ndarray) -> np.ndarray:
        return np.bitwise_count(words).sum(axis=1, dtype=np.int64)


def sample_negatives(
    user_ids: np.ndarray,
    seen: SeenItems,
    n_negatives: int,
    rng: np.random.Generator,
    *,
    popularity: np.ndarray | None = None,
) -> np.ndarray:
    """Draws items that the users have not met, n_negatives for each row. Items may repeat, in a row and between rows.

    user_ids    (n,) ints, in [0, seen.n_users), one for each positive
    seen        what no negative may be
    popularity  (n_items,) weights of at least 0: a user's negatives are drawn in proportion among the unseen, and
                items of weight 0 (a padding item, say) never; None: evenly
    returns     (n, n_negatives) int64, in [0, n_items)
    raises      ValueError naming a user who has nothing left to draw, and for ids or weights that do not fit
    """
    user_ids = _ids("user", user_ids, seen.n_users, one_dimensional=True)
    weights = _weights(popularity, seen.n_items)
    _check_enough_left(user_ids, seen, weights, 1 if n_negatives else 0, n_negatives)
    draw = _draw(seen.n_items, weights, rng)
    negatives = np.empty((len(user_ids), n_negatives), dtype=np.int64)
    for rows in _chunks(len(user_ids), n_negatives):
        users = np.repeat(user_ids[rows], n_negatives)
        items = negatives[rows].reshape(-1)  # a view
        open_ = np.arange(len(items))
        for _ in range(MAX_ROUNDS):
            items[open_] = drawn = draw(len(open_))
            open_ = open_[seen._lookup(users[open_], drawn)]
            if not len(open_):
                break
        for user in np.unique(users[open_]):
            here = open_[users[open_] == user]
            items[here] = _choose(seen.unseen_items(user), weights, len(here), rng, repeats=True)
    return negatives


def sample_distinct_negatives(
    user_ids: np.ndarray,
    seen: SeenItems,
    n_negatives: int,
    rng: np.random.Generator,
    *,
    popularity: np.ndarray | None = None,
) -> np.ndarray:
    """The same without repeats in a row, as rankings against sampled negatives need them.

    Evenly, any n_negatives of the unseen items are equally likely. By popularity, items are drawn one after the other
    in proportion to the weights of those that are left. The order within a row means nothing.

    user_ids    (n,) ints, in [0, seen.n_users), one for each row; a user may have several rows
    seen        what no negative may be: for a ranking, the targets as well as the training items
    returns     (n, n_negatives) int64, in [0, n_items), all different within a row
    raises      ValueError naming a user with fewer than n_negatives items to draw, otherwise as sample_negatives
    """
    user_ids = _ids("user", user_ids, seen.n_users, one_dimensional=True)
    weights = _weights(popularity, seen.n_items)
    _check_enough_left(user_ids, seen, weights, n_negatives, n_negatives)
    draw = _draw(seen.n_items, weights, rng)
    negatives = np.empty((len(user_ids), n_negatives), dtype=np.int64)
    for rows in _chunks(len(user_ids), n_negatives):
        _fill_distinct(negatives[rows], user_ids[rows], seen, weights, draw, rng)
    return negatives


def _fill_distinct(
    items: np.ndarray,
    users: np.ndarray,
    seen: SeenItems,
    weights: np.ndarray | None,
    draw: Draw,
    rng: np.random.Generator,
) -> None:
    """Fills (n, n_negatives) items in place.

    Each row takes draws until it holds n_negatives different unseen items. A draw that is one of these stays, any other
    is replaced, so that a row holds the first such items of an endless run of draws, as if they had come one by one.
    """
    open_ = np.ones(items.shape, dtype=bool)
    for _ in range(MAX_ROUNDS):
        places = np.flatnonzero(open_)
        if not len(places):
            return
        changed = np.flatnonzero(open_.any(axis=1))
        items.reshape(-1)[places] = drawn = draw(len(places))  # reshape(-1) is a view
        open_.reshape(-1)[places] = seen._lookup(users[places // items.shape[1]], drawn)
        open_[changed] |= _repeats(items[changed])
    for row in np.flatnonzero(open_.any(axis=1)):
        left = np.setdiff1d(seen.unseen_items(users[row]), items[row, ~open_[row]], assume_unique=True)
        items[row, open_[row]] = _choose(left, weights, int(open_[row].sum()), rng, repeats=False)


def _repeats(items: np.ndarray) -> np.ndarray:
    """(n, k) item ids -> (n, k) bool: whether the same item stands further left in its row."""
    bits = items.shape[1].bit_length()
    keys = np.sort(items << bits | np.arange(items.shape[1]), axis=1)  # by item, then column
    same = keys[:, 1:] ^ keys[:, :-1] < 1 << bits  # neighbours that differ in the column only
    repeats = np.zeros(items.shape, dtype=bool)
    repeats[np.flatnonzero(same) // same.shape[1], keys[:, 1:][same] & ((1 << bits) - 1)] = True
    return repeats


def _choose(
    unseen: np.ndarray, weights: np.ndarray | None, n: int, rng: np.random.Generator, *, repeats: bool
) -> np.ndarray:
    """n of a user's unseen items, drawn from their list. NumPy, too, draws by weight without repeats one by one."""
    if weights is None:
        return rng.choice(unseen, n, replace=repeats)
    weights = weights[unseen]
    return rng.choice(unseen, n, replace=repeats, p=weights / weights.sum())


def _draw(n_items: int, weights: np.ndarray | None, rng: np.random.Generator) -> Draw:
    if weights is None:
        return lambda n: rng.integers(n_items, size=n)
    from scipy.stats.sampling import DiscreteAliasUrn  # takes longer to load than all else here, and most draw evenly

    items = np.flatnonzero(weights)
    urn = DiscreteAliasUrn(weights[items], random_state=rng)  # constant time a draw (Walker, 1977)
    return lambda n: items[urn.rvs(n)]


def _chunks(n_rows: int, n_columns: int) -> list[slice]:
    step = max(1, CHUNK // max(1, n_columns))
    return [slice(start, start + step) for start in range(0, n_rows, step)]


def _check_enough_left(
    user_ids: np.ndarray, seen: SeenItems, weights: np.ndarray | None, n_needed: int, n_negatives: int
) -> None:
    if n_negatives < 0:
        raise ValueError(f"n_negatives is {n_negatives}, expected at least 0")
    all_count = weights is None or (weights > 0).all()
    n_left = (seen.n_unseen if all_count else seen.count_unseen(weights > 0))[user_ids]
    if (n_left >= n_needed).all():
        return
    short = (n_left < n_needed).argmax()
    kind = "unseen items" if all_count else "unseen items of popularity above 0"
    wanted = "a negative needs one" if n_needed == 1 else f"{n_negatives} different negatives were asked for"
    raise ValueError(f"user {user_ids[short]} has {n_left[short]} {kind}, {wanted}")


def _weights(popularity: np.ndarray | None, n_items: int) -> np.ndarray | None:
    if popularity is None:
        return None
    weights = np.asarray(popularity, dtype=np.float64)
    if weights.shape != (n_items,):
        raise ValueError(f"popularity has the shape {weights.shape}, expected ({n_items},)")
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise ValueError(
            f"the popularity of item {wrong.argmax()} is {weights[wrong][0]}, expected a number of at least 0"
        )
    return weights


def _bit(item_ids: np.ndarray) -> np.ndarray:
    return np.left_shift(1, item_ids & 7).astype(np.uint8)


def _ids(name: str, ids: np.ndarray, n: int, *, one_dimensional: bool = False) -> np.ndarray:
    """As int64, so that a place in the bitmap never overflows; ValueError for an id that does not fit."""
    ids = whole_numbers(ids, f"{name} ids")
    if one_dimensional and ids.ndim != 1:
        raise ValueError(f"{name} ids have the shape {ids.shape}, expected one dimension")
    if ids.size and (ids.min() < 0 or ids.max() >= n):
        raise ValueError(f"{name} id {ids.min() if ids.min() < 0 else ids.max()} does not fit n_{name}s={n}")
    return ids
