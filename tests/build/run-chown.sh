# the context of run-chown
:
