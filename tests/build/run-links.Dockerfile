FROM base
RUN mkdir /l && cd /l && echo x >a && ln a b && ln -s a c && ln -s /none d && mkfifo p
RUN cd /l && echo y >z && chmod 6755 z && mkdir -m 1777 t && echo n >0 && chmod 0 0
