"""Prescriptions of simple lenses."""

import json

from training.data.prescriptions import Medium, Prescription, Surface

GLASS = Medium(1.5168, 64.17)


def singlet(curvatures=(0.02, -0.02), thickness=4.0, half=10.0, **front):
    """A lens of one glass whose front surface is the stop's neighbor."""
    surfaces = [
        Surface(0.0, half),
        Surface(0.0, half, curvatures[0], after=GLASS, **front),
        Surface(thickness, half, curvatures[1]),
    ]
    return Prescription("singlet", surfaces, 0, 20.0)


def write_doublet(folder):
    """Write an achromat with a stop in front; return the file."""
    rows = [
        {"type": "Stop", "r": 10.0, "c": 0.0, "mat2": "air", "d_next": 5.0},
        {"type": "Spheric", "r": 14.0, "roc": 61.5, "mat2": "1.5168/64.17", "d_next": 6.0},
        {"type": "Spheric", "r": 14.0, "c": -1 / 44.6, "mat2": "1.67270/32.1", "d_next": 2.5},
        {"type": "Spheric", "r": 14.0, "roc": -129.9, "mat2": "air", "d_next": 90.0},
    ]
    path = folder / "doublet.json"
    path.write_text(json.dumps({"r_sensor": 10.0, "surfaces": rows}), encoding="utf-8")
    return path
