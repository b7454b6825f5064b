"""Jobs of the API on layers, and the same as Python code and as a command line."""
