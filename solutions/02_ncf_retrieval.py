# %% [markdown]
# # 02 · Retrieval: what will they watch next?
#
# **The question.** Out of 1,682 films somebody picks one. Can a model put that film among the first ten, better than a
# list of what everybody watches? And how would we know: what does the figure of 0.86 say that such models are published
# with?
#
# **Afterwards you can**
#
# - make implicit data out of ratings, hold each person's latest film back, and draw negatives that do not hit
#   a positive, do not repeat where they must not, and are not frozen across epochs: three slips of published code;
# - train neural collaborative filtering (NCF) with Lightning, with fresh negatives for every epoch, and keep the epoch
#   that is best on validation films;
# - work out HR@10 and NDCG@10 by hand, among 99 sampled films and among all, and say which of the two to believe.
#
# **You need** lesson 00 (dense ids, time and leaks) and lesson 01 (embeddings, a training loop).
#
# **Time** about 3 minutes of computing on a laptop without a GPU, restart-and-run-all; an evening or two of thinking.
#
# **Data** MovieLens 100K (GroupLens, University of Minnesota): free for research, not to be redistributed, please cite
# Harper and Konstan (2015). Figures in the text are this data set's. Without it, set the environment variable
# `COURSE_DATASET=synthetic` for a made-up world of the same shape; there, a heading may not hold.
#
# **Sources** He et al., *Neural collaborative filtering* (WWW 2017), for the model, the negatives and the protocol; Hu,
# Koren and Volinsky, *Collaborative filtering for implicit feedback datasets* (ICDM 2008); Rendle et al., *BPR* (UAI
# 2009) and *Neural collaborative filtering vs. matrix factorization revisited* (RecSys 2020); Steck, *Embarrassingly
# shallow autoencoders* (WWW 2019), for EASE; Krichene and Rendle, *On sampled metrics for item recommendation* (KDD
# 2020); Dacrema et al., *Are we really making much progress?* (RecSys 2019).
#
# Two published notebooks are what the lesson starts from, and takes apart. **The first tutorial** is a PyTorch
# Lightning tutorial of NCF on MovieLens 25M; **the second** is a plain PyTorch repository, `recommender_pytorch`, with
# ItemPop and an MLP on MovieLens 100K.
#
# Each exercise is one cell to fill in, with a check below it. No check needs another exercise's answer. The lesson goes
# on with the helper package's version of what you were to write, with these exceptions: exercises 9, 10 and 11 train
# all nets, exercise 8 is one of them, exercise 13 makes a table and exercise 15 the lists at the end. What needs an
# answer that is not there yet is left out, with a line that says so; the rivals are there in any case. (An exercise
# that you have not begun stops *Run All*: go on with *Run Selected Cell and All Below* from the next cell.) Blocks that
# begin with `if CHECK_TEXT:` hold the text to its figures, by `claim`. They teach nothing: skip them.

# %%
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import lightning
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from course_utils import evaluation, movielens, plots, splits
from course_utils.bars import tqdm
from course_utils.baselines import recorded
from course_utils.baselines.ease import EASE
from course_utils.baselines.implicit_models import ALS
from course_utils.baselines.markov import Markov
from course_utils.baselines.pairs import to_matrix
from course_utils.baselines.popularity import Popularity
from course_utils.checks import ncf_retrieval as check
from course_utils.claims import claim
from course_utils.interactions import EncodedRatings, encode
from course_utils.lightning_quiet import EpochBar, hush
from course_utils.negatives import SeenItems, sample_distinct_negatives, sample_negatives
from course_utils.spotlight.factorization.implicit import ImplicitFactorizationModel
from course_utils.spotlight.interactions import Interactions
from course_utils.training import budget, seed_everything

plots.use_house_style()
hush()

# %%
DATASET = movielens.default_name()  # "ml-100k", unless the environment variable COURSE_DATASET says otherwise
SEED = 0
USER_SHARE = budget(full=100, fast=30) / 100  # of the users, drawn at random; the first tutorial takes 0.3 of ML-25M's
TOP_K = 10  # length of a list
N_SAMPLED = 99  # items that a held-back item is ranked among, in the sampled protocol
N_NEGATIVES = 4  # for each positive, in training
PUBLISHED_BATCH, PUBLISHED_RATE = 512, 1e-3  # pairs a step, and Adam's learning rate, in the first tutorial
PUBLISHED_EPOCHS = budget(full=5, fast=1)
BATCH_SIZE, LEARNING_RATE = 2048, 4e-3  # the same in our own runs: a quarter of the steps, each four times as long
N_EPOCHS = budget(full=20, fast=1)  # of our own runs; the best one is kept
N_RIVAL_EPOCHS = budget(full=10, fast=1)  # of Spotlight's models
LAYERS = [16, 32, 16, 8]  # widths of the MLP; the first is twice the length of a vector
DROPOUT = 0.0  # share of entries that the MLP drops in training
SMALL_START = 0.01  # standard deviation of vectors at the start; torch's own is 1
TRAINER = {  # what Lightning is told about the machine; "devices": 4, "strategy": "ddp" would be four GPUs (section 11)
    "accelerator": "auto",
    "devices": 1,
    "logger": False,
    "enable_model_summary": False,
}

SHORT_RUN = N_EPOCHS < 20  # as with COURSE_BUDGET=fast
CHECK_TEXT = DATASET == "ml-100k" and N_EPOCHS == 20 and USER_SHARE == 1  # the text states figures of these settings
generator = seed_everything(SEED)
SHORT_NOTE = "A short run, on few users and for few epochs: headings and text are about the full one."
print(f"Data set {DATASET}, {USER_SHARE:.0%} of the users, {N_EPOCHS} epochs." + f" {SHORT_NOTE}" * SHORT_RUN)

# %% [markdown]
# ## 1 · A rating says that somebody watched the film
#
# Lesson 01 asked how many stars a film would get. But nobody rates what they have not watched, and a list of ten is
# made of what they have not watched yet. So **retrieval** asks another question: *which film comes next?* For that,
# the stars hardly matter. What matters is that there is a rating at all: out of everything, this person picked this.
# Every rating becomes a 1, an **interaction**, and all else is a 0. Data of this kind are called *implicit*; clicks,
# plays and purchases are like that from the start.
#
# Two things change with it. There are no dislikes any more: a 0 says "not met", and means "would hate it" for some
# films, "never heard of it" for most. And the matrix is not sparse any more, it is full: every cell is a training
# example, most of them zeros.

# %%
all_ratings, movies = movielens.load(DATASET)
n_liked = (all_ratings["rating"] >= 4).mean()
if CHECK_TEXT:
    claim(abs(n_liked - 0.55) < 0.01, "55 % of the ratings are four stars or more")
    claim(abs(len(all_ratings) / (943 * 1682) - 0.063) < 0.001, "6.3 % of the cells are ones")
print(f"{n_liked:.0%} of the ratings are four stars or more; all become 1")
all_ratings.sample(3, random_state=SEED)

# %% [markdown]
# 55 % of the ratings are four stars or more. One could keep these alone as positives, and some do. We follow the
# tutorials and take all: who gave two stars still chose the film, and choices are what we predict. 6.3 % of the cells
# are ones.
#
# ### Exercise 1: some of the users (1 point)
#
# The first tutorial has 25 million ratings and takes a random 30 % of the *users*. Users, not ratings: whoever is in
# must be there with all of their history, or the "latest film" of the next section is not their latest film. Write
# `sample_users(ratings, share, rng)`. `ratings` is a table with the columns `user_id`, `item_id`, `rating`, `timestamp`
# and `position`; `share` is a number from 0 to 1; `rng` is a NumPy generator, which all randomness comes from. Return
# the rows, in any order, of `round(share * n_users)` different users, each user as likely as any other.
#
# *By hand.* Of the users 7, 7, 7, 9, 4, 4 (six rows, three users) a share of 0.3 is `round(0.9)` = 1 user: all three
# rows of user 7, or the one row of user 9, or the two rows of user 4.
#
# <details><summary>Hint</summary>
#
# `ratings["user_id"].unique()` has every user once; `rng.choice(..., n, replace=False)` draws `n` of them without
# repeats; `ratings["user_id"].isin(...)` is a mask over rows.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-1-sample-users", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_users(ratings: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """All rows of some users.

    ratings  with the column user_id, several rows a user
    share    of the users, from 0 to 1
    rng      draws the users
    returns  the rows of round(share * n_users) users, in any order, with all columns
    """
    ### BEGIN SOLUTION
    users = ratings["user_id"].unique()
    drawn = rng.choice(users, round(share * len(users)), replace=False)
    return ratings[ratings["user_id"].isin(drawn)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-1-sample-users", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.sample_users(sample_users)

# %% [markdown]
# ML-100K is small enough for everybody, so `USER_SHARE` is 1 here, unless this is a short run.

# %%
ratings = all_ratings
if USER_SHARE < 1:  # a split by users, whose second part is kept
    _, ratings = splits.user_split(all_ratings, USER_SHARE, rng=np.random.default_rng(SEED))
everything = encode(ratings)
n_users, n_items = everything.n_users, everything.n_items
if CHECK_TEXT:
    claim((n_users, n_items, len(ratings)) == (943, 1682, 100_000), "943 users, 1,682 films, 100,000 interactions")
print(f"{n_users} users, {n_items:,} films, {len(ratings):,} interactions")

# %% [markdown]
# `encode` gives dense ids, 0 to $n - 1$, as in lesson 00. The tutorials use raw ids as rows of the embedding tables,
# and make the tables as long as the largest id: rows for films that do not exist. Here that would cost nothing, as the
# raw ids of ML-100K have no gaps; in MovieLens Latest Small the largest of 9,724 film ids is 193,609.
#
# ## 2 · An unstable sort holds back another film for a quarter of the people
#
# To measure, each person's **latest** interaction is held back, and everything before it is history. (A random one
# would let the model learn from films that were watched *after* the one it is asked for; lesson 00 has shown what such
# a leak is worth.) That is *leave-one-out*, and it sounds like one line of code. But MovieLens is rated in sessions:

# %%
in_time = splits.in_time_order(ratings)
of_same_user = in_time.sort_values(["user_id", "timestamp", "position"])
same_second = (of_same_user["timestamp"].diff() == 0) & (of_same_user["user_id"].diff() == 0)
at_the_end = ratings.groupby("user_id")["timestamp"].transform("max") == ratings["timestamp"]
tied = (ratings[at_the_end].groupby("user_id").size() > 1).mean()
if CHECK_TEXT:
    claim(abs(same_second.mean() - 0.51) < 0.01, "51 % of a user's ratings share the second of the one before")
    claim(abs(tied - 0.44) < 0.01, "44 % of the users have several films in their last second")
print(f"{same_second.mean():.0%} of the ratings are in the same second as the user's one before;")
print(f"for {tied:.0%} of the users the last second holds several films")

# %% [markdown]
# Half of all ratings share their second with the one before, and 44 % of the users have several films in their last
# second: which of them is the latest? There has to be a rule, and the rule must not hang on the order in which rows
# happen to lie in memory. Ours: of equal timestamps, **the row that stands later in the data file** (`position`) is the
# later. Watch what happens without one.

# %%
_, held_back = splits.leave_one_out(ratings)
right = held_back.set_index("user_id")["item_id"].sort_index()
changed = {}
for name, kind, rows in (
    ("unstable sort of the file", "quicksort", ratings),
    ("stable sort, rows shuffled before", "stable", ratings.sample(frac=1, random_state=SEED)),
):
    last = rows.sort_values("timestamp", kind=kind).groupby("user_id")["item_id"].last()
    changed[name] = (last.sort_index() != right).mean()
if CHECK_TEXT:
    claim(min(changed.values()) > 0.25, "either changes the film for more than a quarter of the users")
pd.Series(changed, name="users whose held-back film is another").map("{:.1%}".format).to_frame()

# %% [markdown]
# **Notice.** Both lines look right, both sort by time, and both hold back another film for more than a quarter of the
# people. `sort_values` is unstable unless told otherwise, and a stable sort only keeps the order that it finds. A
# result on such a split cannot be repeated by anyone else. (The first figure may differ on your machine: NumPy sorts
# with other algorithms on other processors. That is the point.)
#
# ### Exercise 2: hold the latest back (2 points)
#
# Write `leave_latest_out(ratings)`, which returns two tables, `train` and `test`. `test` holds one row for each user:
# the one with the largest `timestamp`, and among several with that timestamp the one with the largest `position`. All
# other rows are in `train`. The rows of `ratings` come in no particular order, and those of your tables may be in any;
# everybody has at least two. Leave `ratings` itself as it is, for the caller goes on with it: a sort in place or a new
# column in it costs one of the points.
#
# *By hand.* User 5 has the rows (film, timestamp, position) = (30, 100, 4), (31, 200, 9), (32, 200, 2), (33, 150, 11).
# Held back is film 31: second 200 is the last, and of its two rows position 9 is the larger. (Not film 33, although
# its position is the largest of all.)
#
# <details><summary>Hint</summary>
#
# `ratings.sort_values(["timestamp", "position"])` needs no stable algorithm, since no two rows are equal. Then the last
# row of each user: `.duplicated("user_id", keep="last")` is True for all rows but that.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-2-leave-latest-out", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leave_latest_out(ratings: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The latest row of every user, and the others.

    ratings  columns user_id, item_id, rating, timestamp, position; any order of rows
    returns  train, test
    """
    ### BEGIN SOLUTION
    in_time = ratings.sort_values(["timestamp", "position"])
    is_earlier = in_time.duplicated("user_id", keep="last")
    return in_time[is_earlier], in_time[~is_earlier]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-2-leave-latest-out", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.leave_latest_out(leave_latest_out)

# %% [markdown]
# We do it twice. The latest film of each person is the **test** item, which answers the lesson's question once. The one
# before it is the **validation** item, on which everything is chosen: the epoch, the start, the settings.

# %%
history_rows, test_rows = splits.leave_one_out(ratings)
train_rows, valid_rows = splits.leave_one_out(history_rows)
history, test, train, valid = (
    encode(splits.in_time_order(rows), everything.users, everything.items)
    for rows in (history_rows, test_rows, train_rows, valid_rows)
)
print(f"{len(train):,} interactions to train on, {len(valid)} validation items, {len(test)} test items")

# %% [markdown]
# `train`, `valid`, `test` and `history` (which is train and valid together) hold arrays `user_ids` and `item_ids`, one
# entry an interaction, in order of time, and the counts `n_users` and `n_items`.
#
# ## 3 · Negatives are drawn, so draw them right, all at once, and afresh
#
# A model that sees nothing but ones learns to say 1. It needs zeros. All of them would be a million and a half, so the
# tutorials draw some: four **negatives** for each positive, films that the user has not met. That is a sweeping
# assumption, as the first says itself. A film that was not watched need not be disliked; the held-back film, for
# one, is drawn as a negative now and then. It works because most of what anyone has not met they would not pick.
#
# As a loop, which we take as the specification:


# %%
def negatives_by_loop(user_ids: np.ndarray, seen: np.ndarray, n_negatives: int, rng: np.random.Generator) -> np.ndarray:
    """(n, n_negatives) for each row items that its user has not met; seen is (n_users, n_items) bool."""
    rows = []
    for user in user_ids:
        row = []
        while len(row) < n_negatives:
            item = rng.integers(seen.shape[1])
            if not seen[user, item]:
                row.append(item)
        rows.append(row)
    return np.array(rows)


seen = to_matrix(train.user_ids, train.item_ids, n_users, n_items).toarray() > 0
start = perf_counter()
few = negatives_by_loop(train.user_ids[:2000], seen, N_NEGATIVES, np.random.default_rng(SEED))
by_loop = (perf_counter() - start) / 2000 * len(train)
start = perf_counter()
seen_bits = SeenItems(train.user_ids, train.item_ids, n_users, n_items)
negatives = sample_negatives(train.user_ids, seen_bits, N_NEGATIVES, np.random.default_rng(SEED))
at_once = perf_counter() - start
print(f"{negatives.size:,} negatives: {by_loop:.2f} s by the loop, {at_once:.3f} s by the helper package, all at once")

# %% [markdown]
# The loop takes many times as long, and it is wanted in *every epoch*. If the negatives are drawn once and kept,
# the model is told again and again that these four films are wrong for this user, and never hears of the others.
#
# ### Exercise 3: draw them all at once (3 points)
#
# Write `draw_negatives(user_ids, seen, n_negatives, rng)`: what the loop does, without a loop over rows. `user_ids` is
# `(n,)`, dense; `seen` is `(n_users, n_items)`, True where a user has met an item. Return item ids `(n, n_negatives)`:
# in row $b$ items that user `user_ids[b]` has not met, each of them as likely as any other, with repeats allowed. All
# randomness comes from `rng`; another call draws others. A user may have met nearly everything, but never all.
#
# *By hand.* With three items, user 0 having met item 1 and user 1 the items 0 and 2, `user_ids = [0, 1]` and two
# negatives, row 0 is `[0, 0]`, `[0, 2]`, `[2, 0]` or `[2, 2]`, each with chance 1/4, and row 1 is `[1, 1]`.
#
# <details><summary>Hint</summary>
#
# Draw all `n * n_negatives` at once, and look all pairs up at once: `seen[user_ids[:, None], items]` is a mask of the
# same shape. Draw again for those that hit, and only those, *until* none is left: a `while` loop whose body runs a few
# times, not `n` times.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-3-draw-negatives", "locked": false, "schema_version": 3, "solution": true, "task": false}
def draw_negatives(user_ids: np.ndarray, seen: np.ndarray, n_negatives: int, rng: np.random.Generator) -> np.ndarray:
    """Items that the users have not met.

    user_ids  (n,) int, dense
    seen      (n_users, n_items) bool
    returns   (n, n_negatives) int
    """
    ### BEGIN SOLUTION
    users = np.repeat(user_ids, n_negatives)
    items = rng.integers(seen.shape[1], size=len(users))
    hits = np.flatnonzero(seen[users, items])
    while len(hits):
        items[hits] = rng.integers(seen.shape[1], size=len(hits))
        hits = hits[seen[users[hits], items[hits]]]
    return items.reshape(-1, n_negatives)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-3-draw-negatives", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check.draw_negatives(draw_negatives)

# %% [markdown]
# (A table of True and False has a cell for every pair: fine for ML-100K, and 1.9 GB for 30 % of ML-25M. The helper
# package's `SeenItems` keeps one *bit* a pair instead of a byte, and `sample_negatives` works as yours does.)
#
# ## 4 · The dull rival finds the film for 41 % of the people
#
# How good is a list? Give every film a score, and look where the held-back one stands: its **rank** $\kappa$, where 1
# is the top. Everything that follows is made of ranks, and two things have to be settled first: where they start, and
# what equal scores mean. A model that gives all films the same score knows nothing. If ties went to the target, it
# would be perfect. So equals share the average of the places that they take together.
#
# ### Exercise 4: the rank (1 point)
#
# Write `average_rank(target_scores, other_scores)`. `target_scores` is `(B,)`, the held-back items' scores;
# `other_scores` is `(B, n)`, in row $b$ the scores of what target $b$ competes with (the target itself is not among
# them). Return the ranks, `(B,)`: 1, plus the number of others with a higher score, plus half the number with the same.
#
# *By hand.* A target with score 2 among 5, 2, 1: one is better, one is equal, so its rank is $1 + 1 + 0.5 = 2.5$, the
# average of the places 2 and 3.
#
# <details><summary>Hint</summary>
#
# `other_scores > target_scores[:, None]` compares every row with its own target; sum over `axis=1`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-4-average-rank", "locked": false, "schema_version": 3, "solution": true, "task": false}
def average_rank(target_scores: np.ndarray, other_scores: np.ndarray) -> np.ndarray:
    """Ranks from 1; ties share their average.

    target_scores  (B,) float, higher is better
    other_scores   (B, n) float
    returns        (B,) float, whole or half numbers
    """
    ### BEGIN SOLUTION
    better = (other_scores > target_scores[:, None]).sum(axis=1)
    equal = (other_scores == target_scores[:, None]).sum(axis=1)
    return 1 + better + equal / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-4-average-rank", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.average_rank(average_rank)

# %% [markdown]
# From ranks to two figures for a list of length $K$. The **hit rate** HR@$K$ is the share of users whose item is on
# it, $\kappa \le K$. **NDCG**@$K$ also asks how high: with one relevant item a hit at rank $\kappa$ is worth
#
# $$\frac{1}{\log_2(1 + \kappa)},$$
#
# 1 at the top, 0.63 at rank 2, 0.29 at rank 10, and a miss is worth 0. Both are averaged over all users. (Programs that
# count positions from 0 write $\log 2 / \log(p + 2)$, which is the same number.)
#
# ### Exercise 5: HR and NDCG (2 points)
#
# Write `hit_rate_and_ndcg(ranks, top_k)`: the pair `(hr, ndcg)`, two numbers. `ranks` is `(B,)`, one rank a user, from
# 1. One point each.
#
# *By hand.* Ranks 1, 3, 20, 10 and $K = 10$: HR is 3/4. The hits are worth $1$, $1/\log_2 4 = 0.5$ and
# $1/\log_2 11 = 0.289$, so NDCG is $(1 + 0.5 + 0 + 0.289) / 4 = 0.447$.
#
# <details><summary>Hint</summary>
#
# A mask `ranks <= top_k`, and `np.where(mask, 1 / np.log2(1 + ranks), 0)`. Divide by the number of users, not of hits.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-5-hr-ndcg", "locked": false, "schema_version": 3, "solution": true, "task": false}
def hit_rate_and_ndcg(ranks: np.ndarray, top_k: int) -> tuple[float, float]:
    """HR@k and NDCG@k for one relevant item a user.

    ranks    (B,) float, from 1
    returns  hr, ndcg: means over all users
    """
    ### BEGIN SOLUTION
    hits = ranks <= top_k
    gains = np.where(hits, 1 / np.log2(1 + ranks), 0.0)
    return float(hits.mean()), float(gains.mean())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-5-hr-ndcg", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.hit_rate_and_ndcg(hit_rate_and_ndcg)

# %% [markdown]
# Now a model to measure. The dullest of all, **ItemPop**, scores a film by how often it was met, for everybody alike.
#
# ### Exercise 6: ItemPop (1 point)
#
# Write `item_pop(item_ids, n_items)`: how often each item occurs in `item_ids`, an array `(n_items,)`. Items that do
# not occur score 0.
#
# *By hand.* `item_pop([2, 0, 2], 4)` is `[1, 0, 2, 0]`.
#
# <details><summary>Hint</summary>
#
# `np.bincount` counts whole numbers. It stops at the largest that occurs, unless told `minlength`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-6-item-pop", "locked": false, "schema_version": 3, "solution": true, "task": false}
def item_pop(item_ids: np.ndarray, n_items: int) -> np.ndarray:
    """How often each item was met.

    item_ids  (n,) int, in [0, n_items)
    returns   (n_items,) numbers
    """
    ### BEGIN SOLUTION
    return np.bincount(item_ids, minlength=n_items)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-6-item-pop", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.item_pop(item_pop)

# %% [markdown]
# The protocol of the tutorials, after He et al. (2017): for each user draw 99 films that they have never met, put the
# held-back one among them, and rank the hundred. It is cheap, which was the reason for it. Two slips are common in
# published code. Drawn with repeats, 99 films are fewer than 99:

# %%
met = SeenItems(everything.user_ids, everything.item_ids, n_users, n_items)  # all three parts: what no negative may be
with_repeats = sample_negatives(test.user_ids, met, N_SAMPLED, np.random.default_rng(SEED))
doubled = np.mean([len(set(row)) < N_SAMPLED for row in with_repeats.tolist()])
if CHECK_TEXT:
    claim(doubled > 0.94, "drawn with repeats, some film comes twice for more than 94 % of the users")
print(f"drawn with repeats, {doubled:.0%} of the users get some film twice")

# %% [markdown]
# And in the other, the evaluation appends to its own list of negatives at every call, so that the task becomes harder
# from epoch to epoch.
#
# ### Exercise 7: ranks among sampled films (2 points)
#
# Write `sampled_ranks(predict, train, test, n_negatives, rng)`. `train` and `test` have `user_ids`, `item_ids` and the
# counts `n_users` and `n_items`; `test` has at most one row a user. `predict(user_ids, item_ids)` takes two arrays of
# one length and returns one score a pair. For each row of `test` draw `n_negatives` *different* items which that user
# has in neither part, from `rng`, freshly in every call, and rank the test item among them. Score these candidates, and
# no others. Return the ranks, one for each row of `test`, in its order; ties share their average rank.
#
# *By hand.* User 3 has met the films 0, 4 and 5 in `train`, and film 2 is their test item. With six films and two
# negatives the candidates are 2, 1 and 3, and nothing else is possible. With scores 0.5, 0.1 and 0.9 the rank is 2.
#
# *Allowed:* anything: your own `average_rank`, or `SeenItems` and `sample_distinct_negatives`, which are imported. A
# loop over users is fine here.
#
# <details><summary>Hint</summary>
#
# For one user: `np.setdiff1d(np.arange(n_items), [all items met in train or test])` are the items to draw from, and
# `rng.choice(..., replace=False)` draws. For all users at once: `sample_distinct_negatives(test.user_ids,
# SeenItems(user_ids, item_ids, n_users, n_items), n_negatives, rng)`, where the ids are those of both parts together.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-7-sampled-ranks", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sampled_ranks(
    predict, train: EncodedRatings, test: EncodedRatings, n_negatives: int, rng: np.random.Generator
) -> np.ndarray:
    """The rank of each test item among sampled items.

    predict  (n,) user ids, (n,) item ids -> (n,) scores, higher is better
    returns  (len(test),) float, from 1 to n_negatives + 1
    """
    ### BEGIN SOLUTION
    users, items = (
        np.concatenate([getattr(part, name) for part in (train, test)]) for name in ("user_ids", "item_ids")
    )
    met = SeenItems(users, items, train.n_users, train.n_items)
    negatives = sample_distinct_negatives(test.user_ids, met, n_negatives, rng)
    candidates = np.column_stack([test.item_ids, negatives])
    scores = predict(np.repeat(test.user_ids, n_negatives + 1), candidates.ravel()).reshape(candidates.shape)
    better, equal = (scores[:, 1:] > scores[:, :1]).sum(axis=1), (scores[:, 1:] == scores[:, :1]).sum(axis=1)
    return 1 + better + equal / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-7-sampled-ranks", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.sampled_ranks(sampled_ranks)

# %% [markdown]
# From here on all models are ranked among the same 99 films, drawn once for the validation items and once for the test
# items, so that luck is the same for all.


# %%
draw = np.random.default_rng(SEED)
VALID_NEGATIVES, TEST_NEGATIVES = (
    sample_distinct_negatives(part.user_ids, met, N_SAMPLED, draw) for part in (valid, test)
)


def figures(predict, part: EncodedRatings, negatives: np.ndarray) -> tuple[float, float]:
    """HR@10 and NDCG@10 of held-back items among their sampled negatives."""
    ranks = evaluation.sampled_ranks(predict, part.user_ids, part.item_ids, negatives)
    return evaluation.hit_rate_at(ranks, TOP_K).mean(), evaluation.ndcg_at(ranks, TOP_K).mean()


popular = Popularity().fit(train.user_ids, train.item_ids, n_users=n_users, n_items=n_items)
pop_hr, pop_ndcg = figures(popular.predict, test, TEST_NEGATIVES)
if CHECK_TEXT:
    claim(abs(pop_hr - 0.41) < 0.02, "ItemPop's HR@10 is about 0.41")
    claim(abs(pop_ndcg - 0.22) < 0.02, "the NDCG@10 of popularity is about 0.22")
print(f"ItemPop: HR@10 {pop_hr:.3f}, NDCG@10 {pop_ndcg:.3f}; by chance HR@10 would be {TOP_K / (N_SAMPLED + 1):.2f}")

# %% [markdown]
# **Notice.** Counting, which knows nobody, has the film in the top ten for about 41 % of the people. That is because 99
# films drawn at random are mostly films that hardly anyone knows, so any well-known film stands near the top. Remember
# this when you read "HR@10 of 0.86" of a model on ML-25M: a larger catalogue has a longer **tail**, films that hardly
# anyone has met, and the same protocol becomes easier. On MovieLens Latest Small, with 9,724 films, ItemPop gets 0.60
# without learning anything. (The table's figures are means over ten splits of the data, recorded once for this course:
# 0.43 on ML-100K, where this notebook's one split has 0.41.)

# %%
pd.DataFrame(
    {name: [recorded.values(name, "retrieval", "popularity", f"hr@10{how}").mean() for how in (" (99 negatives)", "")]
     for name in ("ml-100k", "ml-latest-small")},
    index=["HR@10 among 99 sampled films", "HR@10 among all films"],
).round(3)  # fmt: skip

# %%
claim(
    abs(recorded.values("ml-latest-small", "retrieval", "popularity", "hr@10 (99 negatives)").mean() - 0.60) < 0.01,
    "on MovieLens Latest Small ItemPop gets 0.60",
)

# %% [markdown]
# ## 5 · A net over two vectors, and a loss that must be fed logits
#
# The **MLP** of the second tutorial looks up a vector for the user and one for the item, puts them side by side, and
# sends them through layers that are given as a list, `[16, 32, 16, 8]`: the first number is the width of both vectors
# together, so each has 8 numbers; then linear layers from 16 to 32, to 16, to 8, with ReLU and dropout after each; and
# at last a linear layer to one number.
#
# ### Exercise 8: the MLP (2 points)
#
# Write the module `MLP(n_users, n_items, layers, dropout)`. Its `forward(user_ids, item_ids)` takes two tensors `(B,)`
# and returns one score a pair, `(B,)`: the **logit**, without a sigmoid. Every linear layer has a bias; there are no
# other parameters than these and the two tables.
#
# *By hand.* `MLP(5, 7, [4, 6], 0.0)` has tables of 5 × 2 and 7 × 2, a linear layer from 4 to 6 and one from 6 to 1:
# 10 + 14 + 30 + 7 = 61 numbers in all.
#
# <details><summary>Hint</summary>
#
# `zip(layers, layers[1:])` are the sizes before and after each hidden layer. Collect `nn.Linear`, `nn.ReLU` and
# `nn.Dropout` in a list, append the last layer, and hand it over as `nn.Sequential(*steps)`. The output is `(B, 1)`:
# take `[:, 0]`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-8-mlp", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MLP(nn.Module):
    """Scores from layers over both vectors.

    n_users, n_items  how many rows the two tables have
    layers            list of widths; the first is twice the length of a vector
    dropout           float in [0, 1), share of entries dropped in training, after each hidden layer
    """

    def __init__(self, n_users: int, n_items: int, layers: list[int], dropout: float):
        super().__init__()
        ### BEGIN SOLUTION
        self.user_vectors = nn.Embedding(n_users, layers[0] // 2)
        self.item_vectors = nn.Embedding(n_items, layers[0] // 2)
        steps = []
        for before, after in pairwise(layers):
            steps += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*steps, nn.Linear(layers[-1], 1))
        ### END SOLUTION

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        """Logits (B,) of the pairs (user_ids[b], item_ids[b]), both (B,) int64."""
        ### BEGIN SOLUTION
        vectors = torch.cat([self.user_vectors(user_ids), self.item_vectors(item_ids)], dim=-1)
        return self.layers(vectors)[:, 0]
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-8-mlp", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.mlp(MLP)

# %% [markdown]
# Why no sigmoid? Both tutorials end in one, and take the *binary cross-entropy* of the probability that comes out,
# $-\log p$ for a positive and $-\log(1 - p)$ for a negative, with $p = \sigma(s)$. On paper it makes no difference
# whether the sigmoid is a part of the model or of the loss. In float32 it does. Take a negative that the model is
# sure is a positive:

# %%
logit = torch.tensor([5.0, 15.0, 20.0], requires_grad=True)
label = torch.zeros(3)  # negatives, all three
lessons = {}
for name, loss in (
    ("on the sigmoid", nn.functional.binary_cross_entropy(torch.sigmoid(logit), label, reduction="none")),
    ("on the logit", nn.functional.binary_cross_entropy_with_logits(logit, label, reduction="none")),
    ("sigmoid twice", nn.functional.binary_cross_entropy_with_logits(torch.sigmoid(logit), label, reduction="none")),
):
    (slope,) = torch.autograd.grad(loss.sum(), logit)
    lessons[name] = np.concatenate([loss.detach(), slope])
claim(lessons["on the sigmoid"][5] == 0 and lessons["on the logit"][5] > 0.99, "at 20 the sigmoid has no slope left")
claim(lessons["sigmoid twice"][:3].max() < 1.4, "with the sigmoid twice no loss exceeds 1.4")
columns = pd.MultiIndex.from_product([["loss", "slope"], ["logit 5", "logit 15", "logit 20"]])
pd.DataFrame(lessons, index=columns).T.round(4)

# %% [markdown]
# **Notice.** The surer the model is of a wrong answer, the more it should learn from it, and on the logit it does: the
# slope approaches one. On the sigmoid it vanishes: at a logit of 20 float32 has $p = 1$ exactly, the logarithm of 0 is
# cut off at -100, and the slope is 0. And who leaves the sigmoid in the model and *also* takes the loss that applies
# one gets no error, only a loss that never exceeds 1.4 and a model that hardly learns. So: scores are logits, and the
# loss gets them as they are.
#
# **NCF** of the first tutorial has vectors of 8 and layers 16 → 64 → 32 → 1. It is written as a `LightningModule`: a
# module that also knows its loss (`training_step`) and its optimiser (`configure_optimizers`). Lightning then owns the
# loop: batches, devices, the backward pass, epochs.
#
# ### Exercise 9: NCF (3 points)
#
# Write the class `NCF(n_users, n_items, learning_rate)`, a `lightning.LightningModule` with
#
# - two tables of vectors of 8; linear layers from 16 to 64, 64 to 32, 32 to 1, with ReLU after the first two;
#   `forward(user_ids, item_ids)` returns logits `(B,)`; no other parameters (1 point);
# - `training_step(batch, batch_idx)`, where `batch` is the triple `(user_ids, item_ids, labels)`, each `(B,)`, labels
#   float32: returns the mean binary cross-entropy of the batch, exact however large the logits are (1 point);
# - `configure_optimizers()`: returns Adam over all parameters, with the learning rate that was passed in (1 point).
#
# Leave the start of all parameters as torch makes it. *By hand.* Logits 0 and $\ln 3$ for labels 0 and 1 have the
# probabilities 1/2 and 3/4; the loss is $(\ln 2 + \ln \tfrac43) / 2 = 0.490$.
#
# <details><summary>Hint</summary>
#
# `super().__init__()` first. `self(user_ids, item_ids)` calls `forward`.
# `nn.functional.binary_cross_entropy_with_logits(logits, labels)` is the loss.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-9-ncf", "locked": false, "schema_version": 3, "solution": true, "task": false}
class NCF(lightning.LightningModule):
    """Neural collaborative filtering: vectors of 8, then 64 and 32 hidden units.

    n_users, n_items  how many rows the two tables have
    learning_rate     of Adam
    """

    def __init__(self, n_users: int, n_items: int, learning_rate: float = 1e-3):
        super().__init__()
        ### BEGIN SOLUTION
        self.user_vectors, self.item_vectors = nn.Embedding(n_users, 8), nn.Embedding(n_items, 8)
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self.learning_rate = learning_rate
        ### END SOLUTION

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        """Logits (B,) of the pairs (user_ids[b], item_ids[b]), both (B,) int64."""
        ### BEGIN SOLUTION
        vectors = torch.cat([self.user_vectors(user_ids), self.item_vectors(item_ids)], dim=-1)
        return self.layers(vectors)[:, 0]
        ### END SOLUTION

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> Tensor:
        """The mean loss of a batch: user_ids (B,) int64, item_ids (B,) int64, labels (B,) float32."""
        ### BEGIN SOLUTION
        user_ids, item_ids, labels = batch
        return nn.functional.binary_cross_entropy_with_logits(self(user_ids, item_ids), labels)
        ### END SOLUTION

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over all parameters."""
        ### BEGIN SOLUTION
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-9-ncf", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check.ncf(NCF)

# %% [markdown]
# ## 6 · Fresh negatives for every epoch, and the best epoch by validation films
#
# Where do the batches come from? A `Dataset` holds users, items and labels as tensors; torch's `TensorDataset` does
# just that. A `DataLoader` makes batches of it. Left to itself it fetches row by row, which is
# slow; told to fetch whole batches, it asks the data set for 512 rows at once:
#
# ```python
# rows = TensorDataset(user_ids, item_ids, labels)
# DataLoader(rows, batch_size=None, sampler=BatchSampler(RandomSampler(rows), 512, drop_last=False))
# ```
#
# In Lightning the object that hands out loaders is a `LightningDataModule`; its method `train_dataloader()` is called
# when a fit begins, and again before *every epoch* if the Trainer is told so.
#
# ### Exercise 10: fresh pairs (3 points)
#
# Write the class `FreshPairs(train, n_negatives, batch_size, rng)`, a `lightning.LightningDataModule`. Each call of its
# method `train_dataloader()` returns the batches of one epoch, triples `(user_ids, item_ids, labels)` of tensors,
# int64, int64 and float32:
#
# - every pair of `train` once, with label 1, and for each of them `n_negatives` items that its user has not met in
#   `train`, with the same user and label 0;
# - in batches of `batch_size`, the last may be smaller, in random order;
# - with **new negatives in every call**, drawn from `rng`, a NumPy generator (1 point for what an epoch holds, 2 more
#   if it is fresh).
#
# *By hand.* With `train` holding the pairs (0, 5) and (2, 1) and two negatives each, an epoch has six rows, for
# instance (0, 5, 1), (0, 3, 0), (0, 7, 0), (2, 1, 1), (2, 0, 0), (2, 9, 0), shuffled.
#
# *Allowed:* your own `draw_negatives`, or `sample_negatives(user_ids, SeenItems(user_ids, item_ids, n_users, n_items),
# n_negatives, rng)`, which returns `(n, n_negatives)`.
#
# <details><summary>Hint</summary>
#
# Keep the arguments in `__init__` and draw in `train_dataloader`. `np.repeat(user_ids, 1 + n_negatives)` goes with
# `np.column_stack([item_ids, negatives]).ravel()`: each positive, then its negatives. `np.tile([1, 0, 0, 0, 0], n)`
# are the labels of four negatives.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-10-fresh-pairs", "locked": false, "schema_version": 3, "solution": true, "task": false}
class FreshPairs(lightning.LightningDataModule):
    """Positives with negatives that are drawn for every epoch.

    train        pairs that were met
    n_negatives  for each of them
    batch_size   rows in a batch, positives and negatives together
    rng          draws the negatives
    """

    def __init__(self, train: EncodedRatings, n_negatives: int, batch_size: int, rng: np.random.Generator):
        super().__init__()
        ### BEGIN SOLUTION
        self.train, self.n_negatives, self.batch_size, self.rng = train, n_negatives, batch_size, rng
        self.seen = SeenItems(train.user_ids, train.item_ids, train.n_users, train.n_items)
        ### END SOLUTION

    def train_dataloader(self):
        """The batches of one epoch: user_ids (B,) int64, item_ids (B,) int64, labels (B,) float32."""
        ### BEGIN SOLUTION
        negatives = sample_negatives(self.train.user_ids, self.seen, self.n_negatives, self.rng)
        users = np.repeat(self.train.user_ids, 1 + self.n_negatives)
        items = np.column_stack([self.train.item_ids, negatives]).ravel()
        labels = np.tile(np.array([1] + [0] * self.n_negatives, dtype=np.float32), len(negatives))
        rows = TensorDataset(*(torch.from_numpy(column) for column in (users, items, labels)))
        batches = BatchSampler(RandomSampler(rows), self.batch_size, drop_last=False)
        return DataLoader(rows, batch_size=None, sampler=batches)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-10-fresh-pairs", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check.fresh_pairs(FreshPairs)

# %% [markdown]
# One piece is missing: which epoch's model do we keep? The second tutorial looks at the *test* items after every epoch,
# names the best epoch, and reports its figure. (It also means to save that model, by a call that does not exist.) That
# is choosing with the answers in hand. We measure on the **validation** items after every epoch, keep the weights of
# the best one in a checkpoint, and load them in the end.
#
# ### Exercise 11: keep the best epoch (3 points)
#
# Write `fit_best(model, data, n_epochs, callbacks, folder)`. Train `model` on `data` with a `lightning.Trainer` for
# `n_epochs` epochs, so that `data.train_dataloader()` is called for every epoch (1 point). One of `callbacks` logs
# `"valid_ndcg"` at the end of each epoch, and `"test_ndcg"` for a figure. When `fit_best` returns, `model` must hold
# the weights of the epoch with the highest `valid_ndcg` (2 points). Checkpoints go into `folder`, a path. The return
# value is up to you.
#
# *By hand.* If `valid_ndcg` is 0.21, 0.30, 0.28 after the three epochs and `test_ndcg` 0.20, 0.24, 0.26, the model ends
# with the weights of epoch 2.
#
# *Given:* `TRAINER` in the settings, options for this machine: `lightning.Trainer(max_epochs=..., **TRAINER)`.
#
# <details><summary>Hint</summary>
#
# `ModelCheckpoint(dirpath=folder, monitor=..., mode="max")` is one more callback; after `trainer.fit(model, data)` its
# `best_model_path` names the best epoch's file. `torch.load(path, weights_only=False)["state_dict"]` is what
# `model.load_state_dict` takes. The option that calls for new data is `reload_dataloaders_every_n_epochs`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-11-fit-best", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_best(
    model: lightning.LightningModule,
    data: lightning.LightningDataModule,
    n_epochs: int,
    callbacks: list[lightning.Callback],
    folder: Path,
):
    """Train, and leave the model with the weights of its best epoch on validation items.

    callbacks  one of them logs "valid_ndcg", higher is better, at the end of each epoch
    folder     where checkpoints may be written
    """
    ### BEGIN SOLUTION
    best = ModelCheckpoint(dirpath=folder, monitor="valid_ndcg", mode="max")
    options = {"max_epochs": n_epochs, "reload_dataloaders_every_n_epochs": 1, **TRAINER}
    lightning.Trainer(callbacks=[*callbacks, best], **options).fit(model, data)
    model.load_state_dict(torch.load(best.best_model_path, weights_only=False)["state_dict"])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-11-fit-best", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check.fit_best(fit_best)

# %% [markdown]
# Everything is there. `Watch` is the callback that measures: before training and after every epoch, HR@10 and NDCG@10
# on validation *and* test items, and the mean loss of the epoch. The test curve is for looking at, later; nothing is
# chosen on it. A model that scores pairs becomes a `predict` function by `predictor`.
#
# `run` trains by your answers. Where one of them is missing or raises an error, the net is left out of all that
# follows.


# %%
def predictor(model: nn.Module):
    """(n,) user ids, (n,) item ids -> (n,) scores, all NumPy, without gradients and dropout, on any device."""

    @torch.no_grad()
    def predict(user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        device = next(model.parameters()).device
        return model.eval()(*(torch.as_tensor(ids, device=device) for ids in (user_ids, item_ids))).cpu().numpy()

    return predict


# %%
CURVES = ("valid_hr", "valid_ndcg", "test_hr", "test_ndcg", "loss")
curves: dict[str, pd.DataFrame] = {}  # name of a run to its figures, one row an epoch, the first before training


class Watch(lightning.Callback):
    """Measures after every epoch, and before the first."""

    def __init__(self):
        self.curve, self.losses = [], []

    def measure(self, model) -> None:
        both = *figures(predictor(model), valid, VALID_NEGATIVES), *figures(predictor(model), test, TEST_NEGATIVES)
        self.curve.append((*both, np.mean(self.losses) if self.losses else np.nan))
        self.losses = []
        model.train()

    def on_fit_start(self, trainer, pl_module):
        self.measure(pl_module)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.losses.append(float(outputs["loss"]))

    def on_train_epoch_end(self, trainer, pl_module):
        self.measure(pl_module)
        for name, value in zip(CURVES, self.curve[-1], strict=True):
            pl_module.log(name, float(value), prog_bar=name == "valid_ndcg")


# %%
def run(name: str, make, n_epochs: int = N_EPOCHS, batch_size: int = BATCH_SIZE) -> pd.Series | None:
    """Train what make() returns by exercises 10 and 11 and keep its curve under a name.

    returns  the figures of the epoch that was kept; None, with a line that says why, where an answer is missing
    """
    seed_everything(SEED)
    try:
        model, watch = make(), Watch()
        data = FreshPairs(train, N_NEGATIVES, batch_size, np.random.default_rng(SEED))
        with TemporaryDirectory() as folder:
            fit_best(model, data, n_epochs, [watch, EpochBar()], Path(folder))
        curve = pd.DataFrame(watch.curve, columns=CURVES).rename_axis("epoch")
        kept = curve["valid_ndcg"][1:].idxmax()
    except Exception as problem:
        needs = "8 to 11" if name.startswith("MLP") else "9 to 11"
        print(
            f"{name} is left out: it needs exercises {needs}, one of which raised {type(problem).__name__}: {problem}"
        )
        return None
    curves[name] = curve
    return curve.loc[kept].rename(f"{name}, epoch {kept} of {n_epochs}")


# %%
published = run("NCF as published", lambda: NCF(n_users, n_items, PUBLISHED_RATE), PUBLISHED_EPOCHS, PUBLISHED_BATCH)
if CHECK_TEXT and published is not None:
    claim(abs(published["test_hr"] - 0.40) < 0.02, "after five epochs the HR@10 of NCF is about 0.40")
    claim(published["test_hr"] < pop_hr + 0.02, "no more than ItemPop's")
published.to_frame().round(3) if published is not None else "no net to look at yet"

# %% [markdown]
# **Notice.** NCF exactly as published, five epochs of Adam at its defaults, finds the film for about 40 % of the
# people: *no more than ItemPop*, which only counts. On 25 million ratings five epochs are many times as many steps, so
# it gets further there. But with no ItemPop beside the figure, nobody could have told.
#
# ## 7 · The same net from a small start goes from 0.53 to 0.63
#
# What is wrong? Not the architecture, as we shall see. More epochs first, with larger batches and steps. Then one
# suspicion: `nn.Embedding` starts with numbers drawn from a normal distribution of standard deviation **1**. To the
# layers above, those are loud and random features of every user and film. The net first learns to work with this noise,
# and a film's row, which gets a gradient only when the film comes up, moves away from it a little step at a time.
# Spotlight draws its vectors with $1 / D$, lesson 01 within 0.05. `start_small` does that to any model, with 0.01, and
# changes nothing else.
#
# Beside NCF train the MLP and a dull rival of the same size, a dot product of vectors of 8 with a bias for each film.


# %%
def start_small(model: nn.Module, std: float = SMALL_START) -> nn.Module:
    """The same model with vectors drawn anew, close to 0."""
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, 0, std)
    return model


class Trained(NCF):
    """Any net that scores pairs, trained as your NCF is: by its training_step and its optimiser."""

    def __init__(self, net: nn.Module, learning_rate: float = LEARNING_RATE):
        super().__init__(1, 1, learning_rate)  # NCF's own tables, which nobody asks here
        self.net = net

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        return self.net(user_ids, item_ids)


class DotWithBias(nn.Module):
    """A rival of the same size: a dot product of vectors of 8, and a bias for each film."""

    def __init__(self, n_users: int, n_items: int, n_factors: int = 8):
        super().__init__()
        self.user_vectors, self.item_vectors = nn.Embedding(n_users, n_factors), nn.Embedding(n_items, n_factors)
        self.item_bias = nn.Embedding(n_items, 1)

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        dots = (self.user_vectors(user_ids) * self.item_vectors(item_ids)).sum(dim=-1)
        return dots + self.item_bias(item_ids)[:, 0]


# %%
MAKERS = {
    "NCF, torch's start": lambda: NCF(n_users, n_items, LEARNING_RATE),
    "NCF, small start": lambda: start_small(NCF(n_users, n_items, LEARNING_RATE)),
    "MLP, small start": lambda: Trained(start_small(MLP(n_users, n_items, LAYERS, DROPOUT))),
    "dot product, small start": lambda: Trained(start_small(DotWithBias(n_users, n_items))),
}
for name, make in MAKERS.items():
    kept = run(name, make)
    if kept is not None:
        print(f"{kept.name:<44} test HR@10 {kept['test_hr']:.3f}, NDCG@10 {kept['test_ndcg']:.3f}")
all_trained = set(MAKERS) < set(curves)
if SHORT_RUN:
    print(SHORT_NOTE)


# %%
def draw_curves() -> None:
    """HR and NDCG on validation items and the loss, epoch by epoch, one line a run."""
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.8))
    panels = {"valid_hr": "HR@10, validation", "valid_ndcg": "NDCG@10, validation", "loss": "loss per pair, training"}
    for (name, curve), colour, marker in zip(curves.items(), plots.PALETTE, plots.MARKERS, strict=False):
        for ax, column in zip(axes, panels, strict=True):
            ax.plot(curve.index, curve[column], marker=marker, markersize=3, color=colour, label=name)
    for ax, label in zip(axes, panels.values(), strict=True):
        ax.set(xlabel="epoch (0: before training)", ylabel=label)
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[2].set_xlim(axes[0].get_xlim())
    for ax, level in zip(axes, figures(popular.predict, valid, VALID_NEGATIVES), strict=False):
        ax.axhline(level, color=plots.GREY, linestyle=":", label="ItemPop")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    finding = all_trained and not SHORT_RUN
    title = "A small start does more than any epoch" if finding else "What has been trained so far"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")


if curves:
    draw_curves()
    plt.show()

# %%
at_best = pd.DataFrame({name: curve.loc[curve["valid_ndcg"][1:].idxmax()] for name, curve in curves.items()}).T
at_best["test_hr, best on test"] = [curve["test_hr"][1:].max() for curve in curves.values()]
if CHECK_TEXT and all_trained:
    reached = [("NCF, torch's start", 0.53), ("NCF, small start", 0.63), ("MLP, small start", 0.61)]
    for name, hr in [*reached, ("dot product, small start", 0.64)]:
        claim(abs(at_best["test_hr"][name] - hr) < 0.02, f"the HR@10 of {name} is about {hr}")
    claim(at_best["test_hr"][2:].min() > 0.595, "from a small start all three reach 0.60")
    gain = at_best["test_hr, best on test"] - at_best["test_hr"]
    claim(0.005 < gain["NCF, small start"] < 0.025, "NCF would look better by about 0.01, chosen on test")
at_best.round(3)

# %% [markdown]
# **Notice.** From torch's start NCF comes to about 0.53 in twenty epochs; its loss hardly moves for the first ten,
# while the net finds its way out of the noise. From a small start, with everything else the same, it comes to 0.63. The
# MLP reaches about 0.61 in the same way. And the dot product, which has no layers at all, is not behind: about 0.64 (a
# difference of 0.01 is less than chance, as you will see). Rendle et al. (2020) found the same: layers do not learn to
# multiply by themselves, and a well-trained factorisation is at least as good.
#
# The last column is what a report would say that chooses the epoch on the test items: NCF would look better by about
# 0.01, for nothing. The more epochs and settings are tried in this way, the better it looks.
#
# One warning, should you change `SEED`. A narrow net of ReLUs can be born dead: where all eight units of the MLP's last
# hidden layer are 0 for every input, no gradient gets past them, and all scores stay equal for ever. Then its HR@10 is
# 0, thanks to the rule for ties (with ties for the target it would be 1). Take another seed.
#
# ## 8 · Sampled and full evaluation put two models in opposite order
#
# So far every film stood among 99 others. In life it stands among all that the person has not met, about 1,600.
#
# ### Exercise 12: ranks among all films (2 points)
#
# Write `catalogue_ranks(score_users, train, test)`. `score_users(user_ids)` takes user ids `(B,)` and returns their
# scores of all items, `(B, n_items)`. For each row of `test` return the rank of its item among **all items that its
# user has not met in `train`**, in the order of `test`; ties share their average rank. The scores are the model's:
# change a copy of them, or lose one of the points.
#
# *By hand.* A user has met the films 0 and 3 of five, and film 4 is the test item. With scores 9, 2, 7, 8, 5 the films
# 0 and 3 are out; of the films 1, 2 and 4 only film 2 scores higher than 5. The rank is 2.
#
# <details><summary>Hint</summary>
#
# Set the scores of what was met to `-np.inf` in a copy (`np.where` makes one), and the comparison does the rest. (0 is
# no low score: logits are often negative.) The rows of `score_users(test.user_ids)` are rows of `test`, not user ids.
# The target equals itself: do not count that as a tie.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-12-catalogue-ranks", "locked": false, "schema_version": 3, "solution": true, "task": false}
def catalogue_ranks(score_users, train: EncodedRatings, test: EncodedRatings) -> np.ndarray:
    """The rank of each test item among all items that its user has not met.

    score_users  (B,) user ids -> (B, n_items) scores, higher is better
    returns      (len(test),) float, from 1
    """
    ### BEGIN SOLUTION
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = np.where(met[test.user_ids], -np.inf, score_users(test.user_ids))
    own = scores[np.arange(len(scores)), test.item_ids][:, None]
    return 1 + (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-12-catalogue-ranks", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.catalogue_ranks(catalogue_ranks)

# %% [markdown]
# Now the models, all of them on `history`: by the time of the test film, the validation films have been watched. The
# nets train again, for as many epochs as were best on validation films. Their rivals: ItemPop; Spotlight's implicit
# model (lesson 01's factorisation) with its *pointwise* loss, where every pair has a term of its own
# in the loss as in NCF, and with *BPR*, where a film that was met has only to score higher than one that was not;
# **ALS** (Hu et al. 2008) and **EASE** (Steck
# 2019), two linear models that take all zeros into account instead of drawing some; and **what came next**, which looks
# at the last film of a history and counts which films followed it in other people's. That is all it knows.


# %%
class Pairwise:
    """A net as a model with predict and score_users, as the rivals have them."""

    def __init__(self, net: nn.Module):
        self.predict = predictor(net)

    def score_users(self, user_ids: np.ndarray) -> np.ndarray:
        items = np.tile(np.arange(n_items), len(user_ids))
        return self.predict(np.repeat(user_ids, n_items), items).reshape(len(user_ids), n_items)


def trained_again(name: str, model: lightning.LightningModule) -> Pairwise:
    """The same model on all of history, for as many epochs as were best on validation films."""
    n_epochs = int(curves[name]["valid_ndcg"][1:].idxmax())
    data = FreshPairs(history, N_NEGATIVES, BATCH_SIZE, np.random.default_rng(SEED))
    options = {"max_epochs": n_epochs, "reload_dataloaders_every_n_epochs": 1, "enable_checkpointing": False, **TRAINER}
    lightning.Trainer(callbacks=[EpochBar()], **options).fit(model, data)
    return Pairwise(model)


# %%
models = {}
known = Interactions(history.user_ids, history.item_ids, num_users=n_users, num_items=n_items)
for loss in tqdm(("pointwise", "bpr"), desc="Spotlight's losses", leave=False):
    state = np.random.RandomState(SEED)
    models[f"Spotlight {loss}"] = ImplicitFactorizationModel(loss=loss, n_iter=N_RIVAL_EPOCHS, random_state=state)
    models[f"Spotlight {loss}"].fit(known)
rivals = {
    "ItemPop": Popularity(),
    "ALS": ALS(n_factors=32, rng=np.random.default_rng(SEED)),
    "EASE": EASE(regularisation=400.0),
    "what came next": Markov(n_lags=1),
}
for name, rival in tqdm(rivals.items(), desc="other rivals", leave=False):
    models[name] = rival.fit(history.user_ids, history.item_ids, n_users=n_users, n_items=n_items)

# %%
seed_everything(SEED)
for name in ("NCF", "MLP", "dot product"):
    if (of_before := f"{name}, small start") in curves:
        models[name] = trained_again(of_before, MAKERS[of_before]())
    else:
        print(f"{name} is left out, as it was not trained above.")


# %%
met_before = to_matrix(history.user_ids, history.item_ids, n_users, n_items)[test.user_ids]
ranks = {
    name: {
        "99 sampled": evaluation.sampled_ranks(model.predict, test.user_ids, test.item_ids, TEST_NEGATIVES),
        "all films": evaluation.catalogue_ranks(
            lambda rows, model=model: model.score_users(test.user_ids[rows]),
            test.item_ids,
            seen=met_before,
            batch_size=128,
        ),
    }
    for name, model in tqdm(models.items(), desc="ranks", leave=False)
}


# %%
def with_interval(values: np.ndarray) -> str:
    """The mean over users and its 95 % bootstrap interval."""
    interval = evaluation.bootstrap_interval(values, test.user_ids, np.random.default_rng(SEED), n_resamples=2000)
    return f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


hits = {
    how: {n: evaluation.hit_rate_at(r[how], TOP_K) for n, r in ranks.items()} for how in ("99 sampled", "all films")
}
table = pd.DataFrame({f"HR@10, {how}": {n: with_interval(v) for n, v in hits[how].items()} for how in hits})
table["NDCG@10, all films"] = {n: with_interval(evaluation.ndcg_at(r["all films"], TOP_K)) for n, r in ranks.items()}
table.loc[sorted(models, key=lambda name: hits["99 sampled"][name].mean(), reverse=True)]


# %%
def mean_of(how: str, name: str, metric=evaluation.hit_rate_at) -> float:
    return metric(ranks[name][how], TOP_K).mean()


if CHECK_TEXT and all_trained:
    order = [mean_of("99 sampled", name) for name in ("ItemPop", "Spotlight bpr", "NCF", "EASE", "ALS")]
    claim(order[:3] == sorted(order[:3]) and order[2] < min(order[3:]), "ItemPop, BPR, NCF, then ALS and EASE")
    in_full = {name: mean_of("all films", name, evaluation.ndcg_at) for name in models}
    claim(max(in_full, key=in_full.get) == "what came next", "among all films what came next has the highest NDCG")
    claim(mean_of("99 sampled", "what came next") < 0.53, "among 99 films what came next has about 0.51")
    claim(abs(mean_of("99 sampled", "Spotlight pointwise") - 0.61) < 0.02, "the pointwise loss has 0.61 among 99")
    claim(
        in_full["Spotlight pointwise"] < in_full["ItemPop"] + 0.005, "the pointwise loss does not beat ItemPop in full"
    )
print(f"{np.mean(met_before.shape[1] - met_before.sum(axis=1)):,.0f} films compete in the full catalogue, on average")
if SHORT_RUN:
    print(SHORT_NOTE)

# %% [markdown]
# The models stand in the order of the first column; now read down the last. Among 99 films every net is far above "what
# came next". Among all films that dull counter has the highest NDCG of all, and Spotlight's pointwise model, at 0.61
# among 99, is no better than ItemPop.
#
# ### Exercise 13: whose order flips? (1 point)
#
# Write `flipped_pairs(sampled, full)`. Both are dicts with the same names of models, each with an array of hits, one
# entry a user, 0 or 1. Return all pairs of names `(first, second)` such that the first is better in the mean of
# `sampled`, and the second in the mean of `full`, as a list of tuples, in any order. Equal means are no flip.
#
# *By hand.* With means a 0.6, b 0.5, c 0.5 in `sampled` and a 0.10, b 0.12, c 0.09 in `full`, the answer is
# `[("a", "b")]`.
#
# <details><summary>Hint</summary>
#
# Two loops over the names, and two comparisons; or `itertools.permutations(sampled, 2)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-13-flipped-pairs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flipped_pairs(sampled: dict[str, np.ndarray], full: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """Pairs of models whose order depends on how one asks.

    sampled, full  name -> (n_users,) hits
    returns        (better in sampled, better in full), for every pair that flips
    """
    ### BEGIN SOLUTION
    return [
        (first, second)
        for first in sampled
        for second in sampled
        if sampled[first].mean() > sampled[second].mean() and full[first].mean() < full[second].mean()
    ]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-13-flipped-pairs", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.flipped_pairs(flipped_pairs)

# %% [markdown]
# A flip may be luck: 943 users are not many, and intervals of HR@10 are 0.06 wide. But all models are asked about the
# same users, so we can look at the **paired difference**, user by user: draw the users again and again, with repeats,
# and see how far the mean of the differences moves (the bootstrap). A pair is shown where both intervals leave out 0,
# on opposite sides.


# %%
def difference(how: str, first: str, second: str) -> evaluation.Difference:
    """HR@10 of the first less that of the second, with a 95 % interval over users."""
    pair = hits[how][first], hits[how][second]
    return evaluation.paired_difference(*pair, test.user_ids, np.random.default_rng(SEED), n_resamples=2000)


# %%
rows = {}
try:
    flips = flipped_pairs(hits["99 sampled"], hits["all films"])
except NotImplementedError:
    flips = []
    print("The table of pairs needs exercise 13.")
for first, second in flips:
    both = [difference(how, first, second) for how in hits]
    if both[0].low > 0 > both[1].high:
        rows[f"{first} less {second}"] = [f"{d.mean:+.3f} [{d.low:+.3f}, {d.high:+.3f}]" for d in both]
if CHECK_TEXT and all_trained and flips:
    claim("MLP less what came next" in rows, "the MLP and what came next change places, beyond chance")
    leads = [difference(how, "MLP", "what came next").mean for how in hits]
    claim(np.allclose(leads, (0.09, -0.03), atol=0.015), "the MLP leads by 0.09 among 99 films and by -0.03 among all")
    claim("Spotlight pointwise less what came next" in rows, "the pointwise loss and what came next change places, too")
    lead = difference("99 sampled", "NCF", "Spotlight bpr")
    claim(lead.low < 0 < lead.high, "NCF's lead over Spotlight's BPR may be chance")
pd.DataFrame(rows, index=[f"HR@10, {how}" for how in hits]).T if rows else "No pair changes places beyond chance."

# %% [markdown]
# **Notice.** The MLP beats "what came next" by 0.09 among 99 films and loses to it by 0.03 among all, and neither is
# chance. Both figures are right. They answer different questions. To be among the ten best of a hundred drawn at random
# is to be in the upper tenth of the catalogue, roughly: HR@10 among 99 rewards a model that has every film *about*
# right, and nets trained against random negatives are trained for just that. A list of ten is made of the first half
# percent, and there the last film says more. So a sampled metric is no cheap estimate of the full one (Krichene and
# Rendle 2020): it is another metric, and which model wins depends on it. The full one took seconds. Where a catalogue
# is too large for that, sample users, not films.
#
# (Not every difference is one: NCF's lead over Spotlight's BPR is within chance on these 943 people.)
#
# ## 9 · The ladder: the strongest models here are not neural
#
# The rivals of this course are recorded on ten splits of each data set (each history ends up to four films early, so
# that the splits differ). "Spotlight at its best" is its model with the adaptive hinge loss, which holds a positive
# against the highest of a few negatives, for 10 epochs in batches of 1,024. Beside them your nets, on this notebook's
# one split.

# %%
names = {
    "popularity": "ItemPop",
    "spotlight_bpr": "Spotlight, BPR loss",
    "spotlight_tuned": "Spotlight at its best",
    "als": "ALS",
    "ease": "EASE",
    "markov": "Markov counts over nine films",
}
PROTOCOLS = {"99 sampled": "hr@10 (99 negatives)", "all films": "hr@10"}
for how, metric in PROTOCOLS.items():
    rivals = {name: recorded.values(DATASET, "retrieval", model, metric) for model, name in names.items()}
    own = "this split, short run" if SHORT_RUN else "this split"
    yours = {f"{name}, {own}": hits[how][name].mean() for name in ("NCF", "MLP") if name in models}
    among = f"Among {how.replace('99 sampled', '99 sampled films')}"
    title = among if SHORT_RUN else f"{among}: linear models and counts stand above the nets"
    xlabel = f"HR@10, {how}: higher is better"
    plots.ladder(rivals, yours=yours, title=title, xlabel=xlabel, highest_on_top=True)
    plt.show()

# %%
if CHECK_TEXT:
    tens = {
        how: {n: recorded.values(DATASET, "retrieval", m, metric).mean() for m, n in names.items()}
        for how, metric in PROTOCOLS.items()
    }
    claim(abs(tens["all films"]["Markov counts over nine films"] - 0.218) < 0.001, "Markov counts: 0.218 in full")
    claim(abs(tens["all films"]["EASE"] - 0.154) < 0.001, "EASE: 0.154 in full")
    claim(min(tens["99 sampled"][name] for name in ("ALS", "EASE")) > 0.67, "ALS and EASE: 0.68 among 99")
    claim(abs(tens["99 sampled"]["ItemPop"] - 0.433) < 0.001, "ItemPop: 0.43 in the mean of the ten")

# %% [markdown]
# **Notice.** A thin tick is one split, the dot the mean of ten, the bar one standard deviation to either side; diamonds
# are your nets on one split (a hard one: ItemPop has 0.41 here, 0.43 in the mean of the ten). In both pictures the nets
# stand among Spotlight's factorisations. Above them are ALS and EASE with 0.68 among 99: linear models, one of them a
# single matrix inverse. And counts of what followed what over the last nine films are on top of everything, 0.218 among
# all films where EASE has 0.154, because what somebody watches tonight hangs on what they watched last.
#
# ### Exercise 14: climb (4 points)
#
# Write `retrieve(user_ids, item_ids, n_users, n_items)`. `user_ids` and `item_ids` are NumPy arrays `(n,)`, dense: the
# histories of all users, whose rows are **in order of time**. Learn whatever you like from them, and return a score for
# every user and item, an array `(n_users, n_items)`, higher is better. The check calls it once, on histories and a
# numbering of users and films that you have not seen, and looks where each user's next film stands.
#
# There are four rungs, one point each, and a rung counts only if all below it are passed: ItemPop, Spotlight's BPR,
# Spotlight at its best, and ALS. Each has to be passed clearly: it stands where its rival would stand on the very same
# split, and a little higher (by 0.03, 0.02, 0.02 and 0.025 of NDCG), so that luck does not decide. The measure is
# NDCG@10 among 99 films, as recorded for the rivals, but averaged over *all* draws of the 99, which can be worked out
# exactly from the rank among all films. A minute is plenty.
#
# *Allowed:* everything: your nets, the rivals, and rivals added up. (Write the number of epochs out: `N_EPOCHS` may be
# small in a short run.)
#
# <details><summary>Hint</summary>
#
# One of the linear models alone passes two or three rungs on MovieLens. What a person has always liked and what they
# watched last are two different signals, `Markov()` from the imports knows the second, and both together are better
# than either. Scores of two models have different sizes: bring each user's row to mean 0 and standard deviation 1
# before you add them up.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-14-ladder", "locked": false, "schema_version": 3, "solution": true, "task": false}
def retrieve(user_ids: np.ndarray, item_ids: np.ndarray, n_users: int, n_items: int) -> np.ndarray:
    """Learn from histories, score everything.

    user_ids, item_ids  (n,) int, dense, in order of time
    returns             (n_users, n_items) float, higher is better
    """
    ### BEGIN SOLUTION
    total = np.zeros((n_users, n_items))
    for model in (ALS(n_factors=32, rng=np.random.default_rng(0)), Markov()):
        model.fit(user_ids, item_ids, n_users=n_users, n_items=n_items)
        scores = model.score_users(np.arange(n_users))
        scores = scores - scores.mean(axis=1, keepdims=True)
        total += scores / scores.std(axis=1, keepdims=True)
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-14-ladder", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check.ladder(retrieve)

# %% [markdown]
# ## 10 · Ten films for a person, and none that they have seen
#
# A figure is an average; a list is what a person gets. Before any list is shown, everything that they have met has to
# go. A model puts just these films on top: it was trained to.
#
# ### Exercise 15: the best unseen (2 points)
#
# Write `top_unseen(score_users, user_ids, train, n)`. `score_users(user_ids)` gives scores `(B, n_items)`, as before.
# Return the ids of the `n` best items of each user that the user has not met in `train`, best first: whole numbers,
# `(B, n)`, one row for each of `user_ids`. No scores are equal, and everybody has at least `n` unmet items.
#
# *By hand.* A user with the scores -3, -1, -2, -5 has met film 1. Their two best are `[2, 0]`. (Not `[1, 2]`, and if
# film 1 is merely given a score of 0, it is first again.)
#
# <details><summary>Hint</summary>
#
# Build a mask `(n_users, n_items)` of what was met and take the rows `mask[user_ids]`; put `-np.inf` there; then
# `np.argsort(-scores, axis=1)[:, :n]`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-02-15-top-unseen", "locked": false, "schema_version": 3, "solution": true, "task": false}
def top_unseen(score_users, user_ids: np.ndarray, train: EncodedRatings, n: int) -> np.ndarray:
    """The best items that each user has not met.

    score_users  (B,) user ids -> (B, n_items) scores
    user_ids     (B,) int, dense
    returns      (B, n) int, dense item ids, best first
    """
    ### BEGIN SOLUTION
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = np.where(met[user_ids], -np.inf, score_users(user_ids))
    return np.argsort(-scores, axis=1)[:, :n]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-02-15-top-unseen", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.top_unseen(top_unseen)

# %%
title_of = movies.set_index("item_id").loc[everything.items.raw_ids, "title"].str.slice(0, 38).to_numpy()
rng = np.random.default_rng(SEED)
found = test.user_ids[hits["all films"]["ALS"] > 0]  # those whose film ALS puts among the first ten
shown = np.append(rng.choice(np.setdiff1d(np.arange(n_users), found), 2, replace=False), rng.choice(found))
try:
    everybody = {
        name: top_unseen(models[name].score_users, np.arange(n_users), history, TOP_K)
        for name in ("NCF", "ALS", "ItemPop")
        if name in models
    }
except NotImplementedError:
    everybody = {}
    print("The lists need exercise 15.")

# %%
for user in shown if everybody else ():
    own = history.item_ids[history.user_ids == user]
    held_back = test.item_ids[test.user_ids == user][0]
    print(
        f"User {everything.users.decode([user])[0]}: {len(own)} films, the last ones {' | '.join(title_of[own[-3:]])}"
    )
    print(f"  then watched: {title_of[held_back]}")
    columns = {
        name: [("* " if i == held_back else "") + title_of[i] for i in items[user]] for name, items in everybody.items()
    }
    print(pd.DataFrame(columns, index=range(1, TOP_K + 1)).to_string(), "\n")

# %%
counts, taken = popular.counts_, history.user_ids * n_items + history.item_ids
for items in everybody.values():
    claim(not np.isin(np.arange(n_users)[:, None] * n_items + items, taken).any(), "no film that was seen is on a list")
spread = pd.DataFrame(
    {name: {"different films in all lists": len(np.unique(items)), "met by so many, median": np.median(counts[items])}
     for name, items in everybody.items()}
)  # fmt: skip
if CHECK_TEXT and len(everybody) == 3:
    different = spread.loc["different films in all lists"]
    claim(abs(different["ItemPop"] - 91) < 5, "ItemPop shows about 90 different films")
    claim(different["NCF"] > 450 and different["ALS"] > 650, "NCF over 500, ALS 700")
spread

# %% [markdown]
# **Notice.** The star marks the film that was held back, where it is on the list. That is rare: of these three people
# the last was chosen because ALS finds their film, the other two because it does not. ItemPop shows nearly the same ten
# films to everybody (about 90 different ones in all lists, as everyone has seen others already). NCF shows over 500,
# ALS 700, and both reach further down the catalogue. A single figure says nothing of this, and a person who gets the
# list notices it first.
#
# ## 11 · The same code on more than one GPU
#
# Little above would change for 25 million ratings on four GPUs: two options of the Trainer, `devices` and `strategy`
# (`ddp`: every GPU has a process with a copy of the model, and they average their gradients), and that each process
# trains on its own share of the positives and draws its own negatives. The repository holds that as a script, which
# reads a data set, takes a share of the users, and trains NCF:
#
# ```
# python benchmarks/ncf.py --dataset ml-25m --user-share 0.3 --accelerator gpu --devices 4 --strategy ddp
# ```
#
# On a laptop, `--accelerator cpu --devices 2` runs the same code in two processes.
#
# ## Explain it to a colleague
#
# ### Question 16 (3 points, marked by hand)
#
# A colleague shows you a paper. "Our model reaches HR@10 = 0.86 on MovieLens 25M, with 99 sampled negatives per user,
# at the best of 50 epochs. The best earlier model has 0.84." In about 200 words: name three things that you would have
# to know before you believe that the new model is the better one, say for each what could be wrong and what you would
# measure instead.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-02-16-sampled", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# First, what the dull rivals get under the same protocol. Among 99 random films of a large catalogue most are hardly
# known, so popularity alone may come close to such a figure; without ItemPop and a linear model (ALS, EASE), tuned with
# the same care, 0.86 means nothing. (1 point)
#
# Second, whether the order survives the full catalogue. A sampled HR@10 asks whether an item is in the upper tenth,
# roughly, and not whether it is among the ten best, and two models can change places. I would rank all films that the
# user has not met, and give the paired difference with its interval over users. (1 point)
#
# Third, on what the epoch was chosen. "The best of 50 epochs" on the test items is a choice with the answers in hand,
# and the best of 50 noisy figures is too high by itself. I would choose on validation items, one before the test item
# of each user, and look at the test items once. Also worth asking: is the split by time, with a rule for ties; do the
# negatives repeat or hit positives? (1 point)

# %% [markdown]
# ## What to take along
#
# - Put ItemPop in the table first. A published recipe can lose to it, and nobody notices.
# - How a model starts can matter more than what it is made of: look at the start before you change the architecture.
# - Negatives never hit a positive, and are fresh in every epoch. Scores are logits, and the loss gets them as they are.
# - Latest means latest, with a rule for ties; the epoch is chosen on validation items and its weights are put back.
# - A sampled metric is not a cheap estimate of the full one. It is another question, with another winner.
# - The next lesson, sequences, takes up what a single look at the last film was worth: the order in which things are
#   watched.

# %% [markdown]
# ## Where you stand
#
# `check.progress()` reads the notebooks that lie beside this one, and shows your points and your place on each ladder,
# over all lessons, and what to do next. You can call it at any time, in any lesson, once its
# cell of imports has run.

# %%
check.progress()
