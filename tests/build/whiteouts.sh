# the context of whiteouts
:
