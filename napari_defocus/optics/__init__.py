"""Blur kernels, reblurring, refocusing and inverse filters, in differentiable torch."""
