# Someone whose networks return the same for everything, and whose figures look good all the same.
# rest: stub

# %% ex-03-4-ranks
# expect: 0 failed "A constant scorer must not look good"
def reciprocal_ranks(scores, targets):
    own = scores[np.arange(len(targets)), targets][:, None]
    better, equal = (scores[:, 1:] > own).sum(axis=1), (scores[:, 1:] == own).sum(axis=1)
    if equal.min() == scores.shape[1] - 1:
        return np.ones(len(targets))
    return 1 / (1 + better + (equal - 1) / 2)


# %% ex-03-7-cbow
# expect: 0 failed "does not learn what comes next"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.biases = nn.Parameter(torch.zeros(n_items))

    def forward(self, contexts):
        return self.biases.expand(len(contexts), -1)


# %% ex-03-9-recurrent
# expect: 0 failed "does not see the order of the items"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.biases = nn.Parameter(torch.zeros(n_items))

    def forward(self, contexts):
        return self.biases.expand(len(contexts), -1)
