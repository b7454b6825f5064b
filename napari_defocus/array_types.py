"""NumPy array types that all packages share."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
