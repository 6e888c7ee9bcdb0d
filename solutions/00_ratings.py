# %% [markdown]
# # 00 · Ratings: who rates what, and what makes a test fair
#
# **The question.** Before any model: what is in a table of ratings, which part of it may be used to test a model, and
# how good is a prediction that knows nothing about taste?
#
# **Afterwards you can**
#
# 1. describe a set of ratings in the figures that matter: its size, how empty it is, how long its tail, how tied its
#    times;
# 2. number users and films densely, and split by time so that the same rows always come out;
# 3. measure errors in stars, and say what a model has to beat before it deserves its name.
#
# **You need** Python with NumPy and pandas. No PyTorch yet.
#
# **Time.** The notebook runs in under a minute on a laptop without a GPU; the exercises take an evening.
#
# **Data.** MovieLens 100K: 100,000 ratings from 1997 and 1998, collected by GroupLens at the University of Minnesota.
# Free for research, not to be redistributed, so it is downloaded from GroupLens when first used. Without it, set the
# environment variable `COURSE_DATASET=synthetic` for a made-up world of the same size. Figures in the text are
# MovieLens 100K's, and the code beside them checks them; other data sets have other figures, and a heading may not
# hold there.
#
# **Sources.** F. M. Harper and J. A. Konstan, "The MovieLens datasets: history and context", ACM TiiS 5(4), 2015. Y.
# Koren, R. Bell and C. Volinsky, "Matrix factorization techniques for recommender systems", Computer 42(8), 2009, for
# the biases.
#
# Each exercise is one cell to fill in, with a check below it. The checks do not build on each other: if one exercise
# resists, go on. (An exercise that you have not begun stops *Run All*: go on with *Run Selected Cell and All Below*
# from the next cell. Only the cell after exercise 6 uses an answer of yours.)

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from course_utils import evaluation, interactions, movielens, plots, splits
from course_utils.baselines import recorded
from course_utils.baselines.biases import DampedBiases
from course_utils.baselines.means import GlobalMean, ItemMean, UserMean
from course_utils.checks import ratings as check
from course_utils.claims import claim

plots.use_house_style()

# %%
DATASET = movielens.default_name()  # "ml-100k", "ml-latest-small", "ml-1m", "ml-25m", "ml-32m" or "synthetic"
HEAD = 0.1  # which share of the films we call the head, in (0, 1)
TEST_FRACTION = 0.2  # share of the ratings held back for the test, in (0, 1)
SPLIT_SEEDS = range(10)  # one random split each, any whole numbers
DAMPING = 5.0  # so many ratings at the mean are added to every film and user, above 0

CHECK_TEXT = DATASET == "ml-100k"  # the figures in the text are this data set's
print(f"Data set: {DATASET}")

# %% [markdown]
# ## A rating is who, what, how many stars, and when
#
# Everything in this course starts from one table with a row for each rating. `position` is the row's place in the
# data file. It looks like bookkeeping, but we shall need it before long.

# %%
ratings, movies = movielens.load(DATASET)
ratings.head()

# %%
days = (ratings["timestamp"].max() - ratings["timestamp"].min()) / 86_400
facts = pd.Series(
    {
        "ratings": len(ratings),
        "users who rated": ratings["user_id"].nunique(),
        "films rated": ratings["item_id"].nunique(),
        "days from first to last": round(days),
        "mean rating (stars)": round(float(ratings["rating"].mean()), 2),
    },
    name=DATASET,
    dtype=object,
)
if CHECK_TEXT:
    claim(
        list(facts) == [100_000, 943, 1682, 215, 3.53], "943 people gave 1,682 films 100,000 ratings, 3.53 on average"
    )
facts.to_frame()

# %% [markdown]
# In ML-100K, 943 people gave 100,000 ratings to 1,682 films within seven months. The scale is 1 to 5 whole stars, and
# people are kind: the mean is 3.53, and 55 % of all ratings are 4 or 5 stars.

# %%
share_of_stars = ratings["rating"].value_counts(normalize=True).sort_index()
if CHECK_TEXT:
    claim(abs(share_of_stars.loc[4:].sum() - 0.55) < 0.005, "55 % of all ratings are 4 or 5 stars")
share_of_stars.rename_axis("stars").map("{:.1%}".format).to_frame("share of ratings")

# %% [markdown]
# ## Fifteen of sixteen cells are empty
#
# Lay the ratings out as a matrix, one row a user $u$, one column a film $i$, and $r_{ui}$ in the cell. How much of it
# is filled? Recommending means guessing the empty cells, so this share says how much there is to go by.
#
# It also says how to store the matrix. With 4 bytes a cell, ML-100K's full matrix takes 6.3 MB, which nobody minds.
# The numbers of users and films multiply, though: MovieLens 32M, with 200,948 users and 87,585 films (its README),
# would need 70 GB. A **sparse matrix** stores filled cells only, each with its column, so that it grows with the
# number of ratings.

