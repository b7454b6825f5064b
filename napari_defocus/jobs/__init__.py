"""Jobs that the public functions, the command line, the widgets and the batch run.

A job says which models take part (:attr:`Job.models`), does its work step by step
(:meth:`Job.steps`, for worker threads) or at once (:meth:`Job.run`), and describes itself for
provenance (:attr:`Job.parameters`).
"""

from .check import CheckJob
from .deblur import DeblurJob
from .estimate import EstimateJob
from .featureless import find_featureless
from .job import Job
from .refocus import RefocusJob

__all__ = ["CheckJob", "DeblurJob", "EstimateJob", "Job", "RefocusJob", "find_featureless"]
