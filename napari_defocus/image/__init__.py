"""Image layout, value range and encoding: arrays of any kind to what the networks take and back."""
