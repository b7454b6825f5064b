"""Images for training and evaluation: readers, renderers, lenses, cameras and pools of scenes."""
