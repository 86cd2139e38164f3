# ".." and "." in WORKDIR and in where things go, also to a shorter name and to the root
FROM base
WORKDIR /longer/name
COPY f ../s/
COPY f ./../../r
WORKDIR ../x
RUN pwd >here
COPY d ../../../top/./e/..
WORKDIR /longer/..
COPY f w
WORKDIR srv/./a//b/../../c
