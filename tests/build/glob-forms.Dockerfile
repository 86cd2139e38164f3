FROM base
COPY *.txt /one/
COPY src/*/f.c /two/
COPY src/?/*.h src/[ab]/only-? /three/
COPY [^x]*.md /four/
COPY src/a*/ /five/
COPY dir*/ /six/
COPY ./src/../a.txt /seven/
COPY ["with space.txt", "a.txt", "/eight dir/"]
