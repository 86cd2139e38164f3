# destinations through links that lead to what is not there yet
FROM base
RUN mkdir -p /var/q && ln -s /nonexist/y /dangling && ln -s ../../run2/lock /var/lock && ln -s /var/lock/deep /l2 && ln -s /l4 /l3 && ln -s l5/x /l4 && ln -s ../new /var/q/up
COPY file /dangling/z
COPY --chown=5:6 d /var/lock/sub/
COPY file /l2/
COPY d /l3/
ADD d /var/q/up/er/
WORKDIR /l3/wd
RUN pwd -P >p
