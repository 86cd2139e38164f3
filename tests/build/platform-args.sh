# options: --build-arg GIVEN=yes --build-arg GIVEN_TOO=
