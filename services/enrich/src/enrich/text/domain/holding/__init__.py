"""What waits for a desk."""
