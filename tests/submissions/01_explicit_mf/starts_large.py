# Leaves all starting values to PyTorch, and makes the mean a parameter.
# rest: stub

# %% ex-01-4-mf
# expect: 0 failed "nn.Embedding by itself draws from N(0, 1)"
class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)

    def forward(self, user_ids, item_ids):
        return (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)


# %% ex-01-8-biases
# expect: 0 failed "The mean is a given number and is not learnt"
class BiasedMF(nn.Module):
    def __init__(self, n_users, n_items, n_factors, mean):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.user_biases = nn.Embedding(n_users, 1)
        self.item_biases = nn.Embedding(n_items, 1)
        self.mean = nn.Parameter(torch.tensor(mean))

    def forward(self, user_ids, item_ids):
        dot = (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)
        return self.mean + (self.user_biases(user_ids) + self.item_biases(item_ids))[:, 0] + dot
