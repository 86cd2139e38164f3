# the context of metadata
:
