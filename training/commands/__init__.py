"""The commands of `python -m training`, grouped by subject."""
