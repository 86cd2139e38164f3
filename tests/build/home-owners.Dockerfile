# whose root's files in a home are, for who looks: cp -a, and a chown that keeps the group
FROM base
RUN mkdir /home/tools /opt && echo t >/home/tools/t && busybox cp -a /home/tools /copy && busybox stat -c %u:%g /home/app /home/tools/t >/seen
RUN busybox chown app /home/app && busybox chown -R :staff /home/tools && busybox cp -a /home/app /home/tools /opt/
USER app
RUN echo mine >/tmp/mine
USER root
RUN echo r >/home/app/roots && busybox cp -a /home/app/roots /tmp/mine /opt/
