FROM base
ARG W=world
COPY <<one <<-"two" /etc/conf/
hello $W ${NO:-none}
one
	raw $W
	two
COPY --chown=1:2 --chmod=600 <<EOF /etc/single.conf
"quoted" it's
EOF
