# the context of stage-unused
:
