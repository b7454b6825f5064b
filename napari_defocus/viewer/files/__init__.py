"""Files opened as layers, layers written to files, and sample data."""
