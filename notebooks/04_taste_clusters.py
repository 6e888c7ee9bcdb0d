# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · Taste clusters: recommendations that a person can read
#
# **The question.** A factor model turns every viewer and every film into twenty numbers that mean nothing to anybody.
# Can we sort viewers into groups of like taste by these numbers, recommend films to a group, and say in words what it
# likes? And are the groups really there?
#
# **Afterwards you can**
#
# - get from raw ids to dense ones, through a model and a clustering, and back to titles, without mixing up the ids;
# - tell whether clusters are found or made: by what they sort, by silhouette, and by how well they survive another
#   seed;
# - turn a cluster into a list of films, and say what a mean of few ratings does to that list.
#
# **You need** lesson 00 (dense ids, splits, damped means and biases) and lesson 01 (factorisation, the training loop).
#
# **Time** about a minute of computing on a laptop without a GPU, restart-and-run-all; an evening of thinking.
#
# **Data** MovieLens Latest Small (GroupLens, University of Minnesota): 100,836 ratings by 610 people, 1996 to 2018, in
# half stars. Free for research; please cite Harper and Konstan (2015). Figures in the text are this data set's, and the
# code beside them checks them; another one is chosen by the environment variable `COURSE_DATASET`: `ml-100k`, or
# `synthetic` for a made-up world that needs no download. There, a heading may not hold.
#
# **Sources** Koren, Bell and Volinsky, *Matrix factorization techniques for recommender systems* (Computer 42:8, 2009);
# Rousseeuw, *Silhouettes* (J. Comput. Appl. Math. 20, 1987); Hubert and Arabie, *Comparing partitions* (J. Classif. 2,
# 1985), for the adjusted Rand index; van der Maaten and Hinton, *Visualizing data using t-SNE* (JMLR 9, 2008).
#
# Each exercise is one cell to fill in, with a check below it. No check needs another exercise's answer, and
# neither do the sections: the cells right below exercises 5, 9 and 11 show your answer at work, everything else is given.
# (An exercise that you have not begun stops *Run All*: go on with *Run Selected Cell and All Below* from the next cell.)
# Blocks that begin with `if CHECK_TEXT:` hold the text to its figures, by `claim`. They teach nothing: skip them.

# %%
from itertools import combinations, islice
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import adjusted_rand_score, silhouette_score
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from course_utils import evaluation, movielens, plots, splits
from course_utils.bars import tqdm
from course_utils.baselines.biases import DampedBiases
from course_utils.checks import taste_clusters as check
from course_utils.claims import claim
from course_utils.factors import DotProduct, fit_factors
from course_utils.interactions import EncodedRatings, IdMap, encode
from course_utils.training import batches, budget, seed_everything

plots.use_house_style()

# %%
DATASET = movielens.default_name("ml-latest-small")  # unless the environment variable COURSE_DATASET says otherwise
SEED = 0
TEST_FRACTION = 0.2  # share of all ratings that is held out
USER = 6  # raw id of the viewer whom we follow
N_FACTORS = 20  # length of a vector, as published
PUBLISHED_EPOCHS = budget(full=20, fast=1)  # the published notebook trains for 128
PUBLISHED_BATCH = 128  # ratings a step
N_EPOCHS = budget(full=20, fast=2)  # of our own model
BATCH_SIZE = 1000  # ratings a step
LEARNING_RATE = 5e-3  # of Adam, at the start; falls to zero in a straight line
WEIGHT_DECAY = 1.5  # decoupled, on the factors; 0 to 3
N_CLUSTERS = 10  # as published; section 4 asks whether that is a good number
CLUSTER_COUNTS = (2, 3, 5, 8, 10, 15, 20)  # numbers of clusters that are tried; 2, 3, 8 and 10 among them
N_SEEDS = 6  # seeds of KMeans that are compared, 2 or more
N_DRAWS = 20  # times that clusters are drawn at random, for comparison, 2 or more
DAMPING = 5.0  # so many ratings at the mean are added to every film, 0 or more
TOP_K = 10  # length of a list when lists are measured
LIKED = 4.0  # stars from which a held-out rating counts as a film that was liked
MIN_RATINGS = 50  # films with fewer training ratings are left out of neighbours and map

CHECK_TEXT = DATASET == "ml-latest-small" and N_EPOCHS == 20  # the text states figures of this data set and setting
print(f"Data set {DATASET}, {N_EPOCHS} epochs.")

# %% [markdown]
# ## 1 · Ids go both ways, or the right film gets the wrong name
#
# The data are two tables. `ratings` says who gave which film how many stars, and when; `movies` has a film's title and
# its genres. What joins them is the film's **raw id**.

# %%
ratings, movies = movielens.load(DATASET)
ratings.head(3)

# %%
movies.head(3)

# %%
everything = encode(ratings)
n_users, n_items = everything.n_users, everything.n_items
filled = len(ratings) / (n_users * n_items)
n_once = int((np.bincount(everything.item_ids) == 1).sum())
n_numbers = (n_users + n_items) * N_FACTORS
if CHECK_TEXT:
    claim((n_users, n_items, n_once) == (610, 9724, 3446), "610 people rated 9,724 films, 3,446 of them once")
    claim(abs(filled - 0.017) < 0.0005, "1.7 % of the cells are filled")
    claim(n_numbers == 206_680, "the two tables hold 206,680 numbers")
    claim(ratings["item_id"].max() == 193_609, "the largest film id is 193,609")
print(f"{n_users} users × {n_items:,} films = {n_users * n_items:,} cells, {filled:.1%} of them filled;")
print(f"{n_once:,} films have a single rating; factors need {n_numbers:,} numbers.")


# %% [markdown]
# 610 people and 9,724 films make nearly six million cells, of which 1.7 % are filled, and 3,446 films were rated once.
# A matrix of all cells does not fit anywhere once the catalogue is large (lesson 00). Factorisation keeps a vector of
# 20 numbers for each user and film instead, 206,680 in all, and a cell is worked out when it is asked for, as the dot
# product of its two vectors. Such a vector is called an *embedding*: the place of a user or film in a space where near
# means alike. At the end of this lesson you will see a map of that space.
#
# The tables of vectors have rows 0 to $n - 1$; raw ids have gaps (the largest film id here is 193,609), and on another
# site they are strings. So ids go **both ways** in this lesson: raw to dense before the model, dense to raw after it. A
# slip in either direction raises no error. It only recommends the wrong films.
#
# ### Exercise 1: ids both ways (2 points)
#
# Write the class `TwoWayIds(raw_ids)`. It numbers the *different* ids of a column from 0 to $n - 1$, in any order you
# like, and has three methods:
#
# - `len(ids)`: how many different ids there are;
# - `ids.encode(raw_ids)`: the dense id of each raw id, as an array of whole numbers; $-1$ for an id that was not in the
#   column;
# - `ids.decode(dense_ids)`: the raw id of each dense id, as an array.
#
# *By hand.* `ids = TwoWayIds(["u7", "u2", "u7"])` has length 2. With the ids numbered as they appear,
# `ids.encode(["u2", "u9", "u7"])` is `[1, -1, 0]`, and `ids.decode([1, 0])` is `["u2", "u7"]`.
#
# *Given:* NumPy arrays of whole numbers, or of strings. *Allowed:* Python, NumPy, pandas; not `course_utils`.
#
# <details><summary>Hint</summary>
#
# Keep two things: an array of the different raw ids (its position *is* the dense id), and a dict from raw id to
# position. `dict.get(key, -1)` answers -1 for a key that is not there. pandas' `Index` has `get_indexer`, too.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "d5ce0b8eb952ccaa575c6ee2eeb9e590", "grade": false, "grade_id": "ex-04-1-two-way-ids", "locked": false, "schema_version": 3, "solution": true, "task": false}
class TwoWayIds:
    """Raw ids to dense ids 0 to n - 1, and back.

    raw_ids  (n,) whole numbers or strings, with repeats
    """

    def __init__(self, raw_ids: np.ndarray):
        raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")

    def __len__(self) -> int:
        """How many different ids there are."""
        raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")

    def encode(self, raw_ids: np.ndarray) -> np.ndarray:
        """raw_ids (n,) -> dense ids (n,) int; -1 for an id that was not there."""
        raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")

    def decode(self, dense_ids: np.ndarray) -> np.ndarray:
        """dense_ids (n,) int, each in [0, len(self)) -> raw ids (n,)."""
        raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "b8af56313c10e16a7ffaadfc0a90100d", "grade": true, "grade_id": "check-04-1-two-way-ids", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.two_way_ids(TwoWayIds)


# %% [markdown]
# A `Dataset` is PyTorch's word for "something with a length whose rows can be fetched by number". Its rows here are a
# pair of dense ids (the *features*) and a rating (the *target*).
#
# ### Exercise 2: ratings as a `Dataset` (2 points)
#
# Write the class `RatingsDataset(ratings, users, items)`. `ratings` is a table with the columns `user_id`, `item_id`
# and `rating`, raw ids; `users` and `items` have a method `encode` as in exercise 1. Rows whose user **or** film has no
# dense id are left out; the others stay in their order. The object has
#
# - `features`, a tensor `(n, 2)` of int64: dense user id, dense film id;
# - `targets`, a tensor `(n,)` of float32: the stars;
# - `n_dropped`: how many rows were left out;
# - `len(data)`, which is $n$, and `data[row]`, which gives the pair `(features[row], targets[row])`.
#
# *By hand.* With users 41 → 0, 7 → 1 and films 350 → 0, 12 → 1, the rows (7, 350, 4.0), (63, 12, 5.0), (41, 12, 2.5)
# give features `[[1, 0], [0, 1]]` and targets `[4.0, 2.5]`, and `n_dropped` is 1: user 63 has no number.
#
# <details><summary>Hint</summary>
#
# `users.encode(ratings["user_id"])` is an array in which -1 marks what has no number. `np.column_stack` puts two
# columns side by side; `torch.from_numpy` or `torch.as_tensor` makes a tensor of it, and float64 becomes float32 by
# `dtype=torch.float32`.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "0527770d71cfe391fa7757e8b2323832", "grade": false, "grade_id": "ex-04-2-ratings-dataset", "locked": false, "schema_version": 3, "solution": true, "task": false}
class RatingsDataset(Dataset):
    """Ratings with dense ids, row by row.

    ratings       columns user_id, item_id (raw) and rating (stars)
    users, items  ids both ways: encode gives dense ids, -1 for what has none
    """

    def __init__(self, ratings: pd.DataFrame, users: IdMap, items: IdMap):
        raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")

    def __len__(self) -> int:
        """How many rows there are."""
        raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        """Features (2,) int64 and target () float32 of a row."""
        raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "7fec5c7c2a22a79e1189e43d49d5f774", "grade": true, "grade_id": "check-04-2-ratings-dataset", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.ratings_dataset(RatingsDataset)


# %% [markdown]
# From here on the helper package does this: `encode` numbers users and films over all ratings, and a random fifth of
# the ratings is held out, as in lesson 01. `train` and `test` hold arrays `user_ids`, `item_ids` (dense) and `ratings`,
# and the maps `train.users` and `train.items` with `encode` and `decode`.

# %%
def split(seed: int) -> tuple[EncodedRatings, EncodedRatings]:
    """Training and test ratings, with the same dense ids."""
    parts = splits.random_split(ratings, TEST_FRACTION, rng=np.random.default_rng(seed))
    train, test = (encode(rows, everything.users, everything.items) for rows in parts)
    return train, test


train, test = split(SEED)
features, test_features = (torch.from_numpy(np.column_stack([p.user_ids, p.item_ids])) for p in (train, test))
targets = torch.from_numpy(train.ratings)
print(f"{len(train):,} ratings to train on, {len(test):,} to test with; features {tuple(features.shape)}")


# %% [markdown]
# ## 2 · Whole tensors and larger batches make a training epoch several times cheaper
#
# The published notebook hands its `Dataset` to a `DataLoader`, which fetches row by row: 128 calls of `data[row]`, and
# then 128 rows are stacked into a batch. But all our ratings are in memory as two tensors already. To shuffle them
# once, and to cut them into pieces, is the same thing for a fraction of the work.
#
# ### Exercise 3: batches of whole tensors (2 points)
#
# Write `whole_batches(features, targets, batch_size, generator)`. It returns (or yields) the batches of one epoch,
# pairs `(features of the batch, targets of the batch)`:
#
# - every row occurs exactly once, its features with its target;
# - each batch has `batch_size` rows, only the last may have fewer (it is not dropped);
# - the order of the rows is random, drawn from `generator`: a second call with the same generator gives another order,
#   and generators with the same seed give the same order;
# - no loop over rows, and no `DataLoader`.
#
# *By hand.* For 5 rows, batches of 2 and the random order 3, 0, 4, 1, 2, the batches hold the rows 3 and 0, then 4 and
# 1, then 2.
#
# <details><summary>Hint</summary>
#
# `torch.randperm(n, generator=generator)` is a random order, and a tensor of numbers cuts into pieces by
# `.split(batch_size)`. Index *both* tensors by the same piece.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "517001516eb96ef351df3dbc0c7cf9f4", "grade": false, "grade_id": "ex-04-3-whole-batches", "locked": false, "schema_version": 3, "solution": true, "task": false}
def whole_batches(features: Tensor, targets: Tensor, batch_size: int, generator: torch.Generator):
    """The batches of one epoch, in random order.

    features  (n, 2) int64
    targets   (n,) float32
    returns   pairs of tensors (B, 2) and (B,), B = batch_size but for the last; a list or a generator
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "573d868d2027430d28880026d9e30155", "grade": true, "grade_id": "check-04-3-whole-batches", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.whole_batches(whole_batches)


# %% [markdown]
# How much is it worth? Forty batches of each kind are enough to know. (`batches` of the helper package does what yours
# does; `DotProduct` is the plain factorisation of lesson 01, exercise 4.)

# %%
def seconds_an_epoch(batches_of_epoch, batch_size: int, n: int = 40) -> dict[str, float]:
    """Fetch n batches, then train on them; what a whole epoch would take, in seconds."""
    model = DotProduct(n_users, n_items, N_FACTORS)
    optimizer = torch.optim.Adam(model.parameters())
    share, started = n * batch_size / len(targets), perf_counter()
    fetched = list(islice(batches_of_epoch, n))
    got = perf_counter()
    for batch, wanted in fetched:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(batch), wanted).backward()
        optimizer.step()
    return {"fetching": (got - started) / share, "training": (perf_counter() - got) / share}


# %%
generator = seed_everything(SEED)
rows = {
    f"row by row, {PUBLISHED_BATCH} (published)": seconds_an_epoch(
        iter(DataLoader(TensorDataset(features, targets), PUBLISHED_BATCH, shuffle=True)), PUBLISHED_BATCH
    )
}
for size in (PUBLISHED_BATCH, BATCH_SIZE):
    whole = batches(features, targets, batch_size=size, generator=generator)
    rows[f"whole tensors, {size}"] = seconds_an_epoch(whole, size)
costs = pd.DataFrame(rows).T
costs["128 epochs, minutes"] = costs.sum(axis=1) * 128 / 60
fetching, total = costs["fetching"], costs["128 epochs, minutes"]
if CHECK_TEXT:
    claim(fetching.iloc[0] > 2 * fetching.iloc[1], "fetching row by row costs several times as much")
    claim(total.iloc[0] > 3 * total.iloc[2], "larger batches of whole tensors make the epoch several times cheaper")
costs.round(2)


# %% [markdown]
# **Notice.** Two savings, one after the other. Fetching whole batches takes a fraction of the time that fetching rows
# takes; but fetching is the smaller part of the epoch, so whole tensors alone do not even halve it. The larger part is
# the training step, whose cost hardly depends on the size of the batch here: fewer and larger batches save that. (They
# are not the same training, though: an eighth of the steps. The published notebook speaks of minutes an epoch. On the
# machine that executed this page its loop takes seconds an epoch, and minutes only for all 128.)
#
# ## 3 · On raw stars, the vectors learn who is kind
#
# ### Exercise 4: train, and keep the loss of every epoch (2 points)
#
# Write `fit(model, epoch_batches, n_epochs, learning_rate)`. `model(features)` gives a score `(B,)` for each pair;
# `epoch_batches()` gives the batches of one epoch, pairs `(features, targets)`, in a new order each time it is called.
# Train all parameters of the model with `torch.optim.Adam` at the given learning rate, one step a batch, on the mean
# squared error of the batch. Return a list with the **mean loss of each epoch**: the mean squared error over all *rows*
# of the epoch, from the loss that you compute for the step, before it. Let a progress bar (`tqdm`) run along; it is
# not checked.
#
# *By hand.* An epoch of two batches, one of 3 rows with loss 1.0 and one of 1 row with loss 2.0, has the mean loss $(3
# \cdot 1 + 1 \cdot 2) / 4 = 1.25$.
#
# <details><summary>Hint</summary>
#
# One optimiser for all epochs: Adam remembers. `for epoch in tqdm(range(n_epochs)):` is the progress bar. The four
# lines of a step are those of lesson 01, exercise 5.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "8d55da8d6e1a6707f2c286f0deb34ac5", "grade": false, "grade_id": "ex-04-4-fit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit(model: nn.Module, epoch_batches, n_epochs: int, learning_rate: float) -> list[float]:
    """Train with Adam on mean squared error.

    model          scores features: (B, 2) int64 -> (B,) float
    epoch_batches  function without arguments: batches of one epoch, pairs (features, targets)
    returns        n_epochs numbers, the mean squared error over the rows of each epoch
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "9b338c6ac0d2e39839360387b4c86ea8", "grade": true, "grade_id": "check-04-4-fit", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.fit(fit)


# %% [markdown]
# Now the published recipe, but for the number of epochs: 20 factors, both tables uniform on $[0, 0.05]$, score = dot
# product, targets = stars, batches of 128, Adam at 0.001. (`fit_factors` of the helper package is your `fit` with a few
# settings more. It is used here so that the rest of the page does not hang on exercise 4.) This is the model and all of
# its parameters:

# %%
def held_out_rmse(model: nn.Module, offsets: np.ndarray | float = 0.0) -> float:
    """RMSE on the held-out ratings of the model's scores plus offsets, in stars."""
    with torch.no_grad():
        return evaluation.rmse(test.ratings, offsets + model(test_features).numpy())


generator = seed_everything(SEED)
published = DotProduct(n_users, n_items, N_FACTORS)
print(published)
for name, parameter in published.named_parameters():
    print(f"{name:<22} {tuple(parameter.shape)!s:<12} from {parameter.min():.3f} to {parameter.max():.3f}")

# %%
history = {"test": []}
losses = fit_factors(
    published, features, targets,
    n_epochs=PUBLISHED_EPOCHS, batch_size=PUBLISHED_BATCH, learning_rate=1e-3, generator=generator,
    after_epoch=lambda: history["test"].append(held_out_rmse(published)),
)  # fmt: skip
history["train"] = np.sqrt(losses)
biases = DampedBiases().fit(train.user_ids, train.item_ids, train.ratings, n_users=n_users, n_items=n_items)
dull = {
    "damped biases": evaluation.rmse(test.ratings, biases.predict(test.user_ids, test.item_ids)),
    "global mean": evaluation.rmse(test.ratings, np.full(len(test), train.ratings.mean())),
}
plots.learning_curves(
    {"published recipe": history},
    rivals=dull,
    title="On held-out ratings the published recipe does not reach the global mean",
).set_ylim(0.5, 1.8)
plt.show()

# %%
print("mean loss per epoch:", " ".join(f"{loss:.2f}" for loss in losses))
if CHECK_TEXT:
    claim(abs(min(history["test"]) - 1.07) < 0.01, "the published recipe gets to 1.07 stars at best")
    claim(abs(dull["damped biases"] - 0.866) < 0.005, "damped biases reach 0.866")
    claim(10 <= np.argmin(history["test"]) < 16, "the best epoch comes after a dozen")
    claim(0 < history["test"][-1] - min(history["test"]) < 0.01, "then it rises by less than a hundredth of a star")
    claim(abs(dull["global mean"] - 1.04) < 0.005, "one mean for everything reaches 1.04")


# %% [markdown]
# **Notice.** The training loss falls and falls; the published notebook shows that curve alone. On held-out ratings the
# model gets to 1.07 stars at best, after a dozen epochs, worse than one mean for everything (1.04). From there it does
# not fall any more (it even rises, by less than a hundredth of a star): more epochs do not help. Two lists of biases
# reach 0.866. What can its vectors know about taste?
#
# ### Exercise 5: every user's cluster (2 points)
#
# **KMeans** puts $n$ points into $k$ groups so that the points are close to the mean of their group. Write
# `user_clusters(model, users, n_clusters, seed)`: the clusters of the *users'* vectors as they are, not brought to
# length 1. `model.user_factors` and `model.item_factors` are `nn.Embedding` tables (row = dense id; the table itself is
# `.weight`), `users` is an `IdMap`: `users.raw_ids` is the array of raw ids, in the order of the dense ones. Return a
# dict from **raw** user id to cluster, a whole number from 0 to `n_clusters` $- 1$, for all users. KMeans starts at
# random, from `seed`: a second call with the same seed gives the same dict, and another seed gives another start.
#
# *By hand.* With the users 41 → 0, 7 → 1, 19 → 2, the user vectors (0, 0), (9, 9), (0, 1) and two clusters, the answer
# is `{41: 0, 7: 1, 19: 0}` or `{41: 1, 7: 0, 19: 1}`: which of the two groups is called 0 does not matter.
#
# *Allowed:* scikit-learn; `KMeans` is imported.
#
# <details><summary>Hint</summary>
#
# `.weight.detach().numpy()` is the table as an array. `KMeans(n_clusters, n_init=10,
# random_state=seed).fit_predict(...)` gives one label a row. `zip` joins two columns in the same order.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "8a15ddebbf373c06dbe29013d198ac9f", "grade": false, "grade_id": "ex-04-5-user-clusters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def user_clusters(model: nn.Module, users: IdMap, n_clusters: int, seed: int) -> dict[int, int]:
    """Clusters of the user vectors.

    model    with the tables user_factors and item_factors
    users    ids both ways
    returns  raw user id -> cluster in [0, n_clusters)
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "58879ed7410f7527660085beda653f59", "grade": true, "grade_id": "check-04-5-user-clusters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.user_clusters(user_clusters)

# %%
cluster_of = user_clusters(published, train.users, N_CLUSTERS, SEED)
own = [int(raw) for raw, cluster in cluster_of.items() if cluster == cluster_of[USER]]
print(f"User {USER} is in cluster {cluster_of[USER]}, with {len(own) - 1} others: {own[:8]} ...")


# %% [markdown]
# The published notebook takes these clusters and recommends. Before that, ask what they sort people by. A first
# suspicion: some people give four stars to everything. How much of the variance of the users' mean ratings lies
# *between* clusters? 0 means nothing, 1 means that the cluster tells the mean.

# %%
def clusters_of(vectors: np.ndarray, n_clusters: int = N_CLUSTERS, seed: int = SEED) -> np.ndarray:
    """(n,) the cluster of each row."""
    return KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(vectors)


def explained(labels: np.ndarray, values: np.ndarray) -> float:
    """The share of the variance of the values (n,) that lies between the clusters (correlation ratio)."""
    groups = pd.Series(values).groupby(labels)
    return float((groups.size() * (groups.mean() - values.mean()) ** 2).sum() / ((values - values.mean()) ** 2).sum())


def table(embedding: nn.Embedding) -> np.ndarray:
    return embedding.weight.detach().numpy()


def unit(vectors: np.ndarray) -> np.ndarray:
    """The same directions, with length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


n_rated = np.bincount(train.user_ids, minlength=n_users)
kindness = np.bincount(train.user_ids, weights=train.ratings, minlength=n_users) / n_rated  # mean stars of each user
published_labels = clusters_of(table(published.user_factors))
together = float((unit(table(published.user_factors)) @ unit(table(published.user_factors)).T).mean())
if CHECK_TEXT:
    claim(abs(explained(published_labels, kindness) - 0.77) < 0.05, "the clusters tell 77 % of kindness")
    claim(together > 0.99, "any two vectors point nearly the same way: a mean cosine above 0.99")
print(f"share of the users' mean rating that the clusters tell: {explained(published_labels, kindness):.2f}")
print(f"mean cosine of two user vectors: {together:.3f}")


# %% [markdown]
# More than three quarters. All vectors point nearly the same way (their mean cosine is above 0.99), so what
# distinguishes them is above all their length, and the length says how kind somebody is: these are clusters of
# kindness. Two remedies. Take away what the biases can explain **before** the vectors learn: train the same model on
# $r_{ui} - (\mu + b_u + c_i)$, what damped biases leave over, with decoupled weight decay to hold the vectors back
# (lesson 01). And compare directions, not lengths: a long vector means strong opinions, its direction says which. We
# do both, and then look at what each does alone.

# %%
def taste_model(part: EncodedRatings, seed: int, after_epoch=lambda model: None) -> tuple[DotProduct, DampedBiases]:
    """Biases, and a dot product trained on what they leave over."""
    generator = seed_everything(seed)
    biases = DampedBiases().fit(part.user_ids, part.item_ids, part.ratings, n_users=n_users, n_items=n_items)
    left_over = torch.from_numpy(part.ratings - biases.predict(part.user_ids, part.item_ids))
    model = DotProduct(n_users, n_items, N_FACTORS)
    fit_factors(
        model, torch.from_numpy(np.column_stack([part.user_ids, part.item_ids])), left_over,
        n_epochs=N_EPOCHS, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY, falling=True, generator=generator, after_epoch=lambda: after_epoch(model),
    )  # fmt: skip
    return model, biases


# %%
base = biases.predict(test.user_ids, test.item_ids)
curve = []
model, _ = taste_model(train, SEED, after_epoch=lambda model: curve.append(held_out_rmse(model, base)))
user_vectors, item_vectors = unit(table(model.user_factors)), table(model.item_factors)
labels = clusters_of(user_vectors)
if CHECK_TEXT:
    claim(abs(curve[-1] - 0.850) < 0.005, "with biases taken out the test RMSE is about 0.85")
    claim(len(train) == 80_669, "the model learns from 80,669 ratings")
    claim(abs(explained(labels, kindness) - 0.01) < 0.01, "the new clusters tell 1 % of kindness")
print(f"test RMSE {curve[-1]:.4f} stars; the biases alone {dull['damped biases']:.4f}")
print(f"share of the users' mean rating that the clusters tell: {explained(labels, kindness):.2f}")

# %%
trained = {"trained on stars": table(published.user_factors), "biases taken out": table(model.user_factors)}
told = {
    name: {"lengths kept": explained(clusters_of(vectors), kindness), "length 1": explained(directions, kindness)}
    for name, vectors in trained.items()
    for directions in [clusters_of(unit(vectors))]
}
told = pd.DataFrame(told).T
bare = unit(table(published.user_factors))
bare_silhouette = silhouette_score(bare, clusters_of(bare))
if CHECK_TEXT:
    claim(np.allclose(told, [[0.77, 0.08], [0.05, 0.01]], atol=0.04), "either alone: 0.08 and 0.05 of kindness")
    claim(abs(bare_silhouette) < 0.02, "directions of the published vectors have a silhouette of 0.00")
print(f"published vectors with length 1, ten clusters: silhouette {bare_silhouette:.2f}")
told.round(2)

# %% [markdown]
# Each remedy alone takes away most of the kindness: length 1 leaves 0.08, biases taken out leave 0.05, both together
# 0.01. But length 1 alone is no way to taste: the published vectors have learnt little besides kindness, and their
# directions fall into no groups at all (a silhouette of 0.00, see the next section).

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
for ax, sorting, name in zip(
    axes, (published_labels, labels), ("trained on stars", "biases taken out, length 1"), strict=True
):
    order = pd.Series(kindness).groupby(sorting).median().sort_values().index
    look = {"medianprops": {"color": plots.ORANGE, "linewidth": 2.5}, "flierprops": {"markersize": 3}}
    ax.boxplot([kindness[sorting == cluster] for cluster in order], widths=0.6, **look)
    ax.set_title(f"{name}: {explained(sorting, kindness):.0%} between clusters", fontweight="normal", fontsize=10)
    ax.set(xlabel="cluster, from the strictest to the kindest", xticks=[])
axes[0].set_ylabel("a user's mean rating (stars)")
figure.suptitle(
    "Clusters of vectors that learnt raw stars sort people by kindness", x=0.01, ha="left", fontweight="bold"
)
plt.show()


# %% [markdown]
# **Notice.** A box holds the middle half of a cluster's members, the orange line is their median. (Where a cluster has
# one member only, nothing but that line is left.) On the left the cluster nearly tells how kind somebody is; on the
# right it does not. And the gain that the dot product adds to the biases on held-out ratings is real but small: 0.850
# instead of 0.866 stars. So little taste can be read off 80,669 ratings; keep that in mind for the next question.
#
# ## 4 · Ten clusters? Nothing in the data says so
#
# KMeans returns ten clusters because ten were ordered. Two ways to ask whether they are *there*:
#
# - the **silhouette** (Rousseeuw 1987) compares each point's mean distance to its own cluster with that to the nearest
#   other one: 1 for tight clusters far apart, 0 where they touch;
# - **stability**: KMeans starts at random. Do other seeds find the same groups? The **adjusted Rand index** (Hubert and
#   Arabie 1985) counts the pairs of users on which two clusterings agree (together in both, or apart in both), and
#   corrects for chance: 1 means the same groups, whatever their numbers, 0 no better than chance.
#
# ### Exercise 6: stability over seeds (1 point)
#
# Write `stability(labelings)`: the mean adjusted Rand index over all pairs of *different* labelings in the list.
#
# *By hand.* Three labelings of four users: `[0, 0, 1, 1]`, `[1, 1, 0, 0]`, `[0, 1, 0, 1]`. The first two are the same
# groups under other numbers: 1. Either of them and the third: -0.5, worse than chance. The mean over the three pairs is
# $(1 - 0.5 - 0.5) / 3 = 0$.
#
# *Given:* a list of two or more arrays of whole numbers, all of one length. *Return:* one number. *Allowed:*
# scikit-learn; `adjusted_rand_score` and `combinations` are imported.
#
# <details><summary>Hint</summary>
#
# `combinations(labelings, 2)` gives every pair once.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "49c7bbe91fdf18d4afdaf1e31187e345", "grade": false, "grade_id": "ex-04-6-stability", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stability(labelings: list[np.ndarray]) -> float:
    """Mean adjusted Rand index over all pairs.

    labelings  two or more arrays (n,) int, the cluster of each user
    returns    one number, at most 1
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "e6f96a4cfe3a558cf23a816d0ed59073", "grade": true, "grade_id": "check-04-6-stability", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.stability(stability)


# %% [markdown]
# Ten clusters of our vectors have a silhouette of 0.06. Is that much? The dull rival is **the same vectors with every
# column shuffled on its own, and each row brought back to length 1**: what goes together by taste is torn apart. Real
# clusters have to beat that. Beside them stand the published vectors, trained on stars and with their lengths, whose
# clusters we know to be about kindness.

# %%
def agreement(labelings: list[np.ndarray]) -> float:
    """Mean adjusted Rand index over all pairs, as in exercise 6."""
    rand = [adjusted_rand_score(one, other) for one, other in combinations(labelings, 2)]
    return sum(rand) / len(rand)


def quality(vectors: np.ndarray, n_clusters: int) -> tuple[float, float]:
    """Silhouette of one clustering, and how well those of several seeds agree."""
    runs = [clusters_of(vectors, n_clusters, seed) for seed in range(N_SEEDS)]
    return silhouette_score(vectors, runs[0]), agreement(runs)


# %%
rng = np.random.default_rng(SEED)
shuffled = unit(np.column_stack([rng.permutation(column) for column in user_vectors.T]))
sources = {
    "taste vectors (no biases, length 1)": user_vectors,
    "their columns shuffled, length 1": shuffled,
    "published vectors (kindness)": table(published.user_factors),
}
found = {
    name: np.array([quality(vectors, n) for n in tqdm(CLUSTER_COUNTS, desc=name, leave=False)])
    for name, vectors in sources.items()
}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharex=True)
for number, (ax, what) in enumerate(zip(axes, ("silhouette", "adjusted Rand index over seeds"), strict=True)):
    for (name, values), style in zip(found.items(), ("o-", "s--", "^:"), strict=True):
        ax.plot(CLUSTER_COUNTS, values[:, number], style, label=name)
    ax.set(xlabel="number of clusters", ylabel=what, ylim=(0, (0.4, 1.05)[number]), xticks=CLUSTER_COUNTS)
axes[0].legend()
figure.suptitle(
    "Ten taste clusters are mostly the seed's; clusters of kindness last", x=0.01, ha="left", fontweight="bold"
)
plt.show()

# %%
others = [clusters_of(unit(table(taste_model(train, seed)[0].user_factors))) for seed in (SEED + 1, SEED + 2)]
retrained = agreement([labels, *others])
taste, torn, kind = found.values()
at = {n: taste[CLUSTER_COUNTS.index(n)] for n in (2, 3, 8, 10)}
chance, kind_at_8 = torn[CLUSTER_COUNTS.index(10)], kind[CLUSTER_COUNTS.index(8)]
if CHECK_TEXT:
    claim(at[2][1] > 0.95 and at[3][1] > 0.8, "two and three clusters come back with every seed")
    claim(abs(at[8][1] - 0.43) < 0.08 and abs(at[8][0] - 0.07) < 0.01, "taste at eight clusters: 0.07 and 0.43")
    claim(0.25 < at[10][1] < 0.5, "two runs of KMeans with ten clusters agree to less than a half")
    claim(abs(chance[1] - 0.15) < 0.05, "for shuffled columns that is about 0.15")
    claim((taste > torn).all(), "taste clusters beat shuffled columns at every number, on both counts")
    claim(abs(chance[0] - 0.04) < 0.01, "for shuffled columns the silhouette is 0.04")
    claim(taste[:, 0].max() < 0.15, "no silhouette of taste vectors reaches 0.15")
    claim((kind[:, 0] > taste[:, 0]).all() and (kind[1:, 1] > taste[1:, 1]).all(), "kindness looks better")
    claim(abs(kind_at_8[0] - 0.13) < 0.02 and kind_at_8[1] > 0.8, "kindness at eight: 0.13, and over 0.8")
    claim(abs(retrained - 0.2) < 0.06, "with the model trained again, about 0.2")
    claim(abs(at[10][0] - 0.06) < 0.02, "ten clusters have a silhouette of 0.06")
print(f"ten clusters: silhouette {at[10][0]:.3f} (shuffled {chance[0]:.3f}); seeds agree to {at[10][1]:.2f}")
print(f"(shuffled {chance[1]:.2f}), and with the model trained again, too, to {retrained:.2f}")
print(f"eight clusters: taste {at[8].round(2)}, published vectors {kind_at_8.round(2)}")


# %% [markdown]
# **Notice.** Do real clusters beat the shuffled columns? They do, at every number of clusters and on both counts, but
# not by much: at ten the silhouettes are 0.06 and 0.04. Two clusters come back with every seed, and three nearly so.
# Ten do not: two runs of KMeans on the *same* vectors agree to less than a half (shuffled columns: 0.15), and if the
# model is trained again from another start, to about 0.2. No silhouette of the taste vectors reaches 0.15: there are no
# islands of taste in them, but a cloud that KMeans cuts into pieces. That does not make the pieces useless (a cake has
# no natural slices either). It does mean that "cluster 4" is nobody's true type, and that its profile has to be checked
# before it is told to anybody.
#
# Stable is not the same as *about taste*, though. The published vectors do better on both counts: at eight clusters a
# silhouette of 0.13, and seeds that agree to over 0.8, where the taste clusters have 0.07 and 0.43. Kindness is one
# number a person, and one number is easily cut the same way twice. Silhouette and stability say whether groups are
# there, and never what they are groups *of*.
#
# We go on with ten, as published, and measure what they are good for.
#
# ## 5 · The plain mean puts films with one rating on top
#
# What does a cluster like? The published answer: take the ratings of its members, and average them for each film.
#
# ### Exercise 7: sums and counts of the *others* (2 points)
#
# Write `cluster_sums(train, labels, cluster, user)`. `train.user_ids`, `train.item_ids` and `train.ratings` are arrays
# with one entry a rating, `train.n_items` counts the films, and `labels[u]` is the cluster of dense user $u$. Return
# two arrays with one entry a film: the **sum** and the **number** of the ratings that it got from members of `cluster`,
# *other than* `user`. `user` is a dense id, of anybody (not of a member only), or -1 for nobody. A film without such
# ratings has sum 0 and number 0.
#
# *By hand.* Users 0, 1, 2 have the labels 1, 1, 0. Ratings: user 0 gives film 0 four stars and film 2 five, user 1
# gives film 0 three, user 2 gives film 0 one. For cluster 1 and user 0 only the rating of user 1 counts: sums `[3, 0,
# 0]`, counts `[1, 0, 0]`. For cluster 1 and user -1: sums `[7, 0, 5]`, counts `[2, 0, 1]`.
#
# <details><summary>Hint</summary>
#
# `labels[train.user_ids]` is the cluster of each *rating*. Make a mask of the ratings that count. `np.bincount(ids,
# weights=values, minlength=n)` sums the values of each id; without `weights` it counts them.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "058f20e4292c684b8afbcfe703eb6df7", "grade": false, "grade_id": "ex-04-7-cluster-sums", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cluster_sums(train: EncodedRatings, labels: np.ndarray, cluster: int, user: int) -> tuple[np.ndarray, np.ndarray]:
    """What a cluster's members, without one user, say about each film.

    labels   (n_users,) int, the cluster of each dense user id
    user     dense id of the user whose ratings do not count, or -1
    returns  sums (n_items,) in stars, counts (n_items,)
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "500cb54e99261a2474b7f2e18aac09ef", "grade": true, "grade_id": "check-04-7-cluster-sums", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.cluster_sums(cluster_sums)

# %% [markdown]
# Why the others only? Because a mean that holds the answer looks like a prediction. Take the *training* ratings and
# predict each by the mean of its user's cluster for its film, once with the rating itself inside, once without:

# %%
members = np.eye(N_CLUSTERS)[labels]  # (n_users, N_CLUSTERS), a 1 in the cluster of each user
sums_of = members.T @ train.to_csr()  # (N_CLUSTERS, n_items), stars
counts_of = members.T @ (train.to_csr() > 0)
here = labels[train.user_ids], train.item_ids  # the place of each training rating in these tables
known = counts_of[here] > 1  # somebody else in the cluster has rated the film as well
stars, total, number = train.ratings[known], sums_of[here][known], counts_of[here][known]
with_own = evaluation.rmse(stars, total / number)
without = evaluation.rmse(stars, (total - stars) / (number - 1))
if CHECK_TEXT:
    claim(with_own < 0.8 and without > 1.0, "a mean errs by less than 0.8 stars with itself inside, else by over 1")
print(f"{known.sum():,} ratings: RMSE {with_own:.3f} with the rating itself in the mean, {without:.3f} without")

# %% [markdown]
# With itself inside, a mean errs by less than 0.8 stars; without, by more than 1. The first figure is no prediction:
# the smaller the cluster, the more of each mean is the answer.
#
# Now the list. For the cluster of user 6, the films with the highest plain mean:

# %%
me = int(train.users.encode([USER])[0])
titles = movies.set_index("item_id").loc[train.items.raw_ids, ["title", "genres"]].reset_index(drop=True)
films = titles.assign(mean=sums_of[labels[me]] / np.maximum(counts_of[labels[me]], 1), ratings=counts_of[labels[me]])
top = films.nlargest(100, "mean")
if CHECK_TEXT:
    claim(
        (top["mean"] == 5).all() and (top["ratings"] == 1).mean() > 0.8, "all 100 have five stars, most from one rating"
    )
print(f"of the 100 best, {np.mean(top['ratings'] == 1):.0%} have a single rating")
top.head(5)

# %% [markdown]
# All of the hundred best films have a mean of five stars, most of them from a single rating; the five shown are merely
# the first of those that tie. How much is such a mean worth? The held-out ratings know.

# %%
there = labels[test.user_ids], test.item_ids
cluster_sum, cluster_n = sums_of[there], counts_of[there]
five = (cluster_n == 1) & (cluster_sum == 5)
if CHECK_TEXT:
    claim(abs(test.ratings[five].mean() - 3.7) < 0.1, "held-out ratings of such films are 3.7 on average")
    claim(abs(test.ratings.mean() - 3.5) < 0.02, "those of all films are 3.5")
print(f"{five.sum()} held-out ratings where one member gave five stars: {test.ratings[five].mean():.2f} on average;")
print(f"all held-out ratings: {test.ratings.mean():.2f}")


# %% [markdown]
# Where one other member gave five stars, held-out ratings of the same cluster are 3.7 on average, hardly more than the
# 3.5 of all films. One rating says little; the remedy is lesson 00's: act as if every film had a few ratings more, all
# at the mean $\mu$ of all training ratings. With $\lambda$ of them (`DAMPING`) a film with sum $s_i$ and number $n_i$
# has the **damped mean**
#
# $$\frac{s_i + \lambda \mu}{n_i + \lambda}.$$
#
# ### Exercise 8: damped means (1 point)
#
# Write `damped_means(sums, counts, prior, damping)`, with `prior` for $\mu$ and `damping` for $\lambda$. A film without
# ratings gets the prior, also where the damping is 0. With damping 0 all others get their plain mean.
#
# *By hand.* `sums = [5, 45, 0]`, `counts = [1, 10, 0]`, prior 3.5 and damping 5: (5 + 17.5) / 6 = 3.75, (45 + 17.5) /
# 15 = 4.17, and 3.5. Ten ratings of 4.5 now beat one of 5.
#
# <details><summary>Hint</summary>
#
# Only 0 / 0 needs care: `np.where` chooses between two arrays, and `np.maximum(..., 1)` keeps a divisor away from 0.
# (`np.where` works out both arrays first: a warning of NumPy about a division that is not chosen does no harm.)
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "225a5a8f5e60c99385102493375d7b7d", "grade": false, "grade_id": "ex-04-8-damped-means", "locked": false, "schema_version": 3, "solution": true, "task": false}
def damped_means(sums: np.ndarray, counts: np.ndarray, prior: float, damping: float) -> np.ndarray:
    """Means that are drawn towards the prior, the more the fewer ratings they rest on.

    sums     (n_items,) float, stars
    counts   (n_items,) numbers, 0 or more
    prior    float, stars
    damping  float, 0 or more, in ratings
    returns  (n_items,) float, stars
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "8b96e558d2eb6ac2b4a049b3d3c73eb4", "grade": true, "grade_id": "check-04-8-damped-means", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.damped_means(damped_means)

# %% [markdown]
# Does it help? Both means on the held-out ratings, beside two dull rivals: the film's damped mean over *everybody*,
# without any clusters, and ten clusters of the same sizes with members **drawn at random** (twenty draws). (A film that
# nobody in the cluster has rated gets $\mu$.)

# %%
mu = float(train.ratings.mean())
lots = [np.random.default_rng(seed).permutation(labels) for seed in range(N_DRAWS)]  # the same sizes, by lot
STARS, RATED = train.to_csr(), train.to_csr() > 0


def group_rmse(groups: np.ndarray, damping: float) -> float:
    """RMSE of the group's (damped) mean of the film, on the held-out ratings."""
    members = np.eye(groups.max() + 1)[groups]
    total = (members.T @ STARS)[groups[test.user_ids], test.item_ids] + damping * mu
    number = (members.T @ RATED)[groups[test.user_ids], test.item_ids] + damping
    return evaluation.rmse(test.ratings, np.where(number > 0, total / np.maximum(number, 1e-9), mu))


everybody = np.zeros(n_users, dtype=int)

# %%
dampings = pd.Index((0.0, 1.0, 2.0, DAMPING, 10.0, 20.0), name="damping")
by_lot = np.array([[group_rmse(groups, d) for groups in lots] for d in dampings])
errors = pd.DataFrame(
    {
        "taste clusters": [group_rmse(labels, d) for d in dampings],
        "random clusters, mean": by_lot.mean(axis=1),
        "random clusters, sd": by_lot.std(axis=1, ddof=1),
        "everybody": [group_rmse(everybody, d) for d in dampings],
    },
    index=dampings,
)
if CHECK_TEXT:
    claim(
        np.allclose(errors.loc[[0, DAMPING], "taste clusters"], (1.06, 0.99), atol=0.012), "damping: from 1.06 to 0.99"
    )
    claim(abs(errors.loc[DAMPING, "random clusters, mean"] - 1.006) < 0.004, "random clusters reach 1.006")
    claim(errors.loc[DAMPING, "random clusters, sd"] < 0.004, "draws differ by less than 0.004")
    claim(abs(errors.loc[DAMPING, "everybody"] - 0.96) < 0.01, "the mean over everybody 0.96")
    claim(errors.loc[20, "taste clusters"] > errors["taste clusters"].min() + 0.01, "much damping is too much")
errors.round(3)


# %% [markdown]
# **Notice.** Damping takes the error from 1.06 stars to 0.99; a few ratings are enough, and many are too many. Taste
# clusters beat random ones of the same sizes (1.006, with less than 0.004 from draw to draw), so they do know
# something. But the film's mean over **everybody** is better still, 0.96: a tenth of the users means a tenth of the
# ratings, and what is lost in number is more than what is gained in taste. And damped biases, which also know how kind
# the user is, are far ahead with 0.866. If the aim is to predict stars, ten clusters are the wrong tool. The aim of
# this lesson is a list that a person can read.
#
# ## 6 · A list of films for a group
#
# ### Exercise 9: recommend films for a cluster (4 points)
#
# Write `recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0)`: the films that the other
# members of `cluster` like best, for `user`, a **raw** user id. The user need not belong to that cluster.
#
# - A film's score is the damped mean of exercise 8, of the ratings by members of `cluster` other than `user`; the prior
#   is the mean of all ratings in `train`. Only films with at least one such rating are candidates. ("Other than
#   `user`" is exercise 7's rule. Here it changes nothing, since the user's films are left out anyway; it matters when
#   you predict, as above.)
# - Never a film that `user` has rated in `train`.
# - Return a table (`pd.DataFrame`) with at least the columns `item_id` (raw), `title` and `genres`, best score first,
#   ties in any order: `n` rows, or fewer where there are fewer candidates. Titles and genres stand in `movies`, by raw
#   `item_id`; every film is in there once, in no particular order.
# - A `user` who is not in `train` (no dense id) has rated nothing, so nothing is left out.
# - A cluster without (other) members has no candidates: the answer is a table with these columns and no rows.
#
# Two points for the right films with their raw ids, one for titles and genres, one for unknown users and empty
# clusters.
#
# *By hand.* In the example of exercise 7, for cluster 1 and user 1, the only candidate is film 2: user 0 has rated the
# films 0 and 2, and user 1 has rated film 0. If the raw id of dense film 2 is 858, the table has one row, with 858, its
# title and its genres.
#
# *Given:* `train` as in exercise 7; `train.users.encode([user])[0]` is the dense id of a raw user id, -1 for an unknown
# one, and `train.items.decode(dense_ids)` gives raw film ids. *Allowed:* anything, also your own answers above.
#
# <details><summary>Hint</summary>
#
# Work with dense ids until the films are chosen. `np.flatnonzero(mask)` lists the candidates, `np.argsort(-scores)`
# orders them, and `movies.set_index("item_id").loc[raw_ids]` looks titles up in the order of `raw_ids` (a `merge` with
# `how="left"` does, too). Mind -1 as an index: it is the *last* user.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "5231fee99b4aaa11f0385a905ac3f5cf", "grade": false, "grade_id": "ex-04-9-recommend", "locked": false, "schema_version": 3, "solution": true, "task": false}
def recommend_items_for_cluster(
    cluster: int,
    user: int,
    train: EncodedRatings,
    labels: np.ndarray,
    movies: pd.DataFrame,
    n: int = 5,
    damping: float = 5.0,
) -> pd.DataFrame:
    """The films that a cluster likes best, without those that the user has rated.

    user     raw id, of anybody
    labels   (n_users,) int, the cluster of each dense user id
    movies   columns item_id (raw), title, genres
    returns  table with the columns item_id (raw), title, genres; best first, at most n rows
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "c97a0b99edc604f0859b110a57f94ef8", "grade": true, "grade_id": "check-04-9-recommend", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check.recommend(recommend_items_for_cluster)

# %% [markdown]
# Side by side for user 6: what the published rule recommends (damping 0), and what the damped mean makes of it.

# %%
for damping in (0.0, DAMPING):
    films = recommend_items_for_cluster(labels[me], USER, train, labels, movies, damping=damping)
    print(f"\nFor user {USER}, cluster {labels[me]}, damping {damping:g}:")
    for film in films.itertuples():
        n_ratings = int(counts_of[labels[me], train.items.encode([film.item_id])[0]])
        print(f"  {film.title[:46]:<48}{film.genres[:34]:<36}{n_ratings:>3} rating{'s' * (n_ratings != 1)}")


# %% [markdown]
# **Notice.** The first list is films that one person loved, or two; nobody can say whether the cluster does. The second
# is films that many members know and like. It is also the kind of film that is on every such list: section 10 says what
# that is worth.

# %% [markdown]
# ## 7 · What a cluster likes can be said in words; hold it against random clusters
#
# A list of films can be read; a profile can be read at a glance. Which genres does a cluster like more than its
# members' kindness and the films' quality explain? Take what the biases leave over of each rating,
# $r_{ui} - (\mu + b_u + c_i)$, and average it by genre.
#
# ### Exercise 10: a profile by genre (2 points)
#
# Write `genre_profile(item_ids, values, genres)`. Entry $b$ of `item_ids` and `values` belongs to one rating: the dense
# id of its film, and a number (here: what is left over). `genres[i]` is a text with the genres of film $i$, separated
# by `|`, or the empty text. Return a dict (or a Series) from genre to the **mean of the values of all ratings whose
# film carries that genre**. A film with three genres counts for each of the three. Genres that no rated film carries
# are left out.
#
# *By hand.* `genres = ["Comedy|Drama", "Drama", ""]`, `item_ids = [0, 0, 1, 2]`, `values = [1, 0, -4, 2]`: comedy has
# the values 1 and 0, drama 1, 0 and -4. The answer is `{"Comedy": 0.5, "Drama": -1.0}`.
#
# *Given:* two arrays of one length, at least 1, and a list. *Allowed:* Python, NumPy, pandas.
#
# <details><summary>Hint</summary>
#
# `text.split("|")` makes a list of genres; of the empty text it makes `[""]`, which is no genre. Collect a sum and a
# number for each genre; or make one row a pair of rating and genre (pandas' `explode`), and group.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "d5556b25d6236903ecb602b8185722c5", "grade": false, "grade_id": "ex-04-10-genre-profile", "locked": false, "schema_version": 3, "solution": true, "task": false}
def genre_profile(item_ids: np.ndarray, values: np.ndarray, genres: list[str]) -> dict[str, float]:
    """The mean value of each genre.

    item_ids  (n,) int, dense film id of each rating, with repeats
    values    (n,) float, one a rating
    genres    text of each film, "Action|Comedy" or ""
    returns   genre -> mean value of the ratings whose film carries it
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "4ffa51022652eca88c69a7b8abfec8cc", "grade": true, "grade_id": "check-04-10-genre-profile", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.genre_profile(genre_profile)

# %% [markdown]
# For the figure, the same as products of matrices, for all clusters at once, less the average of all users. The
# clusters were made from the very ratings that the bars show, so a bar proves nothing yet. The diamonds are the same
# means on the **held-out** ratings, which neither biases nor vectors have seen. And they have a dull rival, too: the
# same people stand in both parts, so **random** clusters, the same sizes with members drawn by lot, will agree with
# themselves as well. How well?

# %%
CARRIES = titles["genres"].str.get_dummies("|")  # (n_items, n_genres), 1 where the film carries the genre
names = CARRIES.sum().index[np.argsort(-(train.to_csr() > 0).sum(axis=0) @ CARRIES.to_numpy())][:12]


def profiles(part: EncodedRatings, groups: np.ndarray) -> pd.DataFrame:
    """Mean of what biases leave over, by group (row) and genre, less the average of all users; in stars."""
    left_over = part.ratings - biases.predict(part.user_ids, part.item_ids)
    carried = CARRIES[names].to_numpy()[part.item_ids]  # (n, 12)
    sums = pd.DataFrame(carried * left_over[:, None], columns=names).groupby(groups[part.user_ids]).sum()
    numbers = pd.DataFrame(carried, columns=names).groupby(groups[part.user_ids]).sum()
    return sums / numbers - sums.sum() / numbers.sum()


def profile_figures(groups: np.ndarray) -> dict[str, float]:
    """How far the profiles of both parts go together, and how large those of the training part are."""
    learnt, held_out = profiles(train, groups), profiles(test, groups)
    strength = np.sqrt((learnt**2).mean(axis=1))  # of each cluster, over its genres, in stars
    holds = np.corrcoef(learnt.to_numpy().ravel(), held_out.to_numpy().ravel())[0, 1]
    return {"correlation": holds, "mean strength": strength.mean(), "strongest": strength.max()}


# %%
by_taste, by_lot = profile_figures(labels), pd.DataFrame([profile_figures(groups) for groups in lots])
compared = pd.DataFrame(
    {
        "taste clusters": by_taste,
        "random clusters, mean": by_lot.mean(),
        "sd": by_lot.std(),
        "least": by_lot.min(),
        "most": by_lot.max(),
    }
)
if CHECK_TEXT:
    claim(abs(by_taste["correlation"] - 0.79) < 0.05, "over all clusters and genres, the correlation is 0.79")
    claim(abs(by_lot["correlation"].mean() - 0.5) < 0.08, "random clusters reach a correlation of about 0.5")
    claim(0.6 < by_lot["correlation"].max() < by_taste["correlation"], "the best draw comes near, but not up to it")
    claim(abs(by_taste["mean strength"] / by_lot["mean strength"].mean() - 2) < 0.3, "profiles are twice as strong")
    claim(abs(by_taste["strongest"] - 0.13) < 0.02, "the strongest profile deviates by about an eighth of a star")
    claim(
        by_taste["mean strength"] > by_lot["mean strength"].max(),
        "groups by taste are stronger than in any draw by lot",
    )
compared.round(3)

# %%
learnt, held_out = profiles(train, labels), profiles(test, labels)
strong = (learnt**2).mean(axis=1).sort_values(ascending=False).index[:3]
figure, axes = plt.subplots(1, 3, figsize=(9.5, 4.2), sharey=True, sharex=True)
for ax, cluster in zip(axes, strong, strict=True):
    bars = learnt.loc[cluster, names[::-1]]
    ax.barh(bars.index, bars, color=[plots.SKY if value > 0 else plots.YELLOW for value in bars], height=0.7)
    ax.plot(held_out.loc[cluster, bars.index], bars.index, "D", color=plots.INK, markersize=4.5, linewidth=0)
    ax.axvline(0, color=plots.INK, linewidth=0.8)
    ax.set_title(f"cluster {cluster}: {(labels == cluster).sum()} users", fontweight="normal", fontsize=10)
