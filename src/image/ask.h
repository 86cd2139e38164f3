/* image/ask.h - asking bawn-image, one answer a call; for ask-*.c alone. */
#ifndef BAWN_IMAGE_ASK_H
#define BAWN_IMAGE_ASK_H

#include "image/request.h"

struct image_line {
	char *key, *value;
};
struct image_lines {
	struct image_line *v;
	size_t n;
};

/* The lines before "done".  Its own errors come back as they were said; -EBADMSG when it dies, or
 * answers with something else. */
int image_ask(const char *helper, struct arena *a, const struct image_request *req,
	struct image_lines *ret, struct err *err);
/* The same from an answer's text, which is changed. */
int image_lines_parse(
	struct arena *a, char *text, size_t n, struct image_lines *ret, struct err *err);
/* The answer is not as it has to be. */
int image_bad_answer(struct err *err);
/* "DIGEST SIZE MEDIATYPE". */
int image_desc_parse(struct arena *a, const char *text, struct image_desc *ret);

#endif
