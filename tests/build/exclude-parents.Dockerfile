FROM base
COPY --exclude=*.o --exclude=sub/skip src /src/
COPY --parents a/b/c.txt x/./y/z.txt /par/