axes[1].set_xlabel("what biases leave over, less the average of all users (stars)")
marks = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in (plots.SKY, plots.YELLOW)] + axes[0].lines[:1]
meaning = ["training ratings: liked more than by others", "training ratings: liked less", "held-out ratings"]
figure.legend(marks, meaning, loc="outside lower center", ncols=3)
figure.suptitle("The strongest profiles show on held-out ratings, too", x=0.01, ha="left", fontweight="bold")
plt.show()
if CHECK_TEXT:
    signs = np.sign([part.loc[strong[0], ["Action", "Adventure", "Horror"]] for part in (learnt, held_out)])
    claim(
        (signs == [1, 1, -1]).all(), "the strongest cluster likes action and adventure more, horror less, in both parts"
    )


# %% [markdown]
# **Notice.** Over all clusters and genres the profiles on training and on held-out ratings have a correlation of 0.79.
# That alone proves little: random clusters reach about 0.5, because a group of the same people likes in one part what
# it likes in the other, whoever they are. What the clusters add is the difference: their profiles are twice as strong
# as those of random groups, in the mean, and agree better with the held-out ratings than any of twenty draws (the best
# comes near). So what a cluster likes is more than an accident, and you can say it to a person: "people like you rate
# action and adventure higher than others do, and horror lower". The size is small, though; the strongest profile
# deviates by about an eighth of a star, taken over its genres.
#
# ## 8 · Neighbours of a film
#
# Clusters group users; the same space holds films. Two films are alike if their vectors point the same way, which the
# **cosine** measures: $\cos(q_i, q_j) = q_i \cdot q_j \,/\, (\lVert q_i \rVert \, \lVert q_j \rVert)$, from -1 to 1. (A
# plain dot product would favour long vectors, and Euclidean distance short ones.)
#
# ### Exercise 11: nearest films (2 points)
#
# Write `nearest_films(item_vectors, item_id, n)`: the dense ids of the `n` films whose vectors have the largest cosine
# with that of film `item_id`, the most alike first. The film itself is not among them.
#
# *By hand.* Vectors (1, 0), (10, 10), (3, 0.3), (-1, 0); the two nearest of film 0: film 2 with cosine 0.995, then film
# 1 with 0.707. (Film 1 has the larger dot product with film 0.)
#
# *Given:* an array `(n_items, D)` without zero vectors, a dense id, and a whole number below `n_items`. *Return:* an
# array or list of `n` whole numbers. *Allowed:* NumPy, scikit-learn.
#
# <details><summary>Hint</summary>
#
# Divide each row by its length (`np.linalg.norm(..., axis=1, keepdims=True)`); then one product of a matrix and a
# vector gives all cosines. Set the film's own to -2, and `np.argsort` the negative.
# </details>

# %% deletable=false nbgrader={"cell_type": "code", "checksum": "2cc77c5707c59bbde288cfb05a6161aa", "grade": false, "grade_id": "ex-04-11-nearest-films", "locked": false, "schema_version": 3, "solution": true, "task": false}
def nearest_films(item_vectors: np.ndarray, item_id: int, n: int) -> np.ndarray:
    """The films most alike, by cosine.

    item_vectors  (n_items, D) float
    item_id       dense id of a film
    returns       (n,) int, dense ids, the most alike first, without the film itself
    """
    raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")


# %% deletable=false editable=false nbgrader={"cell_type": "code", "checksum": "b0c41fb2603064783ca03fed86cf09bf", "grade": true, "grade_id": "check-04-11-nearest-films", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.nearest_films(nearest_films)

# %% [markdown]
# The vectors of rarely rated films rest on nothing, so we look among films with at least 50 training ratings
# (`MIN_RATINGS`).

# %%
n_ratings = np.bincount(train.item_ids, minlength=n_items)
known = np.flatnonzero(n_ratings >= MIN_RATINGS)  # dense ids of films that can be placed
known_titles, places = titles["title"].to_numpy()[known], unit(item_vectors[known])
wanted = ("Lord of the Rings: The Fellowship of the Ring, The", "Pulp Fiction", "Star Wars: Episode IV - A New Hope")
most_rated = known_titles[np.argsort(-n_ratings[known])]
looked_up = [title for title in (*wanted, "Toy Story", *most_rated) if title in set(known_titles)][:4]
neighbours = {}
for title in looked_up:
    film = int(np.flatnonzero(known_titles == title)[0])
    near = nearest_films(places, film, 4)
    neighbours[title] = [f"{known_titles[other]} ({places[other] @ places[film]:.2f})" for other in near]
pd.DataFrame(neighbours, index=["nearest", "second", "third", "fourth"]).T

# %% [markdown]
# No genre and no title went into the vectors, only stars. How good are the neighbours over all films, beside a dull
# rival? The share of genres that two films have in common (of all that either has), for the ten nearest and for any two
# films:

# %%
carried = CARRIES.to_numpy()[known]
common = carried @ carried.T
shared = common / np.maximum(carried.sum(axis=1)[:, None] + carried.sum(axis=1) - common, 1)
cosines = places @ places.T - 3 * np.eye(len(known))
ten = np.argsort(-cosines, axis=1)[:, :10]
near_share = np.take_along_axis(shared, ten, axis=1).mean()
any_share = shared[~np.eye(len(known), dtype=bool)].mean()
if CHECK_TEXT:
    claim(near_share > 1.4 * any_share, "neighbours share clearly more genres than any two films")
print(f"{len(known)} films: the ten nearest share {near_share:.0%} of their genres, any two films {any_share:.0%}")

# %% [markdown]
# ## 9 · A map keeps the neighbours, not the distances
#
# Twenty dimensions do not fit on paper. **PCA** keeps the two directions in which the films differ most, and forgets
# the other eighteen. **t-SNE** (van der Maaten and Hinton 2008) places the films so that those which are close in all
# twenty stay close, and gives up on far distances. Which is better for finding neighbours? *Trustworthiness* (Venna and
# Kaski 2001) asks whether neighbours on the map are true ones: 1 if all are, about 0.5 if the map is random.

# %%
flat = {
    "PCA": PCA(2).fit_transform(places),
    "t-SNE": TSNE(2, metric="cosine", perplexity=20, init="pca", random_state=SEED).fit_transform(places),
    "random": np.random.default_rng(SEED).normal(size=(len(known), 2)),
}
trust = pd.Series({name: trustworthiness(places, xy, n_neighbors=10, metric="cosine") for name, xy in flat.items()})
if CHECK_TEXT:
    claim(abs(trust["PCA"] - 0.78) < 0.03, "the two directions of PCA reach 0.78")
    claim(abs(trust["t-SNE"] - 0.91) < 0.02, "t-SNE reaches 0.91")
trust.round(2).to_frame("trustworthiness")

# %% [markdown]
# t-SNE reaches 0.91, the two directions of PCA 0.78, so the map is t-SNE's. Its axes have no unit and no meaning, and
# how far apart two far-off groups lie means nothing either: read it for who stands beside whom. Each film has the
# colour and the marker of the first group in the legend that one of its genres belongs to; names stand at the most
# rated films, as far as there is room.

# %%
GROUPS = {
    "for children": "Animation Children Children's",
    "science fiction, fantasy, horror": "Sci-Fi Fantasy Horror",
    "crime, thriller, mystery": "Crime Thriller Mystery Film-Noir",
    "action, adventure, war": "Action Adventure War Western",
    "comedy, romance": "Comedy Romance Musical",
    "drama and all others": "",
}


def group_of(genres: str) -> str:
    """The first group that one of the film's genres belongs to."""
    own = set(genres.split("|"))
    return next((name for name, members in GROUPS.items() if own & set(members.split())), list(GROUPS)[-1])


groups = [group_of(genres) for genres in titles["genres"].to_numpy()[known]]
short = [title.partition(" (")[0] for title in known_titles]  # without other titles in brackets
short = [f"The {title[:-5]}" if title.endswith(", The") else title for title in short]
short = [title.rpartition(": ")[2] if len(title) > 28 else title for title in short]
importance = np.argsort(-n_ratings[known])[:60]
plots.labelled_map(
    flat["t-SNE"], groups, {int(film): short[film] for film in importance},
    order=list(GROUPS), title="Films that the same people like stand together, whatever their genre",
)  # fmt: skip
plt.show()

# %%
SEQUELS = {
    "Lord of the Rings: The Fellowship of the Ring, The": "Lord of the Rings: The Two Towers, The",
    "Star Wars: Episode IV - A New Hope": "Star Wars: Episode V - The Empire Strikes Back",
    "Kill Bill: Vol. 1": "Kill Bill: Vol. 2",
    "Matrix, The": "Matrix Reloaded, The",
}
place = {title: xy for title, xy in zip(known_titles, flat["t-SNE"], strict=True)}
between = []
for first, sequel in SEQUELS.items():
    if first in place and sequel in place:
        far = np.linalg.norm(flat["t-SNE"] - place[first], axis=1)
        nearer = int((far < np.linalg.norm(place[sequel] - place[first])).sum()) - 1  # the film itself is not counted
        between.append((first, sequel, nearer))
