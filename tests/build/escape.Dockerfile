# escape=`
FROM base
RUN echo one `
    two >/a
ENV P=c:\dir
RUN echo "$P" >/b
