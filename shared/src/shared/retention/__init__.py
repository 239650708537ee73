"""What is kept, for how long, and how it is deleted: rules of each service, a policy that changes them, bounded batches."""
