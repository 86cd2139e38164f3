FROM base
WORKDIR rel
WORKDIR ./a//b/../c
RUN echo "$PWD" >where
ENV DIRPATH /path
WORKDIR $DIRPATH/${NOT_SET:-here}
RUN pwd >where
COPY f .
COPY f sub/
COPY f ./sub/as
COPY d /d
COPY d/ /d2/
COPY d/. /d3
COPY f /new/dir/file
COPY f d /both/
RUN mkdir /real && ln -s real /link && ln -s /real /abs
WORKDIR /link
RUN echo x >through
WORKDIR /abs/sub
COPY f ./
COPY d /link/
WORKDIR "/with space"
RUN pwd >where
