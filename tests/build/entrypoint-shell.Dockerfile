FROM base
CMD echo $HOME
ENTRYPOINT exec top -b
