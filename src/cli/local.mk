# cli: the executables bawn and bawn-admin
