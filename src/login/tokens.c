/* login/tokens.c - see tokens.h */
#include "login/tokens.h"

#include <time.h>

enum { TOKEN_MIN = 8 };

/* What can stand in a header and be found again: no blanks, no controls, not endless. */
static bool good_token(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	if (n < TOKEN_MIN || n >= LOGIN_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return true;
}

const char *tokens_spec(const struct json_doc *spec, const char *key)
{
	const char *s = json_doc_string(spec, key);
	return s ? s : "";
}

int tokens_look(const struct json_doc *spec, const struct json_doc *file, struct work_values *ret,
	struct err *err)
{
	const char *token = json_doc_at(file, tokens_spec(spec, "token"));
	if (!good_token(token))
		return err_set(err, ENOENT, "there is no access token in it");
	*ret = (struct work_values){.token = strdup(token),
		.expires = json_doc_time_at(file, tokens_spec(spec, "expires"), token),
		.renewable = good_token(json_doc_at(file, tokens_spec(spec, "refresh")))};
	return ret->token ? 0 : err_set(err, ENOMEM, "out of memory");
}

void tokens_put_form(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "%s%s=", b->n ? "&" : "", key);
	for (; *value; value++) {
		bool plain = (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
			(*value >= '0' && *value <= '9') || strchr("-._~", *value);
		buf_addf(b, plain ? "%c" : "%%%02X", (unsigned char)*value);
	}
}

int tokens_request(const struct json_doc *spec, const char *refresh, struct buf *b)
{
	const char *code = tokens_spec(spec, "code");
	const char *const rows[][2] = {
		{"grant_type", *code ? "authorization_code" : "refresh_token"},
		{"refresh_token", *code ? "" : refresh}, {"code", code},
		{"redirect_uri", tokens_spec(spec, "redirect")},
		{"code_verifier", tokens_spec(spec, "verifier")},
		{"state", tokens_spec(spec, "state")},
		{"client_id", tokens_spec(spec, "client_id")},
		{"client_secret", tokens_spec(spec, "client_secret")},
		{"scope", tokens_spec(spec, "scope")}};
	_cleanup_(json_doc_freep) struct json_doc *d = json_doc_new();
	for (size_t i = 0; d && i < ARRAY_LEN(rows); i++) {
		if (!rows[i][1][0])
			continue;
		if (*tokens_spec(spec, "form"))
			tokens_put_form(b, rows[i][0], rows[i][1]);
		else
			json_doc_set_at(d, rows[i][0], rows[i][1]);
	}
	if (*tokens_spec(spec, "form"))
		return b->n ? 0 : -ENOMEM;
	_cleanup_free_ char *text = d ? json_line_text(d) : NULL;
	return text ? buf_add(b, text, strlen(text)) : -ENOMEM;
}

/* RFC 6749 4.1.2.1 and 5.2, and what these endpoints say besides. */
const char *tokens_word(const char *error)
{
	static const char *const words[] = {"invalid_request", "invalid_client", "invalid_grant",
		"unauthorized_client", "unsupported_grant_type", "invalid_scope", "access_denied",
		"server_error", "temporarily_unavailable", "refresh_token_reused",
		"refresh_token_expired", "refresh_token_invalidated", "rate_limit_error"};
	for (size_t i = 0; error && i < ARRAY_LEN(words); i++)
		if (streq(words[i], error))
			return words[i];
	return NULL;
}

int tokens_refusal(
	unsigned int status, const struct json_doc *d, struct work_values *ret, struct err *err)
{
	const char *word = tokens_word(d ? json_doc_string(d, "error") : NULL);
	ret->refused = status == 400 || status == 401 || status == 403;
	return err_set(
		err, EACCES, "it answered %u%s%s", status, word ? ", " : "", word ? word : "");
}

int tokens_answer(const struct json_doc *spec, const struct json_doc *d, struct work_values *ret,
	struct err *err)
{
	enum { MOST = 366 * 86400 };
	const char *token = json_doc_string(d, "access_token"),
		   *refresh = json_doc_string(d, "refresh_token"),
		   *id = json_doc_string(d, "id_token");
	int64_t in = 0, now = (int64_t)time(NULL);
	if (!good_token(token))
		return err_set(err, EBADMSG, "there is no access token in its answer");
	json_doc_integer(d, "expires_in", &in);
	ret->token = strdup(token);
	ret->refresh = good_token(refresh) ? strdup(refresh) : NULL;
	ret->id = good_token(id) ? strdup(id) : NULL;
	ret->expires = in > 0 && in < MOST ? now + in : 0;
	if (!ret->expires && streq(tokens_spec(spec, "expires"), "jwt"))
		ret->expires = json_doc_time_at(d, "jwt", token);
	if (!ret->expires)
		ret->expires = now + 3600;
	return ret->token ? 0 : err_set(err, ENOMEM, "out of memory");
}

/* What a file has beside the tokens that no renewal has changed: of a log-in that has just begun.
 */
static int frame(const struct json_doc *spec, struct json_doc *file, const struct work_values *in)
{
	const char *set = tokens_spec(spec, "set"), *place = tokens_spec(spec, "account");
	_cleanup_(json_doc_freep) struct json_doc *add = NULL;
	struct err err;
	int r = *set ? json_doc_parse(set, strlen(set), &add, &err) : 0;
	if (r == 0 && add)
		r = json_doc_merge(file, add, true);
	if (r < 0 || !*place)
		return r;
	_cleanup_free_ char *account = in->id
		? json_jwt_claim(in->id, tokens_spec(spec, "claims"), tokens_spec(spec, "claim"))
		: NULL;
	return account ? json_doc_set_at(file, place, account) : -EINVAL;
}

int tokens_apply(const struct json_doc *spec, struct json_doc *file, const struct work_values *in,
	struct work_values *ret, struct err *err)
{
	char now[32];
	time_t t = time(NULL);
	struct tm tm;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	int r = frame(spec, file, in);
	if (r == 0)
		r = json_doc_set_at(file, tokens_spec(spec, "token"), in->token);
	if (r == 0 && in->refresh)
		r = json_doc_set_at(file, tokens_spec(spec, "refresh"), in->refresh);
	if (r == 0 && in->id && *tokens_spec(spec, "id"))
		r = json_doc_set_at(file, tokens_spec(spec, "id"), in->id);
	if (r == 0 && *tokens_spec(spec, "refreshed"))
		r = json_doc_set_at(file, tokens_spec(spec, "refreshed"), now);
	if (r == 0 && !streq(tokens_spec(spec, "expires"), "jwt"))
		r = json_doc_set_time_at(file, tokens_spec(spec, "expires"), in->expires);
	if (r < 0)
		return err_set(err, EINVAL, "it is not as the tool writes it");
	ret->text = json_doc_text(file);
	return ret->text ? 0 : err_set(err, ENOMEM, "out of memory");
}
