# Takes care of the factors' start and forgets the biases'; calls a module without tables a model.
# rest: stub

# %% ex-01-4-mf
# expect: 0 failed "The module has no parameters"
class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        self.user_factors = torch.rand(n_users, n_factors) * 0.05
        self.item_factors = torch.rand(n_items, n_factors) * 0.05

    def forward(self, user_ids, item_ids):
        return (self.user_factors[user_ids] * self.item_factors[item_ids]).sum(dim=-1)


# %% ex-01-8-biases
# expect: 0 failed "Start both tables of biases with nn.init.zeros_"
class BiasedMF(nn.Module):
    def __init__(self, n_users, n_items, n_factors, mean):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.user_biases = nn.Embedding(n_users, 1)
        self.item_biases = nn.Embedding(n_items, 1)
        self.mean = mean
        nn.init.normal_(self.user_factors.weight, std=INIT_STD)
        nn.init.normal_(self.item_factors.weight, std=INIT_STD)

    def forward(self, user_ids, item_ids):
        dot = (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)
        return self.mean + (self.user_biases(user_ids) + self.item_biases(item_ids))[:, 0] + dot
