"""Slides as scanners write them, made with tifffile: pyramids with a thumbnail, label and macro."""

import struct

import numpy as np
import tifffile

_APERIO = "Aperio Image Library v11.2.1\r\n{w}x{h} (256x256) JPEG/RGB|AppMag = 20|MPP = 0.5"


def scene(height, width):
    """Return a bright glass with stained tissue in it, (Y, X, 3) uint8."""
    rows, columns = np.mgrid[:height, :width]
    data = np.full((height, width, 3), 240, np.uint8)
    data += (rows % 7)[..., None].astype(np.uint8)
    tissue = (np.abs(rows - height * 0.5) < height * 0.2) & (
        np.abs(columns - width * 0.6) < width * 0.15
    )
    data[tissue] = (150, 60, 140)
    data[..., 1] -= (columns % 31).astype(np.uint8) * tissue
    return data


def write_svs(path, data, *, levels=3, **options):
    """Write a slide of Aperio's layout, with a thumbnail, a label and a macro image."""
    options = {"photometric": "rgb", "metadata": None, **options}
    with tifffile.TiffWriter(path, bigtiff=data.nbytes > 2**31) as writer:
        text = _APERIO.format(w=data.shape[1], h=data.shape[0])
        writer.write(data, tile=(256, 256), description=text, **options)
        writer.write(data[::16, ::16], description=text, **options)
        for level in range(1, levels):
            part = data[:: 4**level, :: 4**level]
            writer.write(part, tile=(256, 256), description=text, **options)
        small = np.ascontiguousarray(data[:48, :64])
        label = "Aperio Image Library v11.2.1\r\nlabel 64x48"
        macro = "Aperio Image Library v11.2.1\r\nmacro 64x48"
        writer.write(small, subfiletype=1, description=label, **options)
        writer.write(small, subfiletype=9, description=macro, **options)


def write_ndpi(path, data):
    """Write a slide with the tags of Hamamatsu's NDPI."""
    options = {"photometric": "rgb", "metadata": None, "resolution": (20000, 20000)}
    options["resolutionunit"] = "centimeter"
    plain = path.with_suffix(".tif")
    with tifffile.TiffWriter(plain) as writer:
        for lens, step in ((40.0, 1), (10.0, 4), (-1.0, 16)):
            tags = [
                (65420, 4, 1, 1, True),
                (65421, 11, 1, lens, True),
                (271, 2, 10, "Hamamatsu", True),
            ]
            writer.write(data[::step, ::step], tile=(256, 256), extratags=tags, **options)
    plain.rename(path)
    _widen_links(path)


def _widen_links(path):
    """Give a TIFF file the links of 64 bits that NDPI has."""
    content = bytearray(path.read_bytes())
    start, place = struct.unpack_from("<I", content, 4)[0], 4
    directories = []
    while start:
        count = struct.unpack_from("<H", content, start)[0]
        end = start + 2 + 12 * count
        directories.append(bytes(content[start:end]))
        start = struct.unpack_from("<I", content, end)[0]
    for directory in directories:
        content += bytes(-len(content) % 2)
        struct.pack_into("<Q", content, place, len(content))
        content += directory
        place = len(content)
        content += bytes(8 + 4 * ((len(directory) - 2) // 12))
    path.write_bytes(content)


def write_scn(path, data):
    """Write a slide with the XML of Leica's SCN: a macro image, and an image of two levels."""
    height, width = data.shape[:2]
    nanometers = 500
    image = (
        '<image><creationDate>2020</creationDate><device model="m" version="v"/>'
        "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings>"
        "<illuminationSettings><numericalAperture>0.4</numericalAperture>"
        "<illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings>"
        '<pixels sizeX="{w}" sizeY="{h}">{dimensions}</pixels>'
        '<view sizeX="{x}" sizeY="{y}" offsetX="{left}" offsetY="{top}"/></image>'
    )
    size = '<dimension sizeX="{}" sizeY="{}" r="{}" ifd="{}"/>'
    macro = image.format(
        w=64, h=48, dimensions=size.format(64, 48, 0, 0), x=10**8, y=10**8, left=0, top=0
    )
    levels = size.format(width, height, 0, 1) + size.format(-(-width // 4), -(-height // 4), 1, 2)
    main = image.format(
        w=width,
        h=height,
        dimensions=levels,
        x=width * nanometers,
        y=height * nanometers,
        left=10**6,
        top=10**6,
    )
    text = (
        '<scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">'
        f'<collection sizeX="{10**8}" sizeY="{10**8}">{macro}{main}</collection></scn>'
    )
    options = {"photometric": "rgb", "metadata": None}
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.ascontiguousarray(data[:48, :64]), description=text, **options)
        writer.write(data, tile=(256, 256), **options)
        writer.write(data[::4, ::4], tile=(256, 256), **options)


def write_bif(path, data):
    """Write a slide with the descriptions and XMP of Ventana's BIF: a label, and three levels."""
    xmp = b'<Metadata><iScan Magnification="20" ScanRes="0.5"/></Metadata>'
    tags = [(700, 7, len(xmp), xmp, True)]
    options = {"photometric": "rgb", "metadata": None, "software": "ScanOutputManager 1.1.0.15854"}
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        label = np.ascontiguousarray(data[:48, :64])
        writer.write(label, description="Label_Image", extratags=tags, **options)
        for level in range(3):
            text = f"level={level} mag={20 / 4**level:g} quality=95"
            part = data[:: 4**level, :: 4**level]
            writer.write(part, tile=(256, 256), description=text, **options)
