"""The command line: the edge where people meet the house.

`main.py` gathers the commands; each family has one file. What reads a running house asks its
control socket and imports nothing heavy, so that `pems status` answers at once; what computes
(simulate, bench) imports its tools when it is called. Drawings are pure functions in `*_view.py`.
"""
