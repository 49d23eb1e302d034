"""Commands of ``workbench …``, one per file. The folder is the register; an entry defines ``COMMAND``.

Printing the help imports every command's file: slow imports therefore stand inside the function that runs.
"""

from workbench.commands._main import main
from workbench.commands._parser import available, build_parser, load
from workbench.commands._subcommand import Subcommand

__all__ = ["Subcommand", "available", "build_parser", "load", "main"]
