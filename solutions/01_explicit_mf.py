# %% [markdown]
# # 01 · Explicit matrix factorisation
#
# **The question.** A viewer gave stars to twenty films. How many stars will they give the next one, and how sure can
# we be that a model's answer is any good?
#
# **Afterwards you can**
#
# - write matrix factorisation, its version with biases, and a small neural rival as PyTorch modules, with a training
#   loop that measures what matters;
# - tell from a learning curve whether a model starts badly, learns too little, or learns its training set by heart;
# - hold your model against published ones on ratings that it has not seen.
#
# **You need** lesson 00 (dense ids, splits, RMSE, biases) and the basics of PyTorch: tensors, `nn.Module`, an
# optimiser's `step`.
#
# **Time** about 2 minutes of computing on a laptop without a GPU, restart-and-run-all; an evening of thinking.
#
# **Data** MovieLens 100K (GroupLens, University of Minnesota): free for research, not to be redistributed, please
# cite Harper and Konstan (2015). Without it, set the environment variable `COURSE_DATASET=synthetic` for a made-up
# world of the same shape.
#
# **Sources** Koren, Bell and Volinsky, *Matrix factorization techniques for recommender systems* (Computer 42:8,
# 2009), equations 2 to 5; Kula, *Spotlight* (2017), the baseline; Loshchilov and Hutter, *Decoupled weight decay
# regularization* (ICLR 2019); Kingma and Ba, *Adam* (ICLR 2015).
#
# Each exercise is one cell to fill in, with a check below it. A check needs only its own exercise, unless your answer
# calls an earlier one of yours. The demonstrations in between do use your answers: exercises 4 to 8 carry the lesson,
# while 1, 2, 3 and 9 can wait if they resist.

# %%
from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from course_utils import movielens, plots, splits
from course_utils.bars import tqdm
from course_utils.baselines import recorded
from course_utils.baselines.biases import DampedBiases
from course_utils.baselines.means import GlobalMean
from course_utils.checks import explicit_mf as check
from course_utils.claims import claim
from course_utils.evaluation import rmse
from course_utils.interactions import encode
from course_utils.spotlight.evaluation import rmse_score
from course_utils.spotlight.factorization.explicit import ExplicitFactorizationModel
from course_utils.spotlight.interactions import Interactions
from course_utils.training import RatingTensors, batches, budget, seed_everything

plots.use_house_style()

# %%
DATASET = movielens.default_name()  # "ml-100k", unless the environment variable COURSE_DATASET says otherwise
SEED = 0
TEST_FRACTION = 0.2  # share of all ratings that is held out
N_FACTORS = 64  # length of a user's and an item's vector; try 8 to 128
N_EPOCHS = budget(full=25, fast=2)  # passes over the training ratings
BATCH_SIZE = 1000  # ratings a step
LEARNING_RATE = 5e-3  # of Adam, at the start; falls to zero in a straight line
WEIGHT_DECAY = 1.5  # decoupled, on the factors; 0 to 3
INIT_STD = 0.05  # of the factors at the start
N_HIDDEN = 10  # width of the neural rival's hidden layer
DROPOUT = 0.1  # share of entries that the neural rival drops in training

generator = seed_everything(SEED)
CHECK_TEXT = DATASET == "ml-100k" and N_EPOCHS == 25  # the prose below states figures of this data set and setting
results: dict[str, float] = {}  # name of a model to its test RMSE in stars, filled as we go
print(f"Data set {DATASET}, {N_EPOCHS} epochs.")
if N_EPOCHS < 25:
    print("A short run: titles and notices below describe 25 epochs.")

# %% [markdown]
# ## A random fifth of the ratings is held out
#
# The homework that this lesson grew out of splits at random, and so do most published RMSEs. That answers "how well
# does a model fill gaps in the matrix", not "how well does it predict tomorrow" (lesson 00). We keep to it here so
# that our figures can stand beside the published ones. Ids are encoded over *all* ratings, as in the homework: a few
# films occur in the test part only, and a model has to answer for them too.

# %%
ratings, movies = movielens.load(DATASET)
everything = encode(ratings)
n_users, n_items = everything.n_users, everything.n_items
train_rows, test_rows = splits.random_split(ratings, TEST_FRACTION, rng=np.random.default_rng(SEED))
train_part, test_part = (encode(rows, everything.users, everything.items) for rows in (train_rows, test_rows))


def to_tensors(part) -> RatingTensors:
    return RatingTensors(*(torch.from_numpy(column) for column in (part.user_ids, part.item_ids, part.ratings)))


train, test = to_tensors(train_part), to_tensors(test_part)
unseen = np.setdiff1d(test_part.item_ids, train_part.item_ids)
print(f"{n_users} users, {n_items} items, {len(train_part):,} ratings to train on and {len(test_part):,} to test with;")
print(f"{len(unseen)} films occur in the test part only.")

# %% [markdown]
# `train` and `test` are triples of tensors: `train.user_ids` and `train.item_ids`, both `(n,)` int64, and
# `train.ratings`, `(n,)` float32, in stars from 1 to 5.
#
# ## Spotlight, three epochs: the figure to reproduce
#
# Spotlight's explicit model scores a pair by $s_{ui} = p_u \cdot q_i + b_u + c_i$: a dot product of two learnt
# vectors of 32 numbers, plus two learnt biases. The homework trains it for three epochs. `course_utils.spotlight` is
# our own implementation under Spotlight's names, with its numerics. (As Spotlight does, it counts epochs from 0 and
# prints the mean squared error of the training batches.)

