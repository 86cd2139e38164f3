# the context of run-links
:
