# all is left out, but what is named again, and of that some; patterns over it
FROM base
WORKDIR /w
COPY . all/
COPY packages/*/package.json flat/
COPY package.json tsconfig*.json yarn.lock* ./
COPY [^b]? letters/
COPY a[0-9] digits/
COPY ["sp ace", "./spaces/"]
COPY *s/ subs/
COPY config/*/pro*.yml ./prod.yml
COPY docs ./docs/
