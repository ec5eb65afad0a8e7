"""Train: TFRecord shards to a SavedModel."""
