# what an upper layer has in the place of something else
FROM base
RUN mkdir -p /a/x /b/x /c/x /d /e && echo 1 >/a/x/f && echo 1 >/b/x/f && echo 1 >/c/x/f && echo 1 >/d/f && echo 1 >/g && ln -s a /l && ln -s d /m
RUN rm -r /a && echo file >/a
RUN rm -r /b && ln -s c /b
RUN rm /g && mkdir /g && echo in >/g/in
RUN rm /l && mkdir /l && echo in >/l/in
RUN rm -r /c/x && mkdir /c/x && echo 2 >/c/x/g
RUN mv /d /n && mkdir /d && ln -sfn n /m && echo more >>/n/f
RUN rmdir /e && mkdir -m 700 /e && chmod 751 /c && chown 7:8 /c
COPY f /a
COPY d /c/x/
RUN rm -rf /c/x/* /n && mkdir /n
RUN touch /n/.hidden && mkdir -p /empty/one/two && rm -r /empty/one
