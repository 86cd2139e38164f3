FROM base
RUN <<EOF
set -e
echo "one $((1+1))" >/a
EOF
RUN cat <<'A' >/b && cat <<-B >>/b
$x stays
A
	indented
	B
RUN <<S
#!/bin/sh
echo script "$0" >/dev/null
echo ran >/c
S
