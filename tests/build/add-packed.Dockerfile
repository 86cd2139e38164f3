FROM base
ADD a.tar.xz /xz/
ADD a.tar.bz2 b.tar.gz /both/
ADD a.txz plain.xz /mixed/
ADD a.tbz2 /named
COPY a.tar.xz /as-it-is.tar.xz
