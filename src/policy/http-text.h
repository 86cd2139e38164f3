/* policy/http-text.h - what a line of HTTP/1 is made of (RFC 9110, 9112), for the relay, which
 * reads requests on port 80, and for the vault, which reads both sides of terminated connections.
 *
 * Pure, and strict: one of the two readers taking for a line, a name or a length what the other
 * does not would be a way past it.
 */
#ifndef BAWN_POLICY_HTTP_TEXT_H
#define BAWN_POLICY_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_span {
	const char *p;
	size_t n;
};

bool http_is_tchar(char c);
bool http_is_token(struct http_span s);              /* at least one character */
bool http_is(struct http_span s, const char *lower); /* case does not matter */
/* The same for the name of a field, as those take it that make variables of names: "_" is "-". */
bool http_names(struct http_span s, const char *lower);
struct http_span http_trim(struct http_span s); /* spaces and tabs at both ends */
/* Visible bytes, space and tab, and anything above ASCII. */
bool http_is_field_text(struct http_span s);

/* The next line of buf[*at..n), without its CRLF; *at moves behind it.  0 when there is no whole
 * line yet, -EBADMSG for a bare CR or LF or a NUL. */
int http_next_line(const char *buf, size_t n, size_t *at, struct http_span *ret);

/* "name: value"; no folded line, no space before the colon.  0 or -EBADMSG. */
int http_split_field(struct http_span l, struct http_span *ret_name, struct http_span *ret_value);

/* Digits alone, at most 18: that can't overflow.  0 or -EBADMSG. */
int http_read_length(struct http_span v, int64_t *ret);

/* A chunk's size line, with what may stand behind the size: bytes of it, 0: not whole yet,
 * -EBADMSG.  At most 15 digits and 256 bytes. */
int http_chunk_line(const char *buf, size_t n, uint64_t *ret_size);

#endif
