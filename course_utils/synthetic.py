"""A made-up world shaped like ML-100K, whose truth is known: the best possible RMSE, HR and MRR can be computed.

**Stars.** A rating starts as a score: a user bias, plus an item bias, plus the product of two taste vectors, plus
normal noise. Four thresholds turn scores into 1 to 5 stars with ML-100K's histogram. Films of one genre share part of
their taste vector, and good films are more popular.

**Order.** A user's first items are dealt from a shuffled deck of all films, so that every film is rated. Each later
item follows the two before it with probability FOLLOW: the last item, and the strand (a hidden class) of the one
before, point to a few successors, films of the last item's first genre. Otherwise it is drawn by popularity and taste.
Nobody rates a film twice.

**Time.** Events come in sessions; half of all consecutive events of a user share their second, as in MovieLens. The
rows are shuffled, like ML-100K's, but events of one user in one second keep their order.

Titles are invented, and results on this world are not MovieLens results.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

STAR_SHARES = np.array([6_110, 11_370, 27_145, 34_174, 21_201]) / 100_000  # ML-100K's histogram of 1 to 5 stars
MIN_RATINGS_PER_USER = 20  # as in every MovieLens data set
N_FACTORS = 6
USER_BIAS, ITEM_BIAS, TASTE, NOISE = 0.42, 0.44, 0.45, 0.75  # standard deviations of the parts of a score
GENRE_SHARE = 0.5  # of the variance of a film's taste vector
POPULARITY = 1.35  # standard deviation of the logarithm of a film's popularity
CHOICE_BY_TASTE = 0.5  # how much a user prefers to watch what they will like, per standard deviation of taste
FOLLOW = 0.4  # probability that the next item follows the last two
N_STRANDS = 3
SUCCESSOR_PROBS = np.array([0.45, 0.25, 0.15, 0.10, 0.05])
SAME_SECOND = 0.53  # probability that an event within a session shares the second of the one before
SESSION_LENGTH = 25  # mean number of events
FIRST_SECOND, LAST_SIGN_UP = 874_724_710, 890_000_000  # ML-100K's first event; September 1997 to March 1998

GENRES = (
    "Drama Comedy Action Thriller Romance Adventure Children's Crime Sci-Fi Horror War Mystery Musical Documentary "
    "Animation Western Film-Noir Fantasy"
)
FIRST_WORDS = (
    "Amber Bitter Borrowed Broken Burning Careless Copper Crooked Distant Drifting Early Empty Endless Faithful "
    "Fallen Fifth Forgotten Frozen Gentle Golden Hollow Hidden Honest Idle Iron Lonely Lost Marble Midnight Narrow "
    "Northern Painted Paper Patient Quiet Restless Scarlet Second Silent Sleeping Stolen Sudden Velvet Wandering "
    "Winter"
)
LAST_WORDS = (
    "Acrobat Almanac Anchor Archive Balcony Bridge Cartographer Causeway Chandelier Choir Compass Courier Embassy "
    "Ferry Fountain Gardener Garrison Harbour Horizon Hotel Island Kingdom Ladder Lantern Letter Lighthouse "
    "Locksmith Meadow Mirror Museum Orchard Passenger Promise Quarry Railway River Sparrow Staircase Station "
    "Sundial Tailor Telegram Viaduct Voyage Waltz"
)


@dataclass(frozen=True)
class World:
    """A synthetic data set and the truth it was drawn from. Ids run from 1; row id - 1 of an array belongs to an id.

    ratings, movies   as in movielens.MovieLens
    user_biases       (n_users,) float64, in units of the score
    item_biases       (n_items,) float64
    user_factors      (n_users, N_FACTORS) float64
    item_factors      (n_items, N_FACTORS) float64
    thresholds        (4,) float64, the scores between 1 and 2, 2 and 3, 3 and 4, 4 and 5 stars
    choice_probs      (n_users, n_items) float64, how a user picks a film that follows nothing; rows sum to 1
    strands           (n_items,) int64, in [0, N_STRANDS)
    successors        (n_items, N_STRANDS, 5) int64, rows of films that follow (a film, the strand of the one before it)
    """

    ratings: pd.DataFrame
    movies: pd.DataFrame
    user_biases: np.ndarray
    item_biases: np.ndarray
    user_factors: np.ndarray
    item_factors: np.ndarray
    thresholds: np.ndarray
    choice_probs: np.ndarray
    strands: np.ndarray
    successors: np.ndarray

    def star_probs(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        """user_ids (n,), item_ids (n,) -> (n, 5), the true probabilities of 1 to 5 stars."""
        users, items = np.asarray(user_ids) - 1, np.asarray(item_ids) - 1
        taste = (self.user_factors[users] * self.item_factors[items]).sum(axis=1)
        scores = self.user_biases[users] + self.item_biases[items] + taste
        below = ndtr((self.thresholds - scores[:, None]) / NOISE)  # (n, 4), the probability of at most 1, 2, 3, 4 stars
        return np.diff(below, axis=1, prepend=0.0, append=1.0)

    def expected_stars(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        """user_ids (n,), item_ids (n,) -> (n,) float64, the predictions that no model can better on average."""
        return self.star_probs(user_ids, item_ids) @ np.arange(1.0, 6.0)

    def best_rmse(self, ratings: pd.DataFrame | None = None) -> float:
        """The RMSE to expect of `expected_stars` on these ratings (all of the world's, if not given), exactly."""
        ratings = self.ratings if ratings is None else ratings
        probs = self.star_probs(ratings["user_id"].to_numpy(), ratings["item_id"].to_numpy())
        stars = np.arange(1.0, 6.0)
        return float(np.sqrt(np.mean(probs @ stars**2 - (probs @ stars) ** 2)))

    def next_item_probs(self, user_id: int, history: np.ndarray) -> np.ndarray:
        """history (n,) item ids of a user, earliest first, n >= 2 -> (n_items,) true probabilities of the next item."""
        seen = np.asarray(history) - 1
        choice = self.choice_probs[user_id - 1].copy()
        choice[seen] = 0.0
        follow = np.zeros(len(choice))
        np.add.at(follow, self.successors[seen[-1], self.strands[seen[-2]]], SUCCESSOR_PROBS)
        follow[seen] = 0.0
        if not follow.any():
            return choice / choice.sum()
        return FOLLOW * follow / follow.sum() + (1 - FOLLOW) * choice / choice.sum()

    def best_next_item(self, top_k: int = 10) -> tuple[float, float]:
        """The (HR@top_k, MRR) expected, exactly, of a ranking by the true probabilities of every user's last item.

        Candidates are the films that the user has not had before; ranks start at 1.
        """
        hits, reciprocal_ranks = [], []
        in_order = self.ratings.sort_values(["timestamp", "position"])
        for user_id, history in in_order.groupby("user_id")["item_id"]:
            probs = np.sort(self.next_item_probs(user_id, history.to_numpy()[:-1]))[::-1]
            hits.append(probs[:top_k].sum())
            reciprocal_ranks.append((probs / np.arange(1, len(probs) + 1)).sum())
        return float(np.mean(hits)), float(np.mean(reciprocal_ranks))


def generate(seed: int = 0, n_users: int = 943, n_items: int = 1_682, n_ratings: int = 100_000) -> World:
    """Draws a world; the same arguments give the same world.

    Raises ValueError unless every user can have 20 ratings or more, and none more than half of the items.
    """
    _check_sizes(n_users, n_items, n_ratings)
    rng = np.random.default_rng(seed)
    popularity = rng.standard_normal(n_items)
    movies, main_genre, item_factors = _films(n_items, rng)
    item_biases = ITEM_BIAS * (0.5 * popularity + np.sqrt(0.75) * rng.standard_normal(n_items))
    user_biases = USER_BIAS * rng.standard_normal(n_users)
    user_factors = TASTE / np.sqrt(N_FACTORS) * rng.standard_normal((n_users, N_FACTORS))

    log_choice = POPULARITY * popularity + CHOICE_BY_TASTE / TASTE * (user_factors @ item_factors.T)
    choice_probs = np.exp(log_choice - log_choice.max(axis=1, keepdims=True))
    choice_probs /= choice_probs.sum(axis=1, keepdims=True)
    strands = rng.integers(N_STRANDS, size=n_items)
    successors = _successors(main_genre, np.exp(POPULARITY * popularity), rng)

    n_events = _events_per_user(n_users, n_items, n_ratings, rng)
    users, items = _sequences(n_events, choice_probs, strands, successors, rng)
    scores = user_biases[users] + item_biases[items] + (user_factors[users] * item_factors[items]).sum(axis=1)
    scores += NOISE * rng.standard_normal(n_ratings)
    thresholds = np.quantile(scores, np.cumsum(STAR_SHARES)[:-1])
    timestamps = _timestamps(n_events, rng)
    ratings = pd.DataFrame(
        {
            "user_id": (users + 1).astype(np.int32),
            "item_id": (items + 1).astype(np.int32),
            "rating": (1 + np.searchsorted(thresholds, scores)).astype(np.float32),
            "timestamp": timestamps,
            "position": _positions(users, timestamps, rng),
        }
    )
    ratings = ratings.sort_values("position", ignore_index=True)
    return World(
        ratings,
        movies,
        user_biases,
        item_biases,
        user_factors,
        item_factors,
        thresholds,
        choice_probs,
        strands,
        successors,
    )


def _check_sizes(n_users: int, n_items: int, n_ratings: int) -> None:
    fewest, most = MIN_RATINGS_PER_USER * n_users, n_items // 2 * n_users
    if n_users < 1 or n_items < 1 or not fewest <= n_ratings <= most:
        raise ValueError(
            f"n_ratings={n_ratings} does not fit: {n_users} users and {n_items} items have {fewest} to {most}"
        )
    if n_items > MIN_RATINGS_PER_USER * n_users:
        raise ValueError(f"n_items={n_items} is too many for {n_users} users to rate each one at least once")


def _films(n_items: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The films, the first genre of each (n_items,), and their taste vectors (n_items, N_FACTORS) of unit variance."""
    genres = GENRES.split()
    share = 1 / np.arange(2, len(genres) + 2)  # Drama first, Fantasy last
    ranked = np.argsort(rng.exponential(size=(n_items, len(genres))) / share, axis=1)  # drawn without replacement
    n_genres = rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15], size=n_items)
    belongs = np.zeros((n_items, len(genres)))
    for place in range(3):
        belongs[np.arange(n_items), ranked[:, place]] = place < n_genres
    genre_factors = rng.standard_normal((len(genres), N_FACTORS))
    from_genres = belongs @ genre_factors / np.sqrt(n_genres)[:, None]  # a sum of n unit variances, back to one
    own = rng.standard_normal((n_items, N_FACTORS))

    pairs = [(first, last) for first in FIRST_WORDS.split() for last in LAST_WORDS.split()]
    drawn = rng.permutation(max(n_items, len(pairs)))[:n_items]
    sequels = ["", *(f" {number}" for number in range(2, 2 + n_items // len(pairs)))]
    titles = [f"The {' '.join(pairs[i % len(pairs)])}{sequels[i // len(pairs)]}" for i in drawn]
    movies = pd.DataFrame(
        {
            "item_id": np.arange(1, n_items + 1, dtype=np.int32),
            "title": titles,
            "year": pd.array(1998 - np.minimum(rng.exponential(9.0, n_items), 75).astype(int), dtype="Int16"),
            "genres": ["|".join(sorted(genres[g] for g in row[:n])) for row, n in zip(ranked, n_genres, strict=True)],
        }
    )
    return movies, ranked[:, 0], np.sqrt(GENRE_SHARE) * from_genres + np.sqrt(1 - GENRE_SHARE) * own


def _successors(main_genre: np.ndarray, popularity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n_items, N_STRANDS, 5) int64: popular films of the same first genre; a film may come up twice, or be its own."""
    successors = np.empty((len(main_genre), N_STRANDS, len(SUCCESSOR_PROBS)), dtype=np.int64)
    for genre in np.unique(main_genre):
        films = np.flatnonzero(main_genre == genre)
        probs = popularity[films] / popularity[films].sum()
        successors[films] = rng.choice(films, p=probs, size=(len(films), *successors.shape[1:]))
    return successors


def _events_per_user(n_users: int, n_items: int, n_ratings: int, rng: np.random.Generator) -> np.ndarray:
    """(n_users,) int64, log-normal above the minimum, at most half of the items, sums to n_ratings."""
    room, total = n_items // 2 - MIN_RATINGS_PER_USER, n_ratings - MIN_RATINGS_PER_USER * n_users
    size = np.exp(1.14 * rng.standard_normal(n_users))
    low, high = 0.0, room / size.min()
    for _ in range(60):  # bisection: the scale at which the clipped sizes add up
        scale = (low + high) / 2
        low, high = (scale, high) if np.minimum(scale * size, room).sum() < total else (low, scale)
    events = np.minimum(np.floor(high * size), room).astype(np.int64)
    short = total - events.sum()
    events[np.flatnonzero(events < room)[:short]] += 1
    return events + MIN_RATINGS_PER_USER


def _sequences(
    n_events: np.ndarray,
    choice_probs: np.ndarray,
    strands: np.ndarray,
    successors: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Users and items (n_ratings,) int64 of all events, user by user in order of time.

    All users take a step at a time. Drawing without replacement is a race of exponential clocks, whose order is known
    in advance: `queue`. A user who follows nothing takes the first film of their queue that they have not had.
    """
    n_users, n_items = choice_probs.shape
    queue = np.argsort(rng.exponential(size=choice_probs.shape) / choice_probs, axis=1)
    n_dealt = max(2, -(-n_items // n_users))
    deck = np.resize(rng.permutation(n_items), (n_users, n_dealt))
    seen = np.zeros(choice_probs.shape, dtype=bool)
    head = np.zeros(n_users, dtype=np.int64)
    sequences = np.full((n_users, n_events.max()), -1)
    for step in range(n_events.max()):
        users = np.flatnonzero(n_events > step)
        if step < n_dealt:
            items = deck[users, step]
        else:
            options = successors[sequences[users, step - 1], strands[sequences[users, step - 2]]]  # (users, 5)
            mass = np.cumsum(SUCCESSOR_PROBS * ~seen[users[:, None], options], axis=1)
            pick = (mass <= (rng.random(len(users)) * mass[:, -1])[:, None]).sum(axis=1)
            follows = (rng.random(len(users)) < FOLLOW) & (mass[:, -1] > 0)
            late = users
            while len(late):
                late = late[seen[late, queue[late, head[late]]]]
                head[late] += 1
            items = queue[users, head[users]]
            items[follows] = options[follows, pick[follows]]
        seen[users, items] = True
        sequences[users, step] = items
    return np.repeat(np.arange(n_users), n_events), sequences[sequences >= 0]


def _timestamps(n_events: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n_ratings,) int64 seconds, user by user, never falling within a user."""
    n = n_events.sum()
    first = np.cumsum(n_events) - n_events
    gaps = np.where(rng.random(n) < SAME_SECOND, 0, 1 + rng.exponential(25.0, n).astype(np.int64))
    new_session = rng.random(n) < 1 / SESSION_LENGTH
    gaps[new_session] = 3_600 + rng.exponential(3 * 86_400, new_session.sum()).astype(np.int64)
    gaps[first] = rng.integers(FIRST_SECOND, LAST_SIGN_UP, len(n_events))
    elapsed = np.cumsum(gaps)
    return elapsed - np.repeat(elapsed[first] - gaps[first], n_events)


def _positions(users: np.ndarray, timestamps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n_ratings,) int64, rows of a shuffled file in which events of one user in one second keep their order."""
    rows = rng.permutation(len(users))
    new_second = np.diff(users, prepend=-1).astype(bool) | np.diff(timestamps, prepend=-1).astype(bool)
    return rows[np.lexsort((rows, np.cumsum(new_second)))]
