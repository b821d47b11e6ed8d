"""The command line of the small programs here: names of what must be said, in order."""

import argparse


def arguments(doc, *must, **may):
    """must: a name with a + behind it is of one or more. may: what can be left out, with
    what it is then, an int if that is one."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in must:
        p.add_argument(name.rstrip("+"), nargs="+" if name.endswith("+") else None)
    for name, default in may.items():
        p.add_argument(name, nargs="?", type=type(default), default=default, help=f"{default} if left out")
    return p.parse_args()