# %%
spotlight_train, spotlight_test = (
    Interactions(part.user_ids, part.item_ids, ratings=part.ratings, num_users=n_users, num_items=n_items)
    for part in (train_part, test_part)
)
spotlight = ExplicitFactorizationModel(n_iter=3, random_state=np.random.RandomState(SEED))
spotlight.fit(spotlight_train, verbose=True)
spotlight_rmse = rmse_score(spotlight, spotlight_test)
print(f"Spotlight's own rmse_score on the test part: {spotlight_rmse:.4f} stars")

# %% [markdown]
# A number that comes out of somebody else's function is a number to reproduce before you quote it. The **root mean
# squared error** is
#
# $$\text{RMSE} = \sqrt{\frac{1}{n} \sum_{(u, i)} (\hat r_{ui} - r_{ui})^2}.$$
#
# ### Exercise 1: RMSE by hand (1 point)
#
# Write `rmse_by_hand(model, user_ids, item_ids, ratings)`. The model has a method
# `model.predict(user_ids, item_ids)`, which returns one prediction a pair, `(n,)` float. The ids and ratings are
# NumPy arrays. Return one number.
#
# *By hand:* predictions 3, 4, 5 for ratings 3, 2, 4 have the errors 0, 2, 1, so the RMSE is
# $\sqrt{(0 + 4 + 1) / 3} = 1.291$.
#
# <details><summary>Hint</summary>
#
# `np.mean` of the squared errors, then `np.sqrt`. Do not call `rmse` or `rmse_score`: the point is to know what is
# inside.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-1-rmse", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rmse_by_hand(model, user_ids: np.ndarray, item_ids: np.ndarray, ratings: np.ndarray) -> float:
    """Root mean squared error of a fitted model.

    user_ids, item_ids  (n,) int64
    ratings             (n,) float32, stars
    returns             one number, in stars
    """
    ### BEGIN SOLUTION
    errors = model.predict(user_ids, item_ids) - ratings
    return float(np.sqrt(np.mean(errors**2)))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-1-rmse", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.rmse_by_hand(rmse_by_hand)

# %% [markdown]
# Now put it beside the dull rivals of lesson 00.

# %%
results["Spotlight, 3 epochs"] = spotlight_rmse
for name, rival in {"global mean": GlobalMean(), "damped biases": DampedBiases()}.items():
    rival.fit(train_part.user_ids, train_part.item_ids, train_part.ratings, n_users=n_users, n_items=n_items)
    results[name] = rmse(test_part.ratings, rival.predict(test_part.user_ids, test_part.item_ids))
if CHECK_TEXT:
    claim(abs(spotlight_rmse - 0.99) < 0.02, "three epochs of Spotlight give an RMSE of about 0.99")
    claim(abs(results["damped biases"] - 0.94) < 0.02, "the biases give about 0.94")
pd.Series(results, name="test RMSE").round(4).to_frame()

# %%
by_hand = rmse_by_hand(spotlight, test_part.user_ids, test_part.item_ids, test_part.ratings)
claim(np.isclose(by_hand, spotlight_rmse, atol=1e-4), "your RMSE is Spotlight's")
print(f"by hand {by_hand:.4f}, by Spotlight's function {spotlight_rmse:.4f}")

# %% [markdown]
# **Notice.** Your number is Spotlight's number, about 0.99 stars. But the two biases alone, without any vectors, come
# to about 0.94: three epochs of Spotlight lose to a model without taste. So the homework's target is not a high bar.
# By the end of this lesson you will pass both.
#
# ## An embedding is a table, and looking up is indexing
#
# The vectors of all users form a table with one row a user; an *embedding layer* is that table plus a lookup. Nothing
# else happens inside.

# %%
table = torch.arange(30, dtype=torch.float32).reshape(10, 3) / 10  # 10 rows, vectors of 3 numbers
layer = nn.Embedding.from_pretrained(table)
ids = torch.tensor([7, 0, 7])
layer(ids)

# %% [markdown]
# Row 7, row 0, row 7 again. That is all an `nn.Embedding` does in its forward pass; what it adds is that gradients
# flow back into just the rows that were looked up.
#
# ### Exercise 2: a lookup without `nn.Embedding` (1 point)
#
# Write `embedding_lookup(table, ids)`: row `ids[b]` of the table for every `b`, in the order of `ids`, repeats
# included. Use tensor indexing, or a product with a one-hot matrix (good to understand it, but a whole table of work
# for each batch), or any other way but `nn.Embedding`.
#
# *By hand:* with the table `[[1, 2], [3, 4], [5, 6]]`, the ids `[2, 0, 2]` give `[[5, 6], [1, 2], [5, 6]]`.
#
# <details><summary>Hint</summary>
#
# A tensor can be indexed by a tensor of whole numbers: `x[ids]` picks along the first dimension.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-2-lookup", "locked": false, "schema_version": 3, "solution": true, "task": false}
def embedding_lookup(table: Tensor, ids: Tensor) -> Tensor:
    """Rows of a table.

    table    (n_rows, D) float
    ids      (B,) int64, each in [0, n_rows)
    returns  (B, D) float
    """
    ### BEGIN SOLUTION
    return table[ids]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-2-lookup", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.embedding_lookup(embedding_lookup)

# %% [markdown]
# ## A score is a dot product
#
# Take a tiny world: three viewers, four films, vectors of two numbers. Read the first number as "likes a quiet film"
# and the second as "likes a chase". A film has its share of both, a viewer a liking for both.

# %%
tiny_users = torch.tensor([[2.0, 0.0], [0.0, 2.0], [1.0, 1.5]])
tiny_items = torch.tensor([[2.0, 0.0], [0.5, 2.0], [1.5, 1.0], [0.0, 1.0]])
tiny_user_ids, tiny_item_ids = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 2])
user_vectors, item_vectors = tiny_users[tiny_user_ids], tiny_items[tiny_item_ids]
print(
    "user vectors\n", user_vectors, "\nitem vectors\n", item_vectors, "\nentry by entry\n", user_vectors * item_vectors
)

