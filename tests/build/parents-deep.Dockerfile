# --parents with ** and directories of their own mode; --exclude with an exception
FROM base
COPY --parents **/package.json /one/
COPY --parents pk/./**/package.json /two/
COPY --parents --exclude=pk/b ./pk/*/package.json /three/
COPY --parents --exclude=**/src pk /four/
COPY pk/**/package.json /five/
COPY --exclude=** --exclude=!s/d.md d /six/
COPY --parents --chown=app pk/a d/s/d.md seven/