between = pd.DataFrame(between, columns=["film", "sequel", "films that stand nearer"])
if CHECK_TEXT:
    near = between["films that stand nearer"].tolist()
    claim(max(near[:3]) < 10 and near[3] > 50, "three sequels stand beside the first film, the second Matrix does not")
between

# %% [markdown]
# **Notice.** Colours mix: genres explain a part of taste and not all of it (the share above said so). But many sequels
# stand beside each other (the parts of *The Lord of the Rings*, *Kill Bill* and the first *Star Wars* films; not *The
# Matrix*, whose sequel stands elsewhere), and so do films that you would have put on one shelf without being able to
# name it.
#
# ## 10 · What the lists are worth
#
# Now all of it in one table. Every user gets ten films that they have not rated in training, from each of
#
# - **popularity**: the films with the most ratings; and **everybody's damped mean**, one list for all;
# - **taste clusters**: by plain mean, by damped mean, and by the number of the cluster's ratings;
# - **random clusters**, by damped mean: the same sizes, members drawn by lot (the mean of twenty draws);
# - **personal**: biases plus dot product, each user their own.
#
# *Hit rate*: the share of users with at least one film among the ten that they rated 4 stars or more in the held-out
# part (with the 95 % interval over users). *Coverage*: the share of all films that occur in somebody's list. *Novelty*:
# how surprising a listed film is, in bits; 1 bit for a film that half of all users rated in training, 2 for a quarter,
# and so on.

# %%
RATED_BY = train.to_csr().toarray() > 0  # (n_users, n_items)
popularity = (RATED_BY.sum(axis=0) + 1) / (n_users + 1)  # one user more, so that no film has popularity 0
liked = np.zeros((n_users, n_items + 1), dtype=bool)  # the last column stands for an empty place in a list
liked[test.user_ids, test.item_ids] = test.ratings >= LIKED
asked = np.flatnonzero(liked.any(axis=1))  # users for whom there is something to find


def by_mean(groups: np.ndarray, damping: float) -> np.ndarray:
    """(n_users, n_items) damped mean of each user's group; -inf where nobody in the group has rated the film."""
    members = np.eye(groups.max() + 1)[groups]
    total, number = members.T @ STARS, members.T @ RATED
    scores = (total + damping * mu) / np.maximum(number + damping, 1e-9)
    return np.where(number > 0, scores, -np.inf)[groups]


def measure(scores: np.ndarray) -> tuple[np.ndarray, dict]:
    """Who got a hit, and the figures of the table."""
    lists = evaluation.top_items(scores, TOP_K, seen=RATED_BY | np.isneginf(scores))
    hits = liked[np.arange(n_users)[:, None], lists].any(axis=1)[asked].astype(float)
    rate = evaluation.bootstrap_interval(hits, asked, np.random.default_rng(SEED), n_resamples=2000)
    novelty = evaluation.novelty(lists, popularity).mean()
    row = {"hit rate": rate.mean, "from": rate.low, "to": rate.high}
    return hits, {**row, "coverage (%)": 100 * evaluation.coverage(lists, n_items), "novelty (bits)": novelty}


# %%
personal = mu + biases.user_biases_[:, None] + biases.item_biases_ + table(model.user_factors) @ item_vectors.T
recommenders = {
    "popularity": np.tile(popularity, (n_users, 1)),
    "everybody, damped mean": by_mean(everybody, DAMPING),
    "taste clusters, plain mean": by_mean(labels, 0.0),
    "taste clusters, damped mean": by_mean(labels, DAMPING),
    "taste clusters, most rated": (np.eye(N_CLUSTERS)[labels].T @ RATED)[labels],
    "personal": personal,
}
hits, rows = {}, {}
for name, scores in tqdm(recommenders.items(), desc="recommenders", leave=False):
    hits[name], rows[name] = measure(scores)
draws = [measure(by_mean(groups, DAMPING)) for groups in tqdm(lots, desc="random clusters", leave=False)]
lot = "random clusters, damped mean"
hits[lot], rows[lot] = np.mean([hit for hit, _ in draws], axis=0), pd.DataFrame([row for _, row in draws]).mean()
luck = np.std([hit.mean() for hit, _ in draws], ddof=1)
final = pd.DataFrame(rows).T
final.round({"hit rate": 3, "from": 3, "to": 3, "coverage (%)": 1, "novelty (bits)": 1})

# %%
ours = "taste clusters, damped mean"
pairs = [(ours, name) for name in ("taste clusters, plain mean", "everybody, damped mean", lot, "personal")]
pairs += [("popularity", ours), ("popularity", "taste clusters, most rated")]
difference = {}
for one, other in pairs:
    d = evaluation.paired_difference(hits[one], hits[other], asked, np.random.default_rng(SEED), n_resamples=2000)
    difference[one, other] = d
    print(f"{one:<28} less {other:<29} {d.mean:+.3f}, 95 % interval {d.low:+.3f} to {d.high:+.3f}")
print(f"hit rates of single draws of random clusters differ by a standard deviation of {luck:.3f}")

# %%
if CHECK_TEXT:
    rates, coverage = final["hit rate"], final["coverage (%)"]
    claim(rates["taste clusters, plain mean"] < 0.1, "by plain mean fewer than one user in ten finds anything")
    claim(abs(difference[ours, "everybody, damped mean"].mean - 0.15) < 0.03, "0.15 more than everybody's mean")
    claim(
        abs(difference[ours, lot].mean - 0.02) < 0.01 and difference[ours, lot].low < 0,
        "0.02 more than random clusters",
    )
    claim(
        difference["popularity", "taste clusters, most rated"].low < 0,
        "the most rated of the cluster tie with popularity",
    )
    claim(
        abs(rates["popularity"] - 0.57) < 0.01 and rates.idxmax() == "popularity", "popularity has the highest hit rate"
    )
    claim(
        abs(coverage["popularity"] - 0.5) < 0.1 and coverage[[ours, lot, "personal"]].min() > 1.3,
        "three times the coverage",
    )
    claim(final["novelty (bits)"].idxmax() == "taste clusters, plain mean", "plain means have the highest novelty")
final["hit rate"].sort_values(ascending=False).round(3).to_frame()

# %% [markdown]
# **Notice.**
#
# - **Plain mean.** Nearly useless: fewer than one user in ten finds anything. Films with one enthusiastic rating are
#   surprising indeed (their novelty is the highest), and so is a list drawn by lot.
# - **Clusters against everybody's mean.** The damped mean within clusters finds something for many more users than one
#   list of best means for all (+0.15). But that is not taste: random clusters do nearly as well, because a small
#   group's damped mean prefers films with many ratings. What taste adds is 0.02, and the interval holds 0. (On the
#   error in stars, in section 5, the difference was small but clear. With more people in each cluster the answer may be
#   another one: run the notebook on `ml-100k`, and see for yourself.)
# - **Popularity** has the highest hit rate, about 0.57, and the cluster's own most rated films tie with it. The
#   held-out films are films that people chose to watch, and people watch what is popular; a hit rate rewards that.
# - **Coverage and novelty** say the other half: popularity shows one film in two hundred to anybody, cluster and
#   personal lists three times as many. (So do random clusters: ten lists show more films than one.) The personal list,
#   which predicts stars best, has the lower hit rate: predicting how a film will be liked is another task than
#   predicting what will be watched (lesson 02 takes it up).
#
# ## 11 · Explain it to a colleague
#
# ### Question 12 (3 points, marked by hand)
#
# A colleague wants to print "You are an *Adventurer*" on every user's page. She ran KMeans with eight clusters on the
# user vectors of a factor model that was trained on raw stars, lengths and all, like the published one of section 3.
# She shows you three things: a silhouette of 0.13; other seeds of KMeans, which agree with an adjusted Rand index of
# 0.93; and for each cluster the five films with the highest mean rating, "which make sense". In about 200 words:
#
# - Which figures of section 3, and which curves of the figure in section 4, make you doubt that her clusters are about
#   taste, although they look better than ours? What would you expect of eight clusters of taste?
# - What is wrong with her lists of films (sections 5 and 6)?
# - Which two measurements would convince you that telling people a type is justified, and beside which dull rival?

# %% [markdown] deletable=false nbgrader={"cell_type": "markdown", "checksum": "48d34dab04ee018b518c8a3dca8afc4e", "grade": true, "grade_id": "answer-04-12-types", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# *Replace this line with your answer.*

# %% [markdown]
# ## What to take along
#
# - Ids go both ways; a wrong turn raises no error, it only recommends the wrong film.
# - A clustering always succeeds. Ask whether it comes back with another seed, and what it sorts by (here: kindness,
#   until the biases were taken out). The one does not answer the other: kindness came back with every seed.
# - A mean of few ratings is no evidence. Damp it, leave out the ratings of the person you predict for, and measure on
#   held-out ratings.
# - A profile that shows again on held-out ratings needs a rival, too: random groups reached a correlation of 0.5, taste
#   clusters 0.79, with profiles twice as strong.
# - One table, several measures, dull rivals: popularity wins hits and loses coverage. Random clusters are the rival
#   that tells what taste adds.

# %% [markdown]
# ## Where you stand
#
# `check.progress()` reads the notebooks that lie beside this one, and shows your points and your place on each ladder,
# over all lessons, and what to do next. You can call it at any time, in any lesson, once its
# cell of imports has run.

# %%
check.progress()
