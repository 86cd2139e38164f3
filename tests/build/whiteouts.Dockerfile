FROM base
RUN mkdir -p /d/e && echo 1 >/d/f && echo 2 >/d/e/g && echo 3 >/h
RUN rm -r /d/e /h && mkdir /h && echo 4 >/h/i
RUN rm -r /d && mkdir /d && echo 5 >/d/new
