"""The engine of a session: one detached process that acquires, records, decodes and controls.

``python -m workbench.engine STUDY`` starts it; notebooks and dashboards reach it through :mod:`workbench.live` and
may come and go. It writes to the recording only, which is the truth.

Who owns what, and on which thread it runs::

    Engine (process)     the loop                      Supervisor   its own thread: looks at all others
    ├─ Server            the door, its own thread: status, presence and STOP at once, the rest waits for the loop
    ├─ RequestHandler ─ RunStart ─ Rehearsal (a thread while a run compiles)
    ├─ DecodeLoop        one run through workbench.decode; pumps the engine while it waits for samples
    └─ Session           made of its parts, each of those above it
       ├─ Streams        the contract: state, rate, clock offset of each stream; stream time
       ├─ EventLog       rows, events, and which run is open (LiveRun ─ LiveSource, RunWriter); any thread
       ├─ Outlets        cues and decisions for other programs
       ├─ SessionEffector ─ EffectorLink ─ Controller   behind one lock: loop, door and listening threads
       │                               ├─ DeviceChannel   signed messages; listening threads
       │                               └─ EffectorRecording   what a run records of it
       ├─ Players        simulated and replayed devices, in their own processes
       ├─ Connections    finds, loses and takes streams; Inlets pull them on their threads into one queue
       ├─ SignalMonitor  display ring, signal quality
       ├─ RunControl     begin, pause, resume, end
       ├─ StopLatch      STOP: any thread for the effector, the loop for the rest
       ├─ FailureResponse   a lost thread, a standstill; any thread
       └─ Intake         where each arrival of an inlet goes
"""
