# tests: unit (cmocka), fuzz corpora, integration (bats, as an ordinary user)
