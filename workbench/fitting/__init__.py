"""From recordings to the arrays of a decoder: done once, before a session. LAPACK is allowed here."""
