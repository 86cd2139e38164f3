# the context of stages
:
