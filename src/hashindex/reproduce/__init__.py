"""HashNet beside its baselines and without its parts, on data that is at hand: what the README says of them.

`methods.py` names the rows, `tasks.py` the data, `experiment.py` trains, encodes and judges, `findings.py` is what
comes out, `listing.py` shows it.
"""
