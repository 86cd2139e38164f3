# the context of target
# options: --target first
:
