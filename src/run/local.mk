# run: how a sandbox is put together from options, facts and its description, entered, supervised and
# accounted for; a part of bawn alone, which compiles it with its own flags
run_sources = \
	src/run/run.h src/run/run-supervise.c src/run/run-stdio.c \
	src/run/signals.h src/run/signals.c \
	src/run/options.h src/run/options.c \
	src/run/run-options.c src/run/run-facts.c src/run/run-argv.c src/run/run-args.c src/run/run-limits.c src/run/run-case.c src/run/run-clock.c \
	src/run/credential.h src/run/run-credential.c src/run/run-ca.c src/run/run-vault.c \
	src/run/login.h src/run/run-login.c src/login/login.h \
	src/run/image.h src/run/run-image.c src/run/run-root.c src/run/run-kept.c src/run/step.h src/run/run-step.c \
	src/run/rows.h src/run/run-plan.c src/run/run-plan-lend.c src/run/run-plan-env.c src/run/run-links.c src/run/run-git.c src/run/run-trees.c src/run/run-change.c src/run/run-scan.c src/run/named.h src/run/run-named.c src/run/run-audit.c \
	src/run/run-end.c src/run/run-result.c src/run/learn-who.h src/run/learn-who.c src/run/learn-request.h src/run/learn-request.c src/run/learn.c \
	src/run/lasting.h src/run/lasting.c src/run/lasting-name.c src/run/lasting-profile.c \
	src/run/lasting-copy.h src/run/lasting-copy.c \
	src/run/live.h src/run/live.c src/run/live-spec.c src/run/run-ask.c \
	src/run/run-look.c \
	src/run/pull.h src/run/pull.c \
	src/run/changes.h src/run/changes.c \
	src/run/checkpoint.h src/run/checkpoint.c \
	src/run/clone.h src/run/clone.c
