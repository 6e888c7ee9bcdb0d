"""Sequence models: a user is what their last items say."""
