# the recipes of profiles/, read by the parser of Dockerfiles
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-recipes
TESTS += tests/unit/test-recipes
tests_unit_test_recipes_SOURCES = tests/unit/test-recipes.c
tests_unit_test_recipes_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_recipes_LDADD = libbuild.a libbase.a $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/unit/test-recipes.c