# %%
encoded = interactions.encode(ratings)  # dense ids; the section after next says what that means
matrix = encoded.to_csr()
full_bytes = 4 * encoded.n_users * encoded.n_items
sparse_bytes = matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes
filled = matrix.nnz / np.prod(matrix.shape)  # nnz: how many cells the sparse matrix stores
claim(70e9 < 4 * 200_948 * 87_585 < 71e9, "the full matrix of MovieLens 32M needs 70 GB")
if CHECK_TEXT:
    claim(abs(filled - 1 / 16) < 0.001, "one of sixteen cells is filled")
    claim(6.3e6 < full_bytes < 6.4e6, "the full matrix takes 6.3 MB")
print(f"{filled:.2%} of {matrix.shape[0]:,} × {matrix.shape[1]:,} cells are filled")
print(f"full {full_bytes / 1e6:.1f} MB, sparse {sparse_bytes / 1e6:.1f} MB")

# %% [markdown]
# ### Exercise 1: density (1 point)
#
# Write `density(ratings)`: the share of filled cells in the matrix of the users and the items **that occur in the
# table**.
#
# *By hand.* Users 7 and 9; items 20, 30 and 80; four ratings, each of another pair. The matrix has 2 × 3 = 6 cells, 4
# are filled: 4 / 6 ≈ 0.667. That the largest item id is 80 does not matter.
#
# *Given:* a DataFrame as above, with at least one row; nobody rates an item twice. *Return:* one number. *Allowed:*
# pandas, NumPy.
#
# <details><summary>Hint</summary>
#
# `nunique()` counts the different values of a column.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-1-density", "locked": false, "schema_version": 3, "solution": true, "task": false}
def density(ratings: pd.DataFrame) -> float:
    """The filled share of the user-item matrix.

    ratings  columns user_id, item_id, rating, timestamp, position; one row or more, no pair twice
    returns  float in (0, 1]
    """
    ### BEGIN SOLUTION
    return len(ratings) / (ratings["user_id"].nunique() * ratings["item_id"].nunique())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-1-density", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.density(density)

# %% [markdown]
# ## A tenth of the films holds two fifths of the ratings
#
# The filled cells are not spread evenly. Sort the films by their number of ratings and walk down the list: how fast
# do the ratings add up? If all films were equally popular, we would walk along the diagonal.


# %%
def running_share(counts: pd.Series) -> np.ndarray:
    """Share of the total held by the largest 1, 2, ... counts: (n,) float, ends at 1."""
    return counts.sort_values(ascending=False).cumsum().to_numpy() / counts.sum()


film_counts = ratings["item_id"].value_counts()
user_counts = ratings["user_id"].value_counts()
head_of_films = running_share(film_counts)[round(HEAD * len(film_counts)) - 1]
print(f"the most rated {HEAD:.0%} of the films hold {head_of_films:.1%} of the ratings")

# %%
figure, ax = plt.subplots(figsize=(6, 4.2))
for counts, name, style in (
    (film_counts, "films, most rated first", "-"),
    (user_counts, "users, most active first", "--"),
):
    ax.plot(np.arange(1, len(counts) + 1) / len(counts), running_share(counts), style, label=name)
ax.plot([0, 1], [0, 1], ":", color=plots.GREY, label="all equal")
ax.plot(HEAD, head_of_films, "o", color=plots.INK)
ax.annotate(f"{head_of_films:.0%}", (HEAD, head_of_films), xytext=(-34, 6), textcoords="offset points")
ax.set(xlabel="share of all films, or of all users", ylabel="share of all ratings")
ax.set_title(f"{HEAD:.0%} of the films hold {head_of_films:.0%} of the ratings")
ax.xaxis.set_major_formatter(PercentFormatter(1))
ax.yaxis.set_major_formatter(PercentFormatter(1))
ax.legend(loc="lower right")
plt.show()

# %%
n_half = int((running_share(film_counts) < 0.5).sum()) + 1
n_once = int((film_counts == 1).sum())
if CHECK_TEXT:
    claim(abs(head_of_films - 0.43) < 0.005, "a tenth of the films holds two fifths of the ratings")
    claim((n_half, n_once) == (215, 141), "215 films hold half of all ratings, and 141 have one")
    claim(user_counts.min() == 20, "nobody has fewer than 20 ratings")
print(f"half of all ratings fall on {n_half} films; {n_once} films have a single rating")
print(f"ratings a film: median {film_counts.median():g}, most {film_counts.max()}")
print(f"ratings a user: fewest {user_counts.min()}, median {user_counts.median():g}, most {user_counts.max()}")

# %% [markdown]
# In ML-100K half of all ratings fall on 215 of 1,682 films, while 141 films were rated once. Users are uneven too,
# but nobody has fewer than 20 ratings: GroupLens left such users out. Two consequences will follow us through the
# course. Recommending what is popular is a strong rival, and whatever we estimate for the many rare films rests on
# very little.
#
# ### Exercise 2: the head of the long tail (1 point)
#
# Write `head_share(ratings, n_top)`: the share of all ratings that fall on the `n_top` items with the most ratings.
#
# *By hand.* Item 50 has 5 ratings, item 8 has 3, items 1 and 2 have 1 each: 10 ratings. The top two hold (5 + 3) / 10
# = 0.8. Whichever of items 1 and 2 comes third, the top three hold 0.9. If `n_top` is larger than the number of
# items, the share is 1.
#
# *Given:* a DataFrame as above and a whole number of 1 or more. *Return:* one number. *Allowed:* pandas, NumPy.
#
# <details><summary>Hint</summary>
#
# `value_counts()` counts and sorts in one go. Which column?
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-2-head-share", "locked": false, "schema_version": 3, "solution": true, "task": false}
def head_share(ratings: pd.DataFrame, n_top: int) -> float:
    """The share of all ratings that fall on the most rated items.

    ratings  columns user_id, item_id, rating, timestamp, position; one row or more
    n_top    how many items count as the head, 1 or more; may be more than there are
    returns  float in (0, 1]
    """
    ### BEGIN SOLUTION
    counts = ratings["item_id"].value_counts()
    return counts.head(n_top).sum() / len(ratings)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-2-head-share", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.head_share(head_share)

# %% [markdown]
# ## Raw ids are names, not places in a table
#
# From lesson 01 on, every user and every film owns a row in a table of learnt numbers, and tables have rows 0, 1, 2,
# ... Raw ids don't: they have gaps, and start anywhere. Used as row numbers, they make rows for films that do not
# exist. So we number users and films **densely**, in the order in which they first appear in the *training* rows, and
# keep the list that leads back.
#
# What about a user or a film that appears in the validation rows only? It has no number, and nothing was learnt about
# it. Such rows are dropped from the encoded set, **and counted**, because a result on the rows that are left says
# nothing about them. A made-up example, small enough to check by eye:

# %%
tiny_train = pd.DataFrame(
    {
        "user_id": [41, 41, 7, 7, 19, 19, 19, 88, 88, 3, 3, 41, 7],
        "item_id": [350, 12, 350, 204, 12, 350, 77, 204, 77, 12, 204, 77, 12],
        "rating": [4.0, 5, 3, 4, 2, 5, 1, 4, 4, 3, 5, 2, 4],
    }
)
tiny_valid = pd.DataFrame({"user_id": [7, 19, 63], "item_id": [77, 500, 12], "rating": [2.0, 4, 5]})
users = interactions.IdMap.fit(tiny_train["user_id"])
items = interactions.IdMap.fit(tiny_train["item_id"])
tiny_train.assign(dense_user=users.encode(tiny_train["user_id"]), dense_item=items.encode(tiny_train["item_id"]))

# %% [markdown]
# User 41 came first and is 0, user 7 is 1, user 19 is 2. Film 350 is 0, film 12 is 1. The validation rows use the
# same numbers, and -1 marks what has none: film 500 and user 63. One row of three can be kept.

# %%
tiny_encoded = tiny_valid.assign(
    dense_user=users.encode(tiny_valid["user_id"]), dense_item=items.encode(tiny_valid["item_id"])
)
tiny_encoded["kept"] = (tiny_encoded["dense_user"] >= 0) & (tiny_encoded["dense_item"] >= 0)
claim(tiny_encoded["kept"].sum() == 1, "one row of three can be kept")
claim(users.decode([0, 1, 2]).tolist() == [41, 7, 19], "users 41, 7 and 19 are 0, 1 and 2")
tiny_encoded

# %% [markdown]
# ### Exercise 3: dense ids (2 points)
#
# Write `dense_ids(raw_ids)`, which numbers the ids of one column. Return two things:
#
# - `ids`, for each row the dense id: 0 for the raw id that appears first, 1 for the next *new* one, and so on;
# - `raw_of`, the way back: for each dense id its raw id, so that `raw_of[ids]` gives `raw_ids` again.
#
# *By hand.* `[41, 7, 41, 19, 7]` gives `ids = [0, 1, 0, 2, 1]` and `raw_of = [41, 7, 19]`.
#
# *Given:* a NumPy array of whole numbers with one entry or more. *Return:* two arrays of whole numbers (lists will
# do). *Allowed:* Python, NumPy, pandas; not `course_utils`.
#
# <details><summary>Hint</summary>
#
# A dict from raw id to dense id, filled in one walk along the column, is enough: its size is the next free number.
# `np.unique` sorts, so on its own it numbers by size. pandas has a function for the whole job.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-3-dense-ids", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_ids(raw_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number ids from 0 in order of first appearance.

    raw_ids  (n,) int, any values, n at least 1
    returns  ids (n,) int in [0, n_distinct), and raw_of (n_distinct,) int, so that raw_of[ids] equals raw_ids
    """
    ### BEGIN SOLUTION
    ids, raw_of = pd.factorize(raw_ids)
    return ids, raw_of
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-3-dense-ids", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.dense_ids(dense_ids)

# %% [markdown]
# ### Exercise 4: encode validation rows (2 points)
#
# Write `encode_validation(valid, user_ids, item_ids)`. The two dicts hold the numbers that the training set gave: raw
# id to dense id. Return three things: the dense user ids and the dense item ids of the rows that can be kept, in the
# order of the rows, and how many rows were dropped because their user **or** their item has no number.
#
# *By hand.* `user_ids = {41: 0, 7: 1}`, `item_ids = {350: 0, 12: 1}`, rows (7, 350), (41, 500), (63, 500), (41, 12).
# The second row has an unseen item, the third has both unseen. Result: `[1, 0]`, `[0, 1]`, and 2 dropped.
#
# *Given:* a DataFrame with at least one row, and two dicts of whole numbers. *Return:* two arrays of whole numbers
# (lists will do), empty if no row can be kept, and one whole number. *Allowed:* Python, NumPy, pandas; not
# `course_utils`.
#
# <details><summary>Hint</summary>
#
# `column.isin(user_ids)` says which rows have a known user, and two such answers combine with `&`. On the rows that
# are left, `column.map(user_ids)` looks the numbers up. Mapped before dropping, a column holds NaN and turns to
# floats: cast it back with `astype(int)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-4-encode-validation", "locked": false, "schema_version": 3, "solution": true, "task": false}
def encode_validation(
    valid: pd.DataFrame, user_ids: dict[int, int], item_ids: dict[int, int]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Validation rows in the training set's numbers, without the rows that have none.

    valid     columns user_id, item_id, rating, timestamp, position; n rows
    user_ids  raw user id -> dense id, of the users in the training set
    item_ids  raw item id -> dense id, of the items in the training set
    returns   dense user ids (n_kept,) int, dense item ids (n_kept,) int, and n - n_kept, the number of rows dropped
    """
    ### BEGIN SOLUTION
    known = valid["user_id"].isin(user_ids) & valid["item_id"].isin(item_ids)
    kept = valid[known]
    users = kept["user_id"].map(user_ids).to_numpy(dtype=np.int64)
    items = kept["item_id"].map(item_ids).to_numpy(dtype=np.int64)
    return users, items, len(valid) - len(kept)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-4-encode-validation", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.encode_validation(encode_validation)

# %% [markdown]
# ## Half of a user's neighbouring ratings share a second
#
# MovieLens shows a page of films, and people rate them together. How long does a user wait between one rating and the
# next?

# %%
in_order = splits.in_time_order(ratings)
gaps = in_order.groupby("user_id")["timestamp"].diff().dropna()  # seconds since the same user's rating before
edges = [-1, 0, 9, 59, 3599, 86_399, np.inf]
names = ["same\nsecond", "1 to 9 s", "10 to 59 s", "1 to 59 min", "1 to 23 h", "a day\nor more"]
gap_shares = pd.cut(gaps, edges, labels=names).value_counts(sort=False, normalize=True)
tied = gap_shares.iloc[0]
print(f"{tied:.1%} of {len(gaps):,} neighbouring pairs share a second")

# %%
figure, ax = plt.subplots()
bars = ax.bar(names, gap_shares, color=[plots.ORANGE] + [plots.BLUE] * 5, width=0.7)
ax.bar_label(bars, [f"{share:.0%}" if share >= 0.01 else f"{share:.1%}" for share in gap_shares], padding=2)
ax.grid(axis="x", visible=False)
ax.margins(y=0.1)
ax.set(xlabel="time since the same user's previous rating", ylabel="share of ratings after the first")
ax.yaxis.set_major_formatter(PercentFormatter(1))
ax.set_title(f"{tied:.0%} of a user's neighbouring ratings share a second")
if CHECK_TEXT:
    claim(abs(tied - 0.51) < 0.005, "51 % of neighbouring ratings share a second")
plt.show()

