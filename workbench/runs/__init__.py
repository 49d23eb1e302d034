"""After and around a run: fit, approve, grant, the visits and the page of a session.

The only room that knows both the record and the engine; ``approve`` alone approves a decoder.
"""
