"""What pages read of the record: one question for each, answered by the same code in Desk and in Clinic mode.

A page asks whoever has the record (:class:`workbench.dashboard.access.RecordAccess`): an open file in Desk mode,
the service in Clinic mode. What is kept from who looks is judged where the question is answered.
"""
