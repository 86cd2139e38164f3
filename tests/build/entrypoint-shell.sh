# the context of entrypoint-shell
:
