"""Trainings, one a file: estimators, DefocusGAN, the learnable blur kernel."""
