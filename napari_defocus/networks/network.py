"""Base class of the networks, by which their descriptor has a type."""

from torch import nn

from napari_defocus.networks.descriptor import Descriptor


class Network(nn.Module):
    """A network with a descriptor.

    Networks of users need not derive from it: a module with such an attribute will do.

    Attributes
    ----------
    descriptor : Descriptor
        Inputs, outputs and limits.
    """

    descriptor: Descriptor
