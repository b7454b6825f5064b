"""What can be trained: one training a file."""