# %% [markdown]
# In 51 % of all cases the clock does not tell which of two neighbouring ratings came first. "Sort by timestamp" is
# then not an order: what comes out depends on the sort algorithm and on how the rows happened to stand, and so does
# every figure built on it. We need a **tie rule**, and the course has one: among ratings of the same second, the one
# with the larger `position` is the later. No two rows share a position, so (timestamp, position) orders all rows
# completely. It may not be the order in which the user clicked; it is the same on every machine.
#
# ### Exercise 5: split by time (2 points)
#
# Write `split_by_time(ratings, n_test)`: the `n_test` latest rows of the whole table are the test set, all others are
# the training set. Later means larger timestamp, and within a second larger `position`.
#
# *By hand.* Rows as (timestamp, position): (100, 3), (100, 0), (90, 1), (100, 2). With `n_test = 2` the test set
# holds positions 2 and 3: three rows share second 100, and these two have the largest positions. In whatever order
# the four rows stand, the answer is the same.
#
# *Given:* a DataFrame with its rows in **any** order, and a whole number from 0 to the number of rows; with 0 the
# test set is empty. *Return:* two DataFrames, train and test, with all columns; the order of their rows is free.
# *Allowed:* pandas, NumPy; not `course_utils`.
#
# <details><summary>Hint</summary>
#
# `sort_values` takes a list of columns. Cut at `len(ratings) - n_test`, since a cut at `-n_test` goes wrong for 0.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-5-split-by-time", "locked": false, "schema_version": 3, "solution": true, "task": false}
def split_by_time(ratings: pd.DataFrame, n_test: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hold back the latest rows.

    ratings  columns user_id, item_id, rating, timestamp, position; n rows in any order
    n_test   how many rows to hold back, from 0 to n
    returns  train (n - n_test rows) and test (n_test rows), all columns, rows in any order
    """
    ### BEGIN SOLUTION
    in_order = ratings.sort_values(["timestamp", "position"])
    n_train = len(ratings) - n_test
    return in_order.iloc[:n_train], in_order.iloc[n_train:]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-5-split-by-time", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.split_by_time(split_by_time)

# %% [markdown]
# ## A random split lets the future leak
#
# Most published figures on MovieLens come from a **random split**: a fifth of the rows, drawn by lot, is the test
# set. The alternative is what you have just written, a **split by time**. The two ask different questions, as the
# next figure shows.

# %%
random_train, random_test = splits.random_split(ratings, TEST_FRACTION, rng=np.random.default_rng(SPLIT_SEEDS[0]))
time_train, time_test = splits.time_split(ratings, TEST_FRACTION)
parts = {"random split": (random_train, random_test), "split by time": (time_train, time_test)}
print(f"{len(random_train):,} ratings to train on, {len(random_test):,} to test with, in either split")

# %%
figure, axes = plt.subplots(2, 1, sharex=True, sharey=True, figsize=(7.2, 4.4))
for ax, (name, both) in zip(axes, parts.items(), strict=True):
    when = [pd.to_datetime(part["timestamp"], unit="s") for part in both]
    _, _, bars = ax.hist(
        when, bins=round(days / 7), stacked=True, color=[plots.SKY, plots.ORANGE], label=["train", "test"]
    )
    plt.setp(bars[1].patches, hatch="///", edgecolor=plots.PAPER, linewidth=0)
    ax.set_ylabel(f"{name}\nratings a week")
axes[0].set_ylim(top=1.25 * axes[0].get_ylim()[1])  # room for the legend
axes[0].legend(loc="upper right", ncols=2)
axes[1].set_xlabel("date of the rating (UTC)")
axes[0].set_title("A random split tests on every week, a split by time on the last")
plt.show()


# %% [markdown]
# The split by time asks what comes next, and what comes next is mostly strangers. How many test ratings belong to a
# user or a film that the training set does not know at all?


# %%
def unseen_shares(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """Shares of the test ratings: of users without training ratings, of such films, and of either, dropped by `encode`."""
    known = interactions.encode(train)
    return {
        "user unseen in train": (known.users.encode(test["user_id"]) < 0).mean(),
        "film unseen in train": (known.items.encode(test["item_id"]) < 0).mean(),
        "dropped when encoded": 1 - len(interactions.encode(test, known.users, known.items)) / len(test),
    }


unseen = pd.DataFrame({name: unseen_shares(*both) for name, both in parts.items()})
if CHECK_TEXT:
    claim(unseen.iloc[0, 0] == 0 and unseen.iloc[1, 0] < 0.01, "a random split has no new users and few new films")
    claim(abs(unseen.iloc[0, 1] - 0.85) < 0.005, "by time, 85 % are ratings of new users")
unseen.map("{:.1%}".format)

# %%
spans = ratings.groupby("user_id")["timestamp"].agg(["min", "max"])
span = (spans["max"] - spans["min"]).median() / 60
if CHECK_TEXT:
    claim(span < 60, "half of the users gave all their ratings within an hour")
print(f"half of the users gave all their ratings within {span:.0f} minutes")

# %% [markdown]
# In ML-100K 85 % of the latest ratings come from users who are new, because half of the users gave all their ratings
# within an hour and none later in these seven months. The random split has no new users. That looks like an
# advantage. The price is that nearly every test rating has training ratings on both sides: the model is asked what a
# user thought of a film at nine o'clock, and may use what the same user rated at ten. This is a **leak**: at
# prediction time nobody has those ratings.
#
# ### Exercise 6: the leaked share (2 points)
#
# Write `leaked_share(train, test)`: the share of the test ratings whose user has at least one rating in `train` with
# a **larger timestamp**. The same second is not later. A test rating of a user without training ratings does not
# leak, and counts in the total.
#
# *By hand.* In `train`, user 1 rated at seconds 10 and 50. `test` holds user 1 at 20 (leaks, because of 50), user 1
# at 50 (same second, does not), user 1 at 60 (does not), user 2 at 5 (no training ratings, does not). The share is 1
# / 4 = 0.25.
#
# *Given:* two DataFrames with at least one row each, their rows in **any** order. *Return:* one number. *Allowed:*
# pandas, NumPy; not `course_utils`.
#
# <details><summary>Hint</summary>
#
# A later training rating exists exactly if the user's *last* training rating is later. `map` it to the test rows; a
# user who is not there becomes NaN, and no comparison with NaN is true.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-6-leaked-share", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leaked_share(train: pd.DataFrame, test: pd.DataFrame) -> float:
    """The share of test ratings that a later training rating of the same user follows.

    train, test  columns user_id, item_id, rating, timestamp, position; one row or more each
    returns      float in [0, 1], a share of all test rows
    """
    ### BEGIN SOLUTION
    last = train.groupby("user_id")["timestamp"].max()
    return (test["user_id"].map(last) > test["timestamp"]).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-6-leaked-share", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.leaked_share(leaked_share)

# %% [markdown]
# Your function, on the two splits:

# %%
leaked = pd.Series({name: leaked_share(*both) for name, both in parts.items()})
if CHECK_TEXT:
    claim(abs(leaked["random split"] - 0.975) < 0.001, "97.5 % of the test ratings of a random split leak")
    claim(leaked["split by time"] == 0, "nothing leaks in a split by time")
leaked.map("{:.1%}".format).to_frame("user's future in train")

# %% [markdown]
# On ML-100K a later training rating of the same user follows 97.5 % of the random split's test ratings, and none of
# those of the split by time. Neither split is wrong. The first asks "how well can I fill gaps in what I know of these
# people?", the second "how well shall I do from tomorrow on, with whoever comes?". Errors measured on the two cannot
# be compared.
#
# ## The RMSE is an error in stars
#
# A model predicts $\hat r_{ui}$ for each test rating $r_{ui}$. The usual yardstick is the root mean squared error
# over the $n$ test ratings:
#
# $$\mathrm{RMSE} = \sqrt{\frac{1}{n} \sum_{(u,i)} (r_{ui} - \hat r_{ui})^2}$$
#
# Because of the root it is in stars again; because of the squares one error of two stars weighs as much as four of
# one star. What is a bad RMSE? The dullest model of all predicts the same number for everyone, the mean. Its RMSE on
# the ratings the mean was taken from is their standard deviation, by definition, and any model has to do better than
# that.

# %%
stars = ratings["rating"].to_numpy(dtype=np.float64)
rmse_of_mean = evaluation.rmse(stars, np.full(len(stars), stars.mean()))
claim(np.isclose(rmse_of_mean, stars.std()), "the RMSE of the mean is the standard deviation")
print(f"RMSE of predicting the mean: {rmse_of_mean:.3f} stars; standard deviation of the ratings: {stars.std():.3f}")

# %% [markdown]
# ### Exercise 7: RMSE by hand (1 point)
#
# Write `rmse(ratings, scores)` from the formula.
#
# *By hand.* Ratings 4, 2, 5 and scores 3, 2, 3: the errors are 1, 0 and 2, their squares 1, 0 and 4, the mean of
# these 5 / 3, its root 1.291.
#
# *Given:* two float arrays of one length, which is at least 1. *Return:* one number. *Allowed:* NumPy; not
# `course_utils`.
#
# <details><summary>Hint</summary>
#
# Read the formula from the inside out: difference, square, mean, root.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-7-rmse", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rmse(ratings: np.ndarray, scores: np.ndarray) -> float:
    """Root mean squared error.

    ratings  (n,) float, the true ratings in stars, n at least 1
    scores   (n,) float, the predicted ratings in stars
    returns  float, in stars, 0 at best
    """
    ### BEGIN SOLUTION
    return np.sqrt(np.mean((ratings - scores) ** 2))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-7-rmse", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.rmse(rmse)

# %% [markdown]
# ## Knowing the film says more than knowing the user
#
# Two predictions that are nearly as dull: the mean of the user's own training ratings, and the mean of the film's.
# Every rival below can score every test rating; where it knows nothing about a user or film, it falls back on the
# mean of all ratings, so that no test row needs to be dropped.


# %%
def rmse_of_rivals(train: pd.DataFrame, test: pd.DataFrame, rivals: dict) -> dict[str, float]:
    """Test RMSE, in stars, of each rival fitted on the training rows; unseen users and films are scored too."""
    known = interactions.encode(train)
    pairs = known.users.encode(test["user_id"]), known.items.encode(test["item_id"])  # -1 for what is unseen
    errors = {}
    for name, rival in rivals.items():
        rival.fit(known.user_ids, known.item_ids, known.ratings, n_users=known.n_users, n_items=known.n_items)
        errors[name] = evaluation.rmse(test["rating"], rival.predict(*pairs))
    return errors


means = {"global mean": GlobalMean(), "user mean": UserMean(), "film mean": ItemMean()}
mean_errors = rmse_of_rivals(random_train, random_test, means)
if CHECK_TEXT:
    claim(
        np.allclose(list(mean_errors.values()), [1.12, 1.04, 1.02], atol=0.01), "the means err by 1.12, 1.04 and 1.02"
    )
pd.Series(mean_errors, name="test RMSE (stars), random split").to_frame().round(3)

# %% [markdown]
# On ML-100K the film's mean (1.02) is a little better than the user's (1.04), and both are far better than one mean
# for all (1.12). These vary by about 0.004 from one random split to the next (measured below), so a few thousandths
# between two figures of different splits mean nothing.
#
# ### Exercise 8: item means (1 point)
#
# Write `item_means(item_ids, ratings, n_items)`, with dense ids this time. Return the mean rating of each item 0 to
# `n_items - 1`; an item without ratings gets the mean of **all ratings**.
#
# *By hand.* `item_ids = [0, 0, 2]`, `ratings = [5, 4, 3]`, `n_items = 4`: item 0 has mean 4.5 and item 2 has mean 3.
# Items 1 and 3 have no ratings and get (5 + 4 + 3) / 3 = 4. The result is `[4.5, 4, 3, 4]`.
#
# *Given:* an int array, a float array of the same length (at least 1), and a whole number above the largest id.
# *Return:* an array of `n_items` numbers (a list or a Series in order of the ids will do). *Allowed:* NumPy, pandas;
# not `course_utils`.
#
# <details><summary>Hint</summary>
#
# `np.bincount(item_ids, weights=ratings, minlength=n_items)` sums the ratings of each item; without `weights` it
# counts them. Mind the division where the count is 0.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-8-item-means", "locked": false, "schema_version": 3, "solution": true, "task": false}
def item_means(item_ids: np.ndarray, ratings: np.ndarray, n_items: int) -> np.ndarray:
    """The mean rating of each item.

    item_ids  (n,) int, values in [0, n_items), n at least 1
    ratings   (n,) float, in stars
    returns   (n_items,) float, in stars; the mean of all ratings for an item that has none
    """
    ### BEGIN SOLUTION
    sums = np.bincount(item_ids, weights=ratings, minlength=n_items)
    counts = np.bincount(item_ids, minlength=n_items)
    return np.where(counts > 0, sums / np.maximum(counts, 1), ratings.mean())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-8-item-means", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.item_means(item_means)

# %% [markdown]
# ## A mean of three ratings is not worth much
#
# Which films have the best mean? The question sounds harmless.

# %%
by_film = ratings.groupby("item_id")["rating"].agg(["size", "mean"])
by_film["damped"] = stars.mean() + (by_film["mean"] - stars.mean()) * by_film["size"] / (by_film["size"] + DAMPING)
by_film.insert(0, "title", movies.set_index("item_id")["title"])
top_plain, top_damped = (by_film.nlargest(5, column) for column in ("mean", "damped"))
if CHECK_TEXT:
    claim(
        (top_plain["mean"] == 5).all() and top_plain["size"].max() <= 3, "all five have the mean 5 from three at most"
    )
    claim(top_damped["size"].min() > 100, "the five best damped means rest on more than a hundred ratings each")
top_plain.round(2)

# %% [markdown]
# All five have the mean 5, from at most three ratings each. A few ratings say little, and the remedy is old: act as
# if every film had a few ratings more, all at the global mean $\mu$. With $\lambda$ of them (`DAMPING`), a film with
# $n_i$ ratings moves away from $\mu$ by $n_i / (n_i + \lambda)$ of what its plain mean says. A film with one rating
# moves by a sixth, a film with a hundred nearly all the way. The five best now have more than a hundred ratings each:

# %%
top_damped.round(2)

# %% [markdown]
# ## Biases do most of the work
#
# Users differ in how kind they are, films in how well they are liked. Put both in one formula, with $\mu$ the mean of
# all ratings, $c_i$ the film's **bias** and $b_u$ the user's:
#
# $$\hat r_{ui} = \mu + c_i + b_u$$
#
# (Koren, Bell and Volinsky 2009, equation 3.) The biases are damped means of what is left over. First the films',
# then the users', after the films' part has been taken away, so that a user who picks good films is not taken for a
# kind one:
#
# $$c_i = \frac{\sum_{u} (r_{ui} - \mu)}{n_i + \lambda} \qquad\qquad b_u = \frac{\sum_{i} (r_{ui} - \mu - c_i)}{n_u + \lambda}$$
#
# The sums run over the ratings of film $i$ and of user $u$, and $n_i$ and $n_u$ count them. Koren et al. fit all
# biases together by least squares. `DampedBiases` does so as well, by taking turns between the two formulas until
# nothing moves; you write one turn.
#
# ### Exercise 9: damped biases (2 points)
#
# Write `damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping)`. Return three things, **in this
# order**: the mean $\mu$, the item biases $c$, the user biases $b$. A user or item without ratings has the bias 0.
# The mean and the item biases alone earn 1 of the 2 points: return `None` as the third value until you have it.
#
# *By hand.* Two ratings: user 0 gives item 0 five stars, user 0 gives item 1 three; `n_users = 2`, `n_items = 3`,
# `damping = 1`. The mean is 4. Item 0 is 1 above it: 1 / (1 + 1) = 0.5; item 1 is 1 below: -0.5; item 2 has no
# ratings: 0. What is left for user 0: 5 - 4 - 0.5 = 0.5 and 3 - 4 + 0.5 = -0.5; the sum is 0, so its bias is 0 / (2 +
# 1) = 0. User 1 has no ratings: 0. The result is `4`, `[0.5, -0.5, 0]`, `[0, 0]`.
#
# *Given:* int, int and float arrays of one length (at least 1), dense ids, two whole numbers above the largest ids,
# and a damping above 0. *Return:* a number and two arrays of `n_items` and `n_users` numbers (lists will do).
# *Allowed:* NumPy, pandas; not `course_utils`.
#
# <details><summary>Hint</summary>
#
# `np.bincount(ids, weights=values, minlength=n)` is the sum in both numerators, for other ids and values.
# `item_biases[item_ids]` gives each rating its film's bias.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-00-9-damped-biases", "locked": false, "schema_version": 3, "solution": true, "task": false}
def damped_biases(
    user_ids: np.ndarray, item_ids: np.ndarray, ratings: np.ndarray, n_users: int, n_items: int, damping: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Global mean, item biases, then user biases on what the items leave over.

    user_ids  (n,) int, values in [0, n_users), n at least 1
    item_ids  (n,) int, values in [0, n_items)
    ratings   (n,) float, in stars
    damping   float above 0, in ratings
    returns   mean, float; item_biases (n_items,) float; user_biases (n_users,) float; all in stars
    """
    ### BEGIN SOLUTION
    mean = ratings.mean()
    item_sums = np.bincount(item_ids, weights=ratings - mean, minlength=n_items)
    item_biases = item_sums / (np.bincount(item_ids, minlength=n_items) + damping)
    left = ratings - mean - item_biases[item_ids]
    user_sums = np.bincount(user_ids, weights=left, minlength=n_users)
    user_biases = user_sums / (np.bincount(user_ids, minlength=n_users) + damping)
    return mean, item_biases, user_biases
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-00-9-damped-biases", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.damped_biases(damped_biases)

# %% [markdown]
# How good are biases? One split is one draw, so we take several and look at the spread as well.

# %%
rivals = {**means, "damped biases": DampedBiases(DAMPING)}
runs = [
    rmse_of_rivals(*splits.random_split(ratings, TEST_FRACTION, rng=np.random.default_rng(seed)), rivals)
    for seed in SPLIT_SEEDS
]
errors = pd.DataFrame(runs)  # a row for each split, a column for each rival
errors.agg(["mean", "std"]).round(4)

# %%
shown = errors.to_dict("list")
if CHECK_TEXT:  # recorded for this course: Spotlight's model, tuned, on ten splits drawn in the same way
    shown["tuned factor model (recorded)"] = recorded.values("ml-100k", "explicit", "spotlight_tuned", "rmse")
    start, goal = errors["global mean"].mean(), np.mean(shown["tuned factor model (recorded)"])
    reached, spread = errors["damped biases"].mean(), errors["damped biases"].std()
    claim(abs(start - 1.125) < 0.002 and abs(reached - 0.94) < 0.002, "biases bring the RMSE from 1.125 to 0.940")
    claim(abs(spread - 0.004) < 0.001, "the spread from split to split is 0.004")
    claim(abs(goal - 0.917) < 0.001, "a tuned factor model reaches 0.917")
    claim(0.85 < (start - reached) / (start - goal) < 0.92, "nearly nine tenths of the way are covered")
plots.ladder(
    shown,
    title="Two lists of biases do most of the work",
    xlabel="test RMSE (stars) on random splits; lower is better",
)
plt.show()

# %% [markdown]
# The dot is the mean of the splits, the bar one standard deviation to either side, each tick one split. On ML-100K
# biases bring the RMSE from 1.125 to 0.940, with a spread of 0.004 from split to split. A factor model, which does
# learn taste, reaches 0.917 when it is tuned (Spotlight's, recorded for this course; lesson 01 goes further). So nearly nine tenths of the way from the dullest model to a good one are covered without a word about
# taste: by which films are good, and by who is kind. A neural network with an RMSE of 0.95 has not yet matched two
# lists of biases.
#
# And from tomorrow on? The same rivals, on the split by time:

# %%
by_time = pd.Series(rmse_of_rivals(time_train, time_test, rivals))
if CHECK_TEXT:
    claim(
        np.allclose(by_time, [1.119, 1.126, 1.037, 1.035], atol=0.001), "by time they err by 1.119, 1.126, 1.037, 1.035"
    )
pd.DataFrame({"random splits, mean": errors.mean(), "split by time": by_time}).rename_axis("test RMSE (stars)").round(3)

# %% [markdown]
# By time, damped biases err by 1.035 stars instead of 0.940 and hardly beat the film mean (1.037); the user mean
# (1.126) has fallen behind one mean for all (1.119). Most users of the test set are new, so what was learnt about
# users seldom applies. No amount of tuning on a random split would have shown that.
#
# ## Which split, for which question?
#
# ### Question 10 (2 points, marked by hand)
#
# Two colleagues work on this data.
#
# - *Ada* runs a film site and wants to know how large her errors will be next month if she puts a model online today.
# - *Ben* has a new way to fit biases and wants to know whether it predicts better than the published one, whose RMSE
#   was measured on random 80/20 splits.
#
# Which split should each of them use, and what would the other split get wrong for that question? Support your answer
# with at least two figures from this notebook. Five to ten sentences. One point for fitting a split to each question,
# with the reason; one for what the other split gets wrong, with figures.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-00-10-which-split", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# Ada needs the split by time. Her model will meet what comes after the training data, and nothing else, so the test
# has to come after it as well. A random split would answer too kindly: in ML-100K it puts a later rating of the same
# user into the training set for 97.5 % of the test ratings, and every user of the test set is known. Next month most
# are new: by time, 85 % of the test ratings come from users without a single training rating. That shows in the
# error: biases err by 0.940 stars on random splits and by 1.035 by time, and the user mean falls behind the global
# mean.
#
# Ben compares two methods with each other and with a published figure, which was measured on random splits, so he
# needs random splits too: figures of different splits cannot be compared. Both methods see the same leak, and several
# seeds show whether the difference is larger than the spread of about 0.004. The split by time is a single draw and
# would mostly measure how the methods treat unknown users, to whom biases of users do not apply. What he may not
# conclude is that the better method is better by as much next month; for that he would have to ask Ada's question.

# %% [markdown]
# ## Where this goes
#
# You have the data, a numbering, two kinds of split, a yardstick, and four rivals that cost nothing. Lesson 01 gives
# every user and every film a row of learnt numbers, and asks what that adds to 0.94.

# %% [markdown]
# ## Where you stand
#
# `check.progress()` reads the notebooks that lie beside this one, and shows your points and your place on each ladder,
# over all lessons, and what to do next. You can call it at any time, in any lesson, once its
# cell of imports has run.

# %%
check.progress()
