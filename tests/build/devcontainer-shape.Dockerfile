# as a container for developers is written: a user of chosen ids with sudo, a home with files of its own
ARG VARIANT=latest
FROM base:${VARIANT}
ARG USERNAME=vscode
ARG USER_UID=1002
ARG USER_GID=$USER_UID
ENV DEBIAN_FRONTEND=noninteractive

RUN echo "$USERNAME:x:$USER_GID:" >>/etc/group \
    && echo "$USERNAME:x:$USER_UID:$USER_GID::/home/$USERNAME:/bin/sh" >>/etc/passwd \
    && mkdir /home/$USERNAME && chown $USERNAME:$USERNAME /home/$USERNAME \
    && mkdir -p /etc/sudoers.d \
    && echo $USERNAME ALL=\(root\) NOPASSWD:ALL > /etc/sudoers.d/$USERNAME \
    && chmod 0440 /etc/sudoers.d/$USERNAME

COPY --chown=$USERNAME:$USERNAME dotfiles/ /home/$USERNAME/
COPY --chown=${USER_UID} library-scripts/*.sh /tmp/library-scripts/
RUN sh /tmp/library-scripts/common.sh && rm -rf /tmp/library-scripts

USER $USERNAME
WORKDIR /home/$USERNAME
RUN mkdir -p .config/tool .ssh && chmod 700 .ssh && echo "$HOME $(id -un)" >.config/tool/who && ln -s .config/tool tool
ENV DEBIAN_FRONTEND=dialog
SHELL ["/bin/sh", "-e", "-o", "pipefail", "-c"]
RUN echo x | cat >piped
USER root
RUN chmod 4755 /bin/busybox && echo done >/root/done
USER ${USERNAME}
CMD ["sleep", "infinity"]
