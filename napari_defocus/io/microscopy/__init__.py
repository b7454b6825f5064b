"""Readers of microscopes' formats, one a file; each needs a library of the extra ``formats``."""
