"""Worker processes that may die: what may hang, crash or eat memory runs there.

pool         `WorkerPool`, which the rest of the service uses
schedule     what a free worker does next, and when it gives way to something else
supervisor   keeps the workers alive
handles      the service's end of the fork server and of each worker
fork_server  the process that workers are forked from
worker       what a worker does
sandbox      what a worker may not do
"""
