# the context of cache-mount
:
