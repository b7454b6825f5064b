"""Writer of Imaris files for tests."""

import h5py
import numpy as np


def letters(text):
    return np.frombuffer(str(text).encode(), "S1")


def write_ims(path, data, *, chunks=(2, 16, 16), padded=0, **options):
    """Write data (T, C, Z, Y, X), whose arrays are `padded` by some rows and columns."""
    frames, channels, depth, height, width = data.shape
    with h5py.File(path, "w") as file:
        for name, value in (("ImarisDataSet", "ImarisDataSet"), ("ImarisVersion", "5.5.0")):
            file.attrs[name] = letters(value)
        for frame, channel in np.ndindex(frames, channels):
            group = file.require_group(
                f"DataSet/ResolutionLevel 0/TimePoint {frame}/Channel {channel}"
            )
            for axis, length in zip("ZYX", (depth, height, width), strict=True):
                group.attrs[f"ImageSize{axis}"] = letters(length)
            pixels = np.pad(data[frame, channel], ((0, 0), (0, padded), (0, padded)))
            fitting = chunks and tuple(map(min, chunks, pixels.shape))
            group.create_dataset("Data", data=pixels, chunks=fitting, **options)
        image = file.require_group("DataSetInfo/Image")
        fields = {"Unit": "um", "NumericalAperture": "1.300", "LensPower": "40x"[:2]}
        for axis, length in enumerate((width, height, depth)):
            fields |= {f"ExtMin{axis}": "5", f"ExtMax{axis}": 5 + length * (0.25, 0.25, 1.5)[axis]}
        image.attrs.update({name: letters(value) for name, value in fields.items()})
        times = file.require_group("DataSetInfo/TimeInfo")
        for frame in range(frames):
            time = f"2020-01-01 10:00:{3 * frame:02}.500"
            times.attrs[f"TimePoint{frame + 1}"] = letters(time)
        for channel in range(channels):
            group = file.require_group(f"DataSetInfo/Channel {channel}")
            group.attrs["Name"] = letters(("DAPI", "GFP")[channel])
            group.attrs["LSMEmissionWavelength"] = letters((461, 509)[channel])
