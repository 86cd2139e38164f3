# plan: the description of one launch, its invariants, its printed and its wire form
noinst_LIBRARIES += libplan.a
libplan_a_SOURCES = \
	src/plan/plan.h src/plan/plan.c src/plan/plan-print.c \
	src/plan/control.h src/plan/sudo.h \
	src/plan/wire.h src/plan/wire.c \
	src/plan/wire-exec.h src/plan/wire-exec.c
