# what a user writes where root's files are: anew, appended, moved, in the place of directories
FROM base
RUN mkdir -p /w/old /w/sub && chown app:app /w /w/old && echo r >/w/r && echo r2 >/w/r2 && echo r3 >/w/r3 && echo r4 >/w/r4 && chmod 666 /w/r2 \
    && echo o >/w/old/o && echo s >/w/sub/s && echo a >/w/a && chown app:app /w/a && echo t >/w/t && chown 7:8 /w/t
USER app
RUN cd /w && echo more >>r2 && sed -i s/r/x/ r && sed -i s/a/b/ a && sed -i s/t/u/ t && echo new >n && mv r3 moved && cp r4 copied \
    && rm -rf old && mkdir old && echo mine >old/o && mkdir d && mv r4 d/ && ln a hard && chmod 700 a
WORKDIR /w/made/deep
RUN echo f >f
