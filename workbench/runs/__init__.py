"""After and around a run: fit, approve, grant. The only rooms that know both the record and the engine."""
