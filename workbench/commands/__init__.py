"""Commands of ``workbench …``, one a file; each has ``add(commands)``, which adds it to the parser."""
