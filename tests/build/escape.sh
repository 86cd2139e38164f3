# the context of escape
:
