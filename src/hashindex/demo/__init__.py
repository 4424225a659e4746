"""The demo: train HashNet on real images, index the codes, compare every answer with faiss, measure.

Needs ``pip install 'hashindex[demo]'``. `job.py` does the work and returns plain data (`result.py`); the page and the
printed listing are made from that (`page/`, `summary.py`). faiss comes in at `crosscheck.py` and `throughput.py`.
"""
