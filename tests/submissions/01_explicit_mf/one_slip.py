# Someone who is strong, and forgot to switch dropout off; their own evaluation is right in everything else.
# rest: reference

# %% ex-01-6-evaluate
# expect: 0 failed "Call model.eval() first"
def evaluate_rmse(model, user_ids, item_ids, ratings):
    with torch.no_grad():
        return nn.functional.mse_loss(model(user_ids, item_ids), ratings).sqrt().item()
