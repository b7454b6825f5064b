"""All that knows napari: widgets, workers, sample data, and layers to arrays and back."""
