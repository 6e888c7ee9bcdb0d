# Someone who sees to the wrong end, the wrong rows or the wrong shape.
# rest: reference

# %% ex-02-8-mlp
# expect: 0 failed "not on the vectors that go in"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        self.users = nn.Embedding(n_users, layers[0] // 2)
        self.items = nn.Embedding(n_items, layers[0] // 2)
        steps = [nn.Dropout(dropout)]
        for before, after in zip(layers, layers[1:]):
            steps += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*steps, nn.Linear(layers[-1], 1))

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]
