"""The step *Edit*."""
