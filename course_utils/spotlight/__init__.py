"""Spotlight's public surface under our own code: the same module, class and keyword names, defaults and numbers.

Code written for Spotlight 0.1.6 (github.com/maciejkula/spotlight, commit 75f4c8c) runs with `spotlight` replaced by
`course_utils.spotlight` in its import lines, and draws the same random numbers from the same RandomState.

interactions, cross_validation      the data, windows of it, and both splits
factorization.explicit, .implicit   users' vectors times items' vectors, for ratings and for implicit feedback
sequence.implicit                   the next item from a window: pooling, LSTM, causal convolutions, mixture of tastes
evaluation                          RMSE, MRR, precision and recall over all items
losses, sampling, layers            what the models are made of; layers also has BloomEmbedding
datasets.movielens, .synthetic      MovieLens from the course's own files; a made-up Markov chain

Not carried: datasets.amazon and datasets.goodbooks, MovieLens 10M and 20M, and the helpers in torch_utils.

What differs:

- The global generator of torch is left alone; Spotlight reseeds it whenever a model is constructed.
- random_state may also be an int; Spotlight accepts a numpy.random.RandomState only.
- A last batch of one row, and predicting one pair, work; negative ids and arrays of different lengths are refused.
- Lists and ints are taken for ids where Spotlight wants arrays. Ids of a type that is not whole are refused, where
  Spotlight cuts off the fraction; wrong settings raise a ValueError.
- ImplicitSequenceModel.predict refuses several sequences, which Spotlight joins into one.
- BloomEmbedding returns one vector an id, in the shape of nn.Embedding, also for one-dimensional ids, where Spotlight
  puts in a dimension of 1; with bag=True it adds up each id's own rows, where Spotlight mixes them up.
- score_users and score_sequences, which Spotlight has not, score all items for many users or windows at once.
- evaluation says in each function what it does otherwise, mostly about padding and ties.

Kept, since the numbers depend on it: the user mix-up of ImplicitFactorizationModel's adaptive hinge, losses that are
not logarithms, and negatives that may be positives or the padding item.
"""
