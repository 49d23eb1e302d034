"""After and around a run: ``approve`` alone approves a decoder, ``grant`` lets the engine arm."""
