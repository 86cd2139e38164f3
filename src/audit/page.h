/* audit/page.h - what the files of a report's page share.
 *
 *   page.c         frame, head, and the ways by which text gets onto it
 *   page-plot.c    timeline and traffic
 *   page-lists.c   tables and lists
 *
 * All that is not a literal of these files or a number goes through page_put() or page_put_safe().
 */
#ifndef BAWN_AUDIT_PAGE_H
#define BAWN_AUDIT_PAGE_H

#include <stdio.h>

#include "audit/report.h"

/* Text whose control and bidi characters are gone; and text as it came. */
void page_put_safe(FILE *to, const char *shown);
void page_put(FILE *to, const char *text);
/* A command to be pasted: quoted for the shell already, its backslashes stay. */
void page_put_command(FILE *to, const char *text);
/* A cell, or another element that holds nothing but this text.  class: NULL for none. */
void page_element(FILE *to, const char *tag, const char *class, const char *text);

const char *page_bytes(int64_t n, char dst[static 32]);
const char *page_duration(int64_t us, char dst[static 32]);
const char *page_when(int64_t us, bool zone, char dst[static 64]);
/* A string of the event, "" where there is none (or no event). */
const char *page_field(const struct report_event *e, const char *key);

/* Sections, in the order in which they stand. */
void page_timeline(const struct report *r, FILE *to);
void page_traffic(const struct report *r, FILE *to);
void page_denials(const struct report *r, FILE *to);
void page_requests(const struct report *r, FILE *to);
void page_files(const struct report *r, FILE *to);
void page_sessions(const struct report *r, FILE *to);
void page_policy(const struct report *r, FILE *to);
void page_guards(const struct report *r, FILE *to);

#endif
