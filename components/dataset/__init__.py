"""The contract that all steps share: facts, IDX files, records, manifests and the bucket."""
