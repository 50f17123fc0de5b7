"""The daemon: build, start, wait for the signal, stop in order.   cli/run.py → here

`common` has what everything shares; `pbxs`, `gateways` and `pages` are the three sides of the house; `vitals` says how it is.
"""

from textbackd.daemon.daemon import Daemon, serve

__all__ = ["Daemon", "serve"]