# %% [markdown]
# ### Exercise 3: the dot product, row by row (1 point)
#
# Write `dot_scores(user_vectors, item_vectors)`: for each row $b$ the sum over the factors,
# $s_b = \sum_f p_{bf} \, q_{bf}$. One score a row, also for a batch of one row.
#
# *By hand:* the last pair above has the vectors $(1, 1.5)$ and $(1.5, 1)$; its score is
# $1 \cdot 1.5 + 1.5 \cdot 1 = 3$.
#
# <details><summary>Hint</summary>
#
# Multiply entry by entry, then sum over the *last* dimension. A matrix product of the two would score every user of
# the batch with every item of it.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-3-dot", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dot_scores(user_vectors: Tensor, item_vectors: Tensor) -> Tensor:
    """Dot product of each row with its partner.

    user_vectors, item_vectors  (B, D) float
    returns                     (B,) float
    """
    ### BEGIN SOLUTION
    return (user_vectors * item_vectors).sum(dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-3-dot", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.dot_scores(dot_scores)

# %% [markdown]
# ## Matrix factorisation is two tables and a dot product
#
# Put together: a table of user vectors $P$ of shape $m \times k$, a table of item vectors $Q$ of shape $n \times k$,
# and $s_{ui} = p_u \cdot q_i$ (Koren et al. 2009, equation 2, as learnt from known ratings only). All scores at once
# are the matrix $P Q^\top$. It has $m \cdot n$ entries but rank at most $k$: that is the model's whole claim about
# taste, and it is how the check below recognises a factorisation whatever you call its parts.
#
# ### Exercise 4: matrix factorisation (2 points)
#
# Write the module `MatrixFactorization(n_users, n_items, n_factors)`. Its `forward(user_ids, item_ids)` takes two
# tensors `(B,)` of dense ids and returns the scores, `(B,)`. No biases yet. Start both tables with
# `nn.init.uniform_(..., 0, 0.05)`, as the published notebooks do; the figures below are for this start, and how to
# start is the subject of exercise 9.
#
# <details><summary>Hint</summary>
#
# Two `nn.Embedding` layers in `__init__`; in `forward` look both up, multiply, and sum over `dim=-1`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-4-mf", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MatrixFactorization(nn.Module):
    """Scores are dot products of learnt vectors.

    n_users, n_items  how many rows the two tables have
    n_factors         length of a vector
    """

    def __init__(self, n_users: int, n_items: int, n_factors: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        nn.init.uniform_(self.user_factors.weight, 0, 0.05)
        nn.init.uniform_(self.item_factors.weight, 0, 0.05)
        ### END SOLUTION

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        """Scores (B,) of the pairs (user_ids[b], item_ids[b]), both (B,) int64."""
        ### BEGIN SOLUTION
        return (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-4-mf", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.matrix_factorization(MatrixFactorization)

# %% [markdown]
# ## A model that cannot learn thirteen ratings by heart has a bug
#
# Before any real training: five viewers, four films, thirteen ratings, and *full-batch* training, one step an epoch
# on all rows. With more parameters than ratings the error must go to almost nothing. If it does not, the fault is in
# the code, and no data will mend it.

# %%
tiny = RatingTensors(
    torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4]),
    torch.tensor([0, 1, 3, 0, 2, 3, 1, 2, 0, 1, 2, 2, 3]),
    torch.tensor([5.0, 4, 1, 4, 2, 1, 5, 2, 1, 2, 5, 4, 4]),
)
model = MatrixFactorization(5, 4, 8)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
for epoch in range(1, 201):
    loss = nn.functional.mse_loss(model(tiny.user_ids, tiny.item_ids), tiny.ratings)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch in (1, 20, 50, 100, 200):
        print(f"epoch {epoch:>3}: mean squared error {loss.item():.5f}")
claim(loss.item() < 0.01, "thirteen ratings can be learnt by heart")

# %% [markdown]
# Shapes matter here more than anywhere. Scores are `(B,)`. If the ratings come as a column `(B, 1)`, as from a table,
# subtraction does not fail: it *broadcasts* to `(B, B)`, every score against every rating, and the model learns the
# mean rating and nothing else. PyTorch only warns.

# %%
scores = model(tiny.user_ids, tiny.item_ids).detach()
column = tiny.ratings[:, None]
print(
    "as it should be:",
    (scores - tiny.ratings).shape,
    f"mean squared error {(scores - tiny.ratings).square().mean():.4f}",
)
print("with a column:  ", (scores - column).shape, f"mean squared error {(scores - column).square().mean():.4f}")

# %% [markdown]
# ## The training loop: step, measure, keep
#
# Three small functions make the loop. `batches(*train, batch_size=..., generator=...)` from the helper package yields
# `(user_ids, item_ids, ratings)` in a fresh random order each time it is called.
#
# ### Exercise 5: one epoch (2 points)
#
# Write `train_epoch(model, optimizer, batches)`. Put the model in training mode. For each batch: score it, take the
# mean squared error of the *batch*, clear the old gradients, go backward, step. Return the mean squared error over
# all *rows* of the epoch, each as it was when its batch came up.
#
# *By hand:* two batches, one of 3 rows with error 1.0 and one of 1 row with error 2.0, give
# $(3 \cdot 1 + 1 \cdot 2) / 4 = 1.25$, not 1.5.
#
# <details><summary>Hint</summary>
#
# Add up `loss.item() * len(ratings)` and the number of rows. The order within a batch: `optimizer.zero_grad()`,
# `loss.backward()`, `optimizer.step()`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-5-epoch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, batches) -> float:
    """One pass over the batches, one optimiser step for each.

    batches  iterable of (user_ids, item_ids, ratings), each (B,); B may differ from batch to batch
    returns  mean squared error over all rows, one number
    """
    ### BEGIN SOLUTION
    model.train()
    total, n_rows = 0.0, 0
    for user_ids, item_ids, ratings in batches:
        loss = nn.functional.mse_loss(model(user_ids, item_ids), ratings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(ratings)
        n_rows += len(ratings)
    return total / n_rows
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-5-epoch", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.train_epoch(train_epoch)

# %% [markdown]
# ### Exercise 6: measure (1 point)
#
# Write `evaluate_rmse(model, user_ids, item_ids, ratings)`: the RMSE of the model's scores over all rows, with the
# model in evaluation mode (no dropout) and without recording gradients. Return one number.
#
# <details><summary>Hint</summary>
#
# `model.eval()` and `with torch.no_grad():`. One mean over all rows, then one root. The mean of several batches'
# RMSEs is not the RMSE.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-6-evaluate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def evaluate_rmse(model: nn.Module, user_ids: Tensor, item_ids: Tensor, ratings: Tensor) -> float:
    """RMSE of a model on held-out ratings.

    user_ids, item_ids  (n,) int64
    ratings             (n,) float32, stars
    returns             one number, in stars
    """
    ### BEGIN SOLUTION
    model.eval()
    with torch.no_grad():
        errors = model(user_ids, item_ids) - ratings
    return errors.square().mean().sqrt().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-6-evaluate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.evaluate_rmse(evaluate_rmse)

# %% [markdown]
# ### Exercise 7: the loop (1 point)
#
# Write `fit(train_one_epoch, measures, n_epochs)`. `train_one_epoch` is a function without arguments: each call
# trains the model for one epoch. `measures` is a dict from a name to such a function that returns a number, for
# example `{"train": ..., "test": ...}`. Train `n_epochs` times, and after *each* epoch call every measure once.
# Return the history: a dict from each name to the list of its `n_epochs` numbers.
#
# *By hand:* with a measure `"epoch"` that returns 1 after the first epoch, 2 after the second and so on,
# `fit(..., n_epochs=3)` returns `{"epoch": [1, 2, 3]}`.
#
# <details><summary>Hint</summary>
#
# Start with `history = {name: [] for name in measures}`; two nested loops fill it.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-7-fit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit(train_one_epoch, measures: dict, n_epochs: int) -> dict[str, list[float]]:
    """Train, measure, keep.

    train_one_epoch  function without arguments, trains for one epoch
    measures         name -> function without arguments that returns a number
    returns          name -> list of n_epochs numbers
    """
    ### BEGIN SOLUTION
    history = {name: [] for name in measures}
    for _ in range(n_epochs):
        train_one_epoch()
        for name, measure in measures.items():
            history[name].append(measure())
    return history
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-7-fit", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.fit(fit)

# %% [markdown]
# The next cell is given: it joins your three functions, and lets the learning rate fall in a straight line to zero,
# so that the last epochs settle rather than jump about. (The published notebooks lower it by hand, in stages, to the
# same end.)


# %%
def learn(model: nn.Module, optimizer: torch.optim.Optimizer, n_epochs: int = N_EPOCHS) -> dict[str, list[float]]:
    """Train a model with your loop; RMSE on the training and the test ratings after every epoch."""
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 - epoch / n_epochs)
    with tqdm(total=n_epochs, desc=type(model).__name__, unit="epoch", leave=False) as bar:

        def one_epoch():
            train_epoch(model, optimizer, batches(*train, batch_size=BATCH_SIZE, generator=generator))
            falling.step()
            bar.update()

        measures = {"train": lambda: evaluate_rmse(model, *train), "test": lambda: evaluate_rmse(model, *test)}
        return fit(one_epoch, measures, n_epochs)


# %%
mf = MatrixFactorization(n_users, n_items, N_FACTORS)
histories = {"factors only": learn(mf, torch.optim.Adam(mf.parameters(), lr=LEARNING_RATE))}
plots.learning_curves(
    histories,
    title="Plain factorisation passes the biases, but late",
    rivals={"damped biases": results["damped biases"]},
)
plt.show()
if CHECK_TEXT:
    curve = histories["factors only"]["test"]
    claim(curve[9] > results["damped biases"] > curve[-1], "the model passes the biases, after ten epochs or more")
    claim(abs(curve[-1] - 0.92) < 0.015, "the model ends at about 0.92")
last = {part: curve[-1] for part, curve in histories["factors only"].items()}
print(f"last epoch: training RMSE {last['train']:.4f}, test RMSE {last['test']:.4f}")

# %% [markdown]
# **Notice.** For more than ten epochs the test error (solid) stays above the biases' level: the factors are busy
# learning who is kind and which films are good. (That has to do with the start: all entries begin positive, so all
# vectors point the same way and act like biases first.) Only then do they find taste, and the model ends at about
# 0.92. The dashed training error falls on: $64$ numbers for every user and film are more numbers than there are
# ratings to learn them from, so a part of that fall is memory, not insight.
#
# ## Biases are learnt at once, and then the factors learn noise
#
# Most of what makes a rating high or low is not taste: some viewers are kind, some films are good. Koren et al.
# (2009, equation 4) give that a place of its own:
#
# $$\hat r_{ui} = \mu + b_u + c_i + p_u \cdot q_i.$$
#
# The mean $\mu$ of the training ratings is a given number, not a parameter; $b_u$ and $c_i$ are learnt, one number a
# user and one an item.
#
# ### Exercise 8: factorisation with biases (2 points)
#
# Write the module `BiasedMF(n_users, n_items, n_factors, mean)`, with `forward(user_ids, item_ids)` as before. The
# biases live in two tables with one column, `(n_users, 1)` and `(n_items, 1)`, and start at zero. Start the factors
# with `nn.init.normal_(..., std=INIT_STD)`. With every table at zero the score is exactly `mean`.
#
# <details><summary>Hint</summary>
#
# Looking up a table with one column gives `(B, 1)`; added to `(B,)` it would broadcast to `(B, B)`. Take `[:, 0]` or
# `.squeeze(-1)`. A bare `.squeeze()` would also swallow the batch dimension of a single pair.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-8-biases", "locked": false, "schema_version": 3, "solution": true, "task": false}
class BiasedMF(nn.Module):
    """Global mean, plus user bias, plus item bias, plus dot product.

    n_users, n_items  how many rows the tables have
    n_factors         length of a vector
    mean              float, stars: the mean of the training ratings
    """

    def __init__(self, n_users: int, n_items: int, n_factors: int, mean: float):
        super().__init__()
        ### BEGIN SOLUTION
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.user_biases = nn.Embedding(n_users, 1)
        self.item_biases = nn.Embedding(n_items, 1)
        self.mean = mean
        nn.init.normal_(self.user_factors.weight, std=INIT_STD)
        nn.init.normal_(self.item_factors.weight, std=INIT_STD)
        nn.init.zeros_(self.user_biases.weight)
        nn.init.zeros_(self.item_biases.weight)
        ### END SOLUTION

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        """Scores (B,) in stars of the pairs (user_ids[b], item_ids[b]), both (B,) int64."""
        ### BEGIN SOLUTION
        dot = (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)
        biases = self.user_biases(user_ids) + self.item_biases(item_ids)
        return self.mean + biases.squeeze(-1) + dot
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-8-biases", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.biased_mf(BiasedMF)

# %%
mean = train.ratings.mean().item()
model = BiasedMF(n_users, n_items, N_FACTORS, mean)
histories["with biases"] = learn(model, torch.optim.Adam(model.parameters(), lr=LEARNING_RATE))
plots.learning_curves(
    histories,
    title="With biases: right in three epochs, then learnt by heart",
    rivals={"damped biases": results["damped biases"]},
)
plt.show()
if CHECK_TEXT:
    curve = histories["with biases"]["test"]
    claim(min(curve[:3]) < results["damped biases"] + 0.015, "three epochs are enough to reach the biases")
    claim(curve[-1] > 1.05, "the test error climbs above one star")
    claim(histories["with biases"]["train"][-1] < 0.25, "the training error falls to a fifth of a star")
curve = histories["with biases"]["test"]
print(f"lowest test RMSE {min(curve):.4f} after epoch {np.argmin(curve) + 1}, and {curve[-1]:.4f} after the last")

# %% [markdown]
# **Notice.** Within three epochs the model is as good as the biases. From there on all 64 factors are free to fit
# what is left, and what is left is mostly noise: the training error falls to a fifth of a star while the test error
# climbs above one star, worse than Spotlight. The model knows more from the start, and nothing stops it from learning
# too much. Two things matter here: a good start, and holding the factors back.
#
# ## A bad start is paid for in epochs, or never repaid
#
# If the entries of both vectors are drawn from $N(0, \sigma^2)$, a product of two has mean 0 and standard deviation
# $\sigma^2$, and a dot product of $k$ of them is a sum of $k$ independent products. Tables that look harmless can
# therefore start with scores that are off by whole stars. `nn.Embedding` by itself draws from $N(0, 1)$: with
# $k = 64$ its first scores have a standard deviation of $\sqrt{64} = 8$ stars, on a scale of five.
#
# ### Exercise 9: how large to start (1 point)
#
# Write `init_std(score_std, n_factors)`: the $\sigma$ for which the dot product of two vectors with `n_factors`
# entries each, all drawn from $N(0, \sigma^2)$, has the standard deviation `score_std`.
#
# *By hand:* for `n_factors = 1` and `score_std = 0.25` it is $0.5$, since $0.5 \cdot 0.5 = 0.25$.
#
# <details><summary>Hint</summary>
#
# The variance of one product is $\sigma^2 \cdot \sigma^2 = \sigma^4$. Variances of independent summands add up. Set
# the sum equal to the square of `score_std`, and solve for $\sigma$.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-9-init", "locked": false, "schema_version": 3, "solution": true, "task": false}
def init_std(score_std: float, n_factors: int) -> float:
    """Standard deviation of the factors that gives dot products of standard deviation score_std.

    score_std  float > 0, stars
    n_factors  int >= 1
    returns    float > 0
    """
    ### BEGIN SOLUTION
    return (score_std / n_factors**0.5) ** 0.5
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-9-init", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.init_std(init_std)

# %%
starts = {}
for score_std in (0.02, 0.5, 8.0):
    model = BiasedMF(n_users, n_items, N_FACTORS, mean)
    for parameter in model.parameters():
        if parameter.ndim == 2 and parameter.shape[1] > 1:
            nn.init.normal_(parameter, std=init_std(score_std, N_FACTORS))
    before = evaluate_rmse(model, *test)
    starts[f"scores ±{score_std:g}"] = learn(model, torch.optim.Adam(model.parameters(), lr=LEARNING_RATE))
    print(
        f"first scores spread by {score_std:g} stars: test RMSE {before:.2f} before training, "
        f"{min(starts[f'scores ±{score_std:g}']['test']):.3f} at best"
    )
ax = plots.learning_curves(starts, title="A start that is eight stars off is not made good in 25 epochs")
ax.set(yscale="log", ylim=(0.15, 9))
ax.set_yticks([0.25, 0.5, 1, 2, 4, 8], labels=["0.25", "0.5", "1", "2", "4", "8"])
ax.minorticks_off()
plt.show()
if CHECK_TEXT:
    lowest = [min(history["test"]) for history in starts.values()]
    claim(lowest[0] < 0.96 and lowest[1] > 1.0, "a start half a star off never comes below one star")
    claim(lowest[2] > 3, "a start eight stars off never comes below three stars")

# %% [markdown]
# **Notice.** The same model, optimiser and data: only the first draw differs. With first scores spread by half a star
# the lowest test error is already above one star; with PyTorch's default of eight stars it never comes below three,
# though the training error falls far below that. Start so that first scores are small beside the ratings' own spread
# of about one star: `INIT_STD = 0.05` makes it 0.02.
#
# ## Hold the factors back, not the biases
#
# *Weight decay* shrinks a weight by a small share of itself in every step, so that only what the data keeps asking
# for survives. Adam's own `weight_decay` argument adds the decay to the gradient, where Adam's rescaling distorts it;
# *decoupled* decay (Loshchilov and Hutter 2019, `torch.optim.AdamW`) multiplies the weight by
# $1 - \text{learning rate} \cdot \text{weight decay}$ instead. And not every weight needs it: a user's bias rests on
# all of that user's ratings, one number on about a hundred; the factors are 64 numbers on the same hundred.
#
# ### Exercise 10: decay for the factors only (1 point)
#
# Write `decaying_adam(model, learning_rate, weight_decay)`: an optimiser for all parameters of `model`, Adam with
# decoupled weight decay on the tables with more than one column, and none on those with one column.
#
# <details><summary>Hint</summary>
#
# `torch.optim.AdamW` takes a list of groups:
# `[{"params": [...], "weight_decay": ...}, {"params": [...], "weight_decay": 0}]`. A parameter `p` is a table of
# factors if `p.shape[-1] > 1`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-10-decay", "locked": false, "schema_version": 3, "solution": true, "task": false}
def decaying_adam(model: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay on the factors, none on the biases.

    model    its parameters are tables, (n_rows, n_columns)
    returns  an optimiser over all of them
    """
    ### BEGIN SOLUTION
    factors = [p for p in model.parameters() if p.shape[-1] > 1]
    biases = [p for p in model.parameters() if p.shape[-1] == 1]
    groups = [{"params": factors, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-10-decay", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
check.decaying_adam(decaying_adam)

# %%
decays = {"no decay": histories["with biases"]}
model = BiasedMF(n_users, n_items, N_FACTORS, mean)
decays["factors only"] = learn(model, decaying_adam(model, LEARNING_RATE, WEIGHT_DECAY))
everything_decays = BiasedMF(n_users, n_items, N_FACTORS, mean)
decays["factors and biases"] = learn(
    everything_decays, torch.optim.AdamW(everything_decays.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
)
plots.learning_curves(
    decays,
    title="Decay on the factors alone takes the test error below the biases",
    rivals={"damped biases": results["damped biases"]},
).set_ylim(0.7, 1.15)
plt.show()
results["biased MF, decay on factors"] = decays["factors only"]["test"][-1]
if CHECK_TEXT:
    claim(abs(results["biased MF, decay on factors"] - 0.905) < 0.01, "decay on the factors gives about 0.90")
    claim(decays["no decay"]["test"][-1] > 1.1, "without decay it is above 1.1")
    claim(decays["factors and biases"]["test"][-1] > 0.92, "decay on the biases gives most of the gain away")
pd.Series({name: history["test"][-1] for name, history in decays.items()}, name="last test RMSE").round(4).to_frame()

# %% [markdown]
# **Notice.** One setting takes the last epoch's test error from above 1.1 stars to about 0.90, far below the biases
# and Spotlight, and the curve no longer turns. Decay on the biases as well gives almost all of the gain over the
# biases away. The value of `WEIGHT_DECAY` was chosen on a validation part of the training ratings, never on the test
# part: exercise 12 makes such a part and chooses the epoch on it, and a decay is chosen in the same way.
#
# ## A neural net is not better by being one
#
# A dot product is a strong assumption. The alternative is to let a net find out how the two vectors go together: put
# them side by side, and add layers. With ReLU, dropout, a narrow hidden layer and one output this is CollabFNet.
#
# ### Exercise 11: CollabFNet (2 points)
#
# Write the module `CollabFNet(n_users, n_items, n_factors, n_hidden, dropout)`: look up both vectors, concatenate
# them, apply ReLU, then dropout with the given rate, a linear layer to `n_hidden`, ReLU, and a linear layer to one
# output. Scores are `(B,)`. Both linear layers have a bias; there are no other parameters, and dropout acts in that
# one place.
#
# <details><summary>Hint</summary>
#
# `torch.cat([p, q], dim=-1)` is `(B, 2 * n_factors)`. `nn.Dropout(dropout)` knows by itself whether the model is in
# training mode. The last layer gives `(B, 1)`: take `[:, 0]`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-11-collabfnet", "locked": false, "schema_version": 3, "solution": true, "task": false}
class CollabFNet(nn.Module):
    """Scores from a small net over both vectors.

    n_users, n_items  how many rows the two tables have
    n_factors         length of a vector
    n_hidden          width of the hidden layer
    dropout           float in [0, 1), share of entries dropped in training
    """

    def __init__(self, n_users: int, n_items: int, n_factors: int, n_hidden: int, dropout: float):
        super().__init__()
        ### BEGIN SOLUTION
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(2 * n_factors, n_hidden)
        self.output = nn.Linear(n_hidden, 1)
        ### END SOLUTION

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        """Scores (B,) in stars of the pairs (user_ids[b], item_ids[b]), both (B,) int64."""
        ### BEGIN SOLUTION
        vectors = torch.cat([self.user_factors(user_ids), self.item_factors(item_ids)], dim=-1)  # (B, 2D)
        hidden = self.hidden(self.dropout(vectors.relu())).relu()  # (B, n_hidden)
        return self.output(hidden)[:, 0]
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-11-collabfnet", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.collab_f_net(CollabFNet)

# %%
net = CollabFNet(n_users, n_items, N_FACTORS, N_HIDDEN, DROPOUT)
net_history = learn(net, torch.optim.Adam(net.parameters(), lr=LEARNING_RATE))
results["CollabFNet"] = net_history["test"][-1]
nets = {"biased MF, decay": decays["factors only"], "CollabFNet": net_history}
ax = plots.learning_curves(
    nets, title="The net has to learn what the dot product is given", rivals={"damped biases": results["damped biases"]}
)
ax.set_ylim(0.7, 1.1)
plt.show()
if CHECK_TEXT:
    claim(abs(results["CollabFNet"] - 0.94) < 0.015, "the net reaches the biases' level, about 0.94")
pd.Series({name: history["test"][-1] for name, history in nets.items()}, name="last test RMSE").round(4).to_frame()

# %% [markdown]
# **Notice.** The net reaches the biases' level of about 0.94 and stays there. Nothing in it says that a user and an
# item should be *matched*; it has to learn multiplication from examples (Rendle et al., *Neural collaborative
# filtering vs. matrix factorization revisited*, RecSys 2020). To be fair to it: it learnt without decay, and without
# decay the factorisation ended above 1.1. What you see is one small net at one setting, beside a factorisation with a
# good one. A more flexible model is a claim to be measured, like any other.
#
# ## The best epoch is chosen on validation ratings, and its weights are put back
#
# Several published notebooks report the lowest point of the *test* curve. That is choosing with the answers in hand:
# the reported figure is too good, and nobody could have known at which epoch to stop. The honest way is to set a part
# of the training ratings aside, choose on that, and touch the test part once.
#
# ### Exercise 12: keep the best epoch (2 points)
#
# Write `fit_and_restore(model, train_one_epoch, measure, n_epochs)`: train for `n_epochs`, call `measure()` (an RMSE
# on validation ratings) after each epoch, and leave the model with the weights it had after its best epoch. Return
# the number of that epoch, counted from 1; of two equally good ones the earlier.
#
# *By hand:* if `measure()` returns 0.98, 0.93, 0.95, 0.93 after the four epochs, return 2, and the model holds the
# weights that it had after epoch 2.
#
# <details><summary>Hint</summary>
#
# `model.state_dict()` hands out the live tensors, which training goes on changing: keep
# `deepcopy(model.state_dict())`, and give it back with `model.load_state_dict(...)`.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-12-restore", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_and_restore(model: nn.Module, train_one_epoch, measure, n_epochs: int) -> int:
    """Train for n_epochs and put back the weights of the best epoch.

    train_one_epoch  function without arguments, trains the model for one epoch
    measure          function without arguments, returns a validation RMSE: lower is better
    returns          the best epoch, from 1; the earlier of two equals
    """
    ### BEGIN SOLUTION
    best_epoch, lowest, weights = 0, float("inf"), None
    for epoch in range(1, n_epochs + 1):
        train_one_epoch()
        value = measure()
        if value < lowest:
            best_epoch, lowest, weights = epoch, value, deepcopy(model.state_dict())
    model.load_state_dict(weights)
    return best_epoch
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-12-restore", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check.fit_and_restore(fit_and_restore)

# %%
shuffled = torch.randperm(len(train.ratings), generator=generator)
cut = len(shuffled) // 10
valid, rest = (RatingTensors(*(column[rows] for column in train)) for rows in (shuffled[:cut], shuffled[cut:]))
model = BiasedMF(n_users, n_items, N_FACTORS, mean)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
with tqdm(total=N_EPOCHS, desc="stopped early", unit="epoch", leave=False) as bar:

    def one_epoch():
        train_epoch(model, optimizer, batches(*rest, batch_size=BATCH_SIZE, generator=generator))
        bar.update()

    best_epoch = fit_and_restore(model, one_epoch, lambda: evaluate_rmse(model, *valid), N_EPOCHS)
results["biased MF, stopped early"] = evaluate_rmse(model, *test)
if CHECK_TEXT:
    claim(
        abs(results["biased MF, stopped early"] - results["damped biases"]) < 0.015,
        "stopped early, the model is no better than the biases",
    )
print(f"No decay, stopped at epoch {best_epoch} of {N_EPOCHS}: test RMSE {results['biased MF, stopped early']:.4f}")

# %% [markdown]
# **Notice.** Stopping early saves the model without decay from the climb. But it stops after about three epochs,
# before the factors have learnt much of either taste or noise, and so ends at the level of the biases (which had a
# tenth more ratings to learn from). Decay is what lets it go on learning.
#
# ## The ladder
#
# Now climb. A model is worth what it does on ratings that it has not seen, beside rivals that anyone can run. The
# rungs, from the bottom, with the margin in stars by which each has to be passed: the global mean (0.05); Spotlight
# as the homework runs it (0.025); the damped biases (0.005); Spotlight at the best settings that we found for it, 64
# factors, learning rate 0.001, 20 epochs (0.0065). Splits differ in difficulty, so each rung is placed where its
# rival would stand on the very split you are tested on; the margins keep luck from deciding. One point each, and a
# rung counts only if all below it are passed.
#
# ### Exercise 13: predict the stars (4 points)
#
# Write `predict_stars(train, user_ids, item_ids, n_users, n_items)`. `train` is a triple of tensors as above,
# `train.user_ids`, `train.item_ids` and `train.ratings`; the other two tensors, `(n,)` each, are the pairs to
# predict. Train whatever you like on `train` alone, and return one score a pair, `(n,)`, in stars. The check calls it
# once, on a split and a numbering of users and items that you have not seen, so do all choosing in there or before; a
# minute is plenty. Use the settings at the top of this notebook or your own, and anything you have written above.
#
# <details><summary>Hint</summary>
#
# `BiasedMF`, with the mean of `train.ratings`, trained with `decaying_adam` for 25 epochs of `train_epoch` while the
# learning rate falls, climbs all four. Copy the loop out of `learn`, do not call it: it trains on this notebook's
# `train`, not on the one that you are given. And write the number of epochs out, since `N_EPOCHS` may be small in a
# short run. With `tqdm` around the epochs, you see how far the check is.
# </details>


# %% nbgrader={"grade": false, "grade_id": "ex-01-13-ladder", "locked": false, "schema_version": 3, "solution": true, "task": false}
def predict_stars(train: RatingTensors, user_ids: Tensor, item_ids: Tensor, n_users: int, n_items: int) -> Tensor:
    """Train on the given ratings, and predict others.

    train               triple of tensors user_ids, item_ids, ratings
    user_ids, item_ids  (n,) int64, the pairs to predict
    returns             (n,) float, stars
    """
    ### BEGIN SOLUTION
    n_epochs, generator = 25, torch.Generator().manual_seed(0)
    model = BiasedMF(n_users, n_items, N_FACTORS, train.ratings.mean().item())
    optimizer = decaying_adam(model, LEARNING_RATE, WEIGHT_DECAY)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 - epoch / n_epochs)
    for _ in tqdm(range(n_epochs), desc="predict_stars", unit="epoch", leave=False):
        train_epoch(model, optimizer, batches(*train, batch_size=BATCH_SIZE, generator=generator))
        falling.step()
    with torch.no_grad():
        return model.eval()(user_ids, item_ids)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-01-13-ladder", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
check.ladder(predict_stars)

# %%
scores = predict_stars(train, test.user_ids, test.item_ids, n_users, n_items).numpy()
yours = rmse(test_part.ratings, scores)
names = {
    "global_mean": "global mean",
    "user_mean": "user mean",
    "item_mean": "item mean",
    "spotlight": "Spotlight, 3 epochs",
    "damped_biases": "damped biases",
    "spotlight_tuned": "Spotlight at its best",
}
rivals = {name: recorded.values(DATASET, "explicit", model, "rmse") for model, name in names.items()}
plots.ladder(rivals, yours={"your model, this split": yours}, title=f"Where your model stands on {DATASET}")
plt.show()
if CHECK_TEXT:
    claim(yours < 0.915, "the model reaches 0.915")
close = np.mean(np.abs(scores - test_part.ratings) < 0.5)
print(
    f"Test RMSE of your model on this notebook's split: {yours:.4f}; within half a star for {close:.0%} of the ratings"
)

# %% [markdown]
# **Notice.** Thin ticks are single splits, the dot is their mean, the bar reaches one standard deviation to either
# side; your diamond is one split. User and item mean are there for comparison and are not rungs. And everything of
# this notebook on its own split, in one table:

# %%
pd.Series({**results, "your model": yours}, name="test RMSE").sort_values().round(4).to_frame()

# %% [markdown]
# ## Explain it to a colleague
#
# ### Question 14 (3 points, marked by hand)
#
# A colleague shows you a model with a training RMSE of 0.60 and a test RMSE of 0.98, and another with 0.80 and 0.91.
# She prefers the first, "because it has learnt more". In about 200 words: What do the two gaps say? Which two changes
# of this lesson would you try on the first model, in which order, and which curve would tell you whether each has
# helped? And why would you decay the factors but not the biases?

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-01-14-overfitting", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# The first model has learnt its training ratings by heart: the gap of 0.38 stars between training and test is noise
# it memorised, and on new ratings it is worse than biases alone. The second gives up training error, a gap of 0.11,
# and is better where it counts. (1 point)
#
# First decoupled weight decay on the factors, because it acts on the cause, too many free numbers a rating; then
# early stopping on a validation part, because it costs nothing. In both cases the validation curve per epoch tells:
# it should fall further, or at least stop climbing, while the training curve stays higher than before. The test part
# is looked at once, in the end. (1 point)
#
# A bias is one number that rests on all ratings of a user or film, so there is little noise in it to hold back, and
# pulling it to zero pulls kind and strict users alike to the mean, which is wrong for both. The factors are 64
# numbers on the same few ratings. (1 point)

# %% [markdown]
# ## What to take along
#
# - Reproduce a quoted figure before you compare with it, on the same split and the same protocol.
# - Put the dull rivals in the table first: two biases beat three epochs of Spotlight, and tie with our small neural
#   net.
# - A learning curve for training *and* held-out ratings tells a bad start, too little learning and too much learning
#   apart.
# - Decay what has many parameters a rating, leave alone what has few, and choose on validation ratings.
# - A better figure on a random split is a better answer to "fill the gaps". Whether people find films they like with
#   it is the question of the next lesson.

# %% [markdown]
# ## Where you stand
#
# `check.progress()` reads the notebooks that lie beside this one, and shows your points and your place on each ladder,
# over all lessons, and what to do next. You can call it at any time, in any lesson, once its
# cell of imports has run.

# %%
check.progress()
