"""OME-Zarr stores of all versions and layouts, written without the code under test."""

import numpy as np
import pytest


def pixels(shape=(24, 40), dtype=np.uint16, seed=0):
    return np.random.default_rng(seed).integers(100, 4000, shape).astype(dtype)


def _group(store, path, version):
    zarr = pytest.importorskip("zarr")
    return zarr.open_group(
        str(store), mode="a", zarr_format=3 if version == "0.5" else 2, path=path
    )


def set_attributes(store, path, version, **fields):
    """Set attributes of a group, under "ome" as version 0.5 wants."""
    _group(store, path, version).attrs.update(
        {"ome": {"version": version, **fields}} if version == "0.5" else fields
    )


def write_image(store, path="", *, data=None, axes="yx", version="0.4", steps=None, **fields):
    """Write an image of one size; `steps` are transformations of its array."""
    data = pixels() if data is None else data
    chunks = (1,) * (data.ndim - 2) + data.shape[-2:]
    group = _group(store, path, version)
    group.create_array("0", shape=data.shape, dtype=data.dtype, chunks=chunks)[...] = data
    scale = [{"type": "scale", "scale": [1.0] * data.ndim}]
    image = {"datasets": [{"path": "0"}]}
    if version in ("0.4", "0.5"):
        image["datasets"][0]["coordinateTransformations"] = scale if steps is None else steps
    if version != "0.5":
        image["version"] = version
    if axes and version == "0.3":
        image["axes"] = list(axes)
    elif axes:
        types = {"t": "time", "c": "channel"}
        image["axes"] = [
            axis if isinstance(axis, dict) else {"name": axis, "type": types.get(axis, "space")}
            for axis in axes
        ]
    extra = {name: fields.pop(name) for name in ("omero",) if name in fields}
    set_attributes(store, path, version, multiscales=[{**image, **fields}], **extra)
    return store


def write_plate(store, wells, *, fields=1, version="0.4", **image):
    """Write a plate; `wells` are paths such as "B/2", and all fields have other pixels."""
    rows = sorted({well.split("/")[0] for well in wells})
    columns = sorted({well.split("/")[1] for well in wells}, key=int)
    listed = [
        {
            "path": well,
            "rowIndex": rows.index(well.split("/")[0]),
            "columnIndex": columns.index(well.split("/")[1]),
        }
        for well in wells
    ]
    plate = {
        "rows": [{"name": row} for row in rows],
        "columns": [{"name": column} for column in columns],
        "wells": listed,
        "name": "screen",
    }
    mark = {} if version == "0.5" else {"version": version}
    set_attributes(store, "", version, plate={**plate, **mark})
    for seed, well in enumerate(wells):
        images = [{"path": str(field)} for field in range(fields)]
        set_attributes(store, well, version, well={"images": images, **mark})
        for field in range(fields):
            data = image.get("data", pixels(seed=10 * seed + field))
            write_image(store, f"{well}/{field}", **{**image, "version": version, "data": data})
    return store


def write_series(store, count, *, version="0.4", **image):
    """Write a store as bioformats2raw does."""
    set_attributes(store, "", version, **{"bioformats2raw.layout": 3})
    names = [str(index) for index in range(count)]
    set_attributes(store, "OME", version, series=names)
    (store / "OME" / "METADATA.ome.xml").write_text("<OME/>")
    for seed, name in enumerate(names):
        write_image(store, name, version=version, data=pixels(seed=seed), **image)
    return store
