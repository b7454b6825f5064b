"""A result beside the image that it was made from."""
