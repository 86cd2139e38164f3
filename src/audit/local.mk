# audit: the event table and the writer (libc only: they stand in bawn), and the readers
noinst_LIBRARIES += libaudit.a libaudit-read.a
libaudit_a_SOURCES = \
	src/audit/audit.h src/audit/audit.c \
	src/audit/chain.h src/audit/chain.c \
	src/audit/events.h src/audit/events.c
libaudit_read_a_SOURCES = \
	src/audit/read.h src/audit/tail.c src/audit/show.c \
	src/audit/verify.c \
	src/audit/report.h src/audit/report.c src/audit/report-changes.c \
	src/audit/page.h src/audit/page.c src/audit/page-plot.c src/audit/page-lists.c \
	src/audit/page-style.h
