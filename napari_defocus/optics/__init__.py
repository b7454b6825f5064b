"""Blur kernels, reblurring, refocusing and inverse filters: differentiable torch, any device."""
