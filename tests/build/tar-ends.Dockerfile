# archives with links, which end as some writers leave it: one block, none, something behind
FROM base
ADD none.tar /none/
ADD one.tar /one/
ADD behind.tar /behind/
COPY --from=base /etc/passwd /none/d/
