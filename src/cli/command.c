/* cli/command.c - see command.h */
#include "cli/command.h"

#include <stdio.h>

int command_fail(const struct err *err, int code)
{
	if (err->msg[0])
		fprintf(stderr, "bawn: %s\n", err->msg);
	if (err->hint[0])
		fprintf(stderr, "bawn: %s\n", err->hint);
	return code;
}
