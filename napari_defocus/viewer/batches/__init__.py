"""The panel *Batch*."""
