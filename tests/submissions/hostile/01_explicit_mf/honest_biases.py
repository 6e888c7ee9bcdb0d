# Nobody hostile: somebody who gets as far as biases, by the course's own model of them.
# rest: stub

# %% ex-01-13-ladder
# expect: 2 failed "2 of 4 rungs"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    columns = [column.numpy() for column in train]
    model = DampedBiases().fit(*columns, n_users=n_users, n_items=n_items)
    return torch.as_tensor(model.predict(user_ids.numpy(), item_ids.numpy()))
