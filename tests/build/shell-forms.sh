# the context of shell-forms
:
