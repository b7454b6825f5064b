"""OME-TIFF images in several files, written without the code under test."""

import numpy as np
import tifffile

NAMESPACE = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def uuid(number):
    return f"urn:uuid:0000000{number}-0000-0000-0000-000000000000"


def plane(number):
    return np.random.default_rng(number).integers(0, 900, (24, 32)).astype(np.uint16)


def image_xml(number, files):
    """Describe an image with one plane in each of some files, which are named by numbers."""
    data = "".join(
        f'<TiffData IFD="0" FirstZ="{z}" PlaneCount="1">'
        f'<UUID FileName="s_{file}.tif">{uuid(file)}</UUID></TiffData>'
        for z, file in enumerate(files)
    )
    return (
        f'<Image ID="Image:{number}"><Pixels ID="Pixels:{number}" DimensionOrder="XYZCT" '
        f'Type="uint16" SizeX="32" SizeY="24" SizeZ="{len(files)}" SizeC="1" SizeT="1" '
        f'PhysicalSizeX="0.{number + 1}"><Channel ID="Channel:{number}:0" SamplesPerPixel="1"/>'
        f"{data}</Pixels></Image>"
    )


def write_set(folder, *images, companion=""):
    """Write files of a plane each, with OME-XML in all of them or in a companion file."""
    body = "".join(image_xml(number, files) for number, files in enumerate(images))
    for file in {file for files in images for file in files}:
        own = f'<BinaryOnly MetadataFile="{companion}" UUID="{uuid(9)}"/>' if companion else body
        xml = f'<?xml version="1.0"?><OME {NAMESPACE} UUID="{uuid(file)}">{own}</OME>'
        tifffile.imwrite(
            folder / f"s_{file}.tif", plane(file), description=xml, metadata=None,
            photometric="minisblack",
        )  # fmt: skip
    if companion and "/" not in companion:
        text = f'<?xml version="1.0"?><OME {NAMESPACE} UUID="{uuid(9)}">{body}</OME>'
        (folder / companion).write_text(text)
    return folder
