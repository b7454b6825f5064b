"""Commands of `python -m training`, grouped by subject."""
