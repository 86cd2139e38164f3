FROM base
WORKDIR /srv
COPY app .
COPY app/ /opt/app
COPY app/sub/ sub2/
COPY . /all/
