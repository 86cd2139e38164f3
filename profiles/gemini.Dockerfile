# gemini: a template with the tool of the profile gemini.  To make it: bawn template build -t gemini -f FILE .
# "debian" is what bawn template bootstrap debian makes, or the image of that name.
FROM debian
RUN apt-get update && \
	apt-get install -y --no-install-recommends bash ca-certificates curl git jq less nodejs npm \
		openssh-client procps python3 python3-pip python3-venv ripgrep sudo unzip xz-utils && \
	rm -rf /var/lib/apt/lists/*
# The tools want a newer one than Debian's.
RUN npm install -g node@22 && npm cache clean --force
RUN useradd --create-home --user-group --uid 1000 --shell /bin/bash agent && \
	echo 'agent ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/agent && \
	chmod 0440 /etc/sudoers.d/agent
RUN npm install -g @google/gemini-cli && npm cache clean --force
USER agent
WORKDIR /home/agent
CMD ["gemini"]
