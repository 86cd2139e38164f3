# the context of from-stage
:
