printf '#!/bin/sh\nset -e\nexec "$@"\n' >docker-entrypoint.sh
chmod 755 docker-entrypoint.sh
