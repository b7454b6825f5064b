"""Evaluation of focus stacks: best plane, picture sharp everywhere, depth."""
