# the context of user-workdir
:
