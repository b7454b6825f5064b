"""The napari side: widgets, worker threads, sample data, layers to arrays and back."""
