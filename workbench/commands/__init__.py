"""Commands of ``workbench …``, one per file. The folder is the register; an entry defines ``COMMAND``.

A command's file is imported to print the help of all commands: what is slow to import is imported where it runs.
"""

from workbench.commands._main import main
from workbench.commands._parser import available, build_parser, load
from workbench.commands._subcommand import Subcommand

__all__ = ["Subcommand", "available", "build_parser", "load", "main"]
