# names of files of lower layers, moved and linked (a link of a lower layer that is changed above is
# parted by every overlay)
FROM base
RUN mkdir /d && echo one >/d/a && echo two >/d/c && echo three >/d/e
RUN ln /d/a /d/third && ln /d/c /moved && rm /d/c
RUN mv /d/e /d/renamed && echo more >>/d/renamed
RUN cp -a /d /copy && ln -s ../d/a /copy/link && ln -s /nowhere /copy/dangling
FROM base
COPY --from=0 /d /d
COPY --from=0 /copy /moved /e/
COPY --from=0 /copy/link /followed
