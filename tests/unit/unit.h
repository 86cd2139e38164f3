/* unit.h - cmocka's headers in the order they need. */
#ifndef BAWN_TESTS_UNIT_H
#define BAWN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
