"""Where training and evaluation images come from."""
