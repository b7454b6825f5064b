"""A small file of every microscope's format, for tests that damage or batch them all."""

import lzma
from pathlib import Path

import numpy as np

from .czi_file import CziFile
from .lif_file import lif_bytes
from .lsm_file import lsm_bytes
from .nd2_file import nd2_bytes

KINDS = {
    "CZI": "czifile",
    "IMS": "h5py",
    "LIF": "liffile",
    "LSM": "",
    "ND2": "nd2",
    "OIB": "oiffile",
}
FLUOVIEW = Path(__file__).parent / "files" / "fluoview.oib.xz"
STACK = np.random.default_rng(0).integers(0, 4096, (2, 3, 2, 20, 30), np.uint16)


def write_examples(folder, kind):
    """Write files of a format to a folder."""
    if kind == "CZI":
        for compression in (0, 2, 4, 5, 6):
            file = CziFile()
            for t, c in np.ndindex(2, 3):
                file.add(STACK[t, c, 0], T=t, C=c, M=0, S=0, compression=compression)
            file.write(folder / f"{compression}.czi", times=(0.0, 1.0))
    elif kind == "IMS":
        from .ims_file import write_ims

        write_ims(folder / "plain.ims", STACK[:1, :2])
        write_ims(folder / "packed.ims", STACK[:1, :2], compression="gzip", shuffle=True)
    elif kind == "LIF":
        images = [(STACK, "TZCYX", {"times": range(12)}), (STACK[0, :, 0], "ZYX", {})]
        (folder / "a.lif").write_bytes(lif_bytes(*images))
    elif kind == "LSM":
        (folder / "a.lsm").write_bytes(lsm_bytes(STACK))
    elif kind == "ND2":
        (folder / "plain.nd2").write_bytes(nd2_bytes(STACK, "TPCYX"))
        (folder / "packed.nd2").write_bytes(nd2_bytes(STACK, "TPCYX", compressed=True))
    else:
        (folder / "a.oib").write_bytes(lzma.decompress(FLUOVIEW.read_bytes()))
