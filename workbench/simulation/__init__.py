"""A simulator of bad luck: the real code under a virtual clock, disk and network, replayable from a seed."""
