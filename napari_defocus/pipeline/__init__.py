"""The work on one plane: estimate, deblur, render."""
