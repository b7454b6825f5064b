"""The step *Deblur*, with its preview."""
