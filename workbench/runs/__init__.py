"""After a run: decisions on what was fitted. ``approve`` is the only place where a decoder is approved."""
