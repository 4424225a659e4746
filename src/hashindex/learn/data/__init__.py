"""Images and labels to learn from and to be judged on; NumPy alone, Pillow where image files are read.

`digits.py` has real images that need no download, `cifar10.py` and `paper.py` the benchmarks one has to have,
`lists.py` and `images.py` one's own images, and `check_lists.py` what is wrong with lists.
"""

from .check_lists import Finding, ListCheck, check_lists, summary
from .cifar10 import Cifar10, cifar10, cifar10_all, cifar10_few, cifar10_long_tailed
from .digits import N_QUERY_SCANS, collage, digits, long_tailed_digits, two_digits
from .images import Images
from .lists import ImageList, read_list
from .pairs import SimilarPairs, similar_pairs
from .paper import BENCHMARKS, COCO, IMAGENET_100, NUS_WIDE_81, Benchmark
from .task import Task, head_and_tail

__all__ = [
    "BENCHMARKS",
    "COCO",
    "IMAGENET_100",
    "NUS_WIDE_81",
    "N_QUERY_SCANS",
    "Benchmark",
    "Cifar10",
    "Finding",
    "ImageList",
    "Images",
    "ListCheck",
    "SimilarPairs",
    "Task",
    "check_lists",
    "cifar10",
    "cifar10_all",
    "cifar10_few",
    "cifar10_long_tailed",
    "collage",
    "digits",
    "head_and_tail",
    "long_tailed_digits",
    "read_list",
    "similar_pairs",
    "summary",
    "two_digits",
]
