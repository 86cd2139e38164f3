# what an archive says of owners, against --chown
FROM base
ADD --chown=app:staff t.tar /x/
