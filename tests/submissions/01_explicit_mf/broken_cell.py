# Someone with a cell that Python cannot read, another that names a method wrongly, and whole stars at the end.
# rest: reference

# %% ex-01-3-dot
# expect: 0 error "SyntaxError"
def dot_scores(user_vectors, item_vectors):
    return (user_vectors * item_vectors.sum(dim=-1)


# %% ex-01-4-mf
# expect: 0 error "needs a method called `forward`"
class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)

    def foward(self, user_ids, item_ids):
        return (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)


# %% ex-01-11-collabfnet
# expect: 0 failed "The dropout is missing"
class CollabFNet(nn.Module):
    def __init__(self, n_users, n_items, n_factors, n_hidden, dropout):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.hidden = nn.Linear(2 * n_factors, n_hidden)
        self.output = nn.Linear(n_hidden, 1)

    def forward(self, user_ids, item_ids):
        vectors = torch.cat([self.user_factors(user_ids), self.item_factors(item_ids)], dim=-1)
        return self.output(self.hidden(vectors.relu()).relu())[:, 0]


# %% ex-01-13-ladder
# expect: 2 failed "2 of 4 rungs" "Whole stars only"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    model = BiasedMF(n_users, n_items, 32, train.ratings.mean().item())
    optimizer = decaying_adam(model, 0.01, 1.5)
    generator = torch.Generator().manual_seed(0)
    for epoch in range(10):
        train_epoch(model, optimizer, batches(*train, batch_size=1000, generator=generator))
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (0.9 - epoch / 10)
    with torch.no_grad():
        return model(user_ids, item_ids).round().clamp(1, 5)
