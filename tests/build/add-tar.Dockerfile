FROM base
ADD t.tar /plain/
ADD t.tgz /packed
ADD --chown=5:6 plain.txt /file/
COPY t.tgz /kept/
ADD not.gz /kept/
