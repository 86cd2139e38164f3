printf '#!/bin/sh\n' >docker-entrypoint.sh
printf '#!/bin/sh\n' >docker-ensure-initdb.sh
chmod 755 docker-*.sh
