# the context of heredoc-run
:
