/* gate/match.c - see match.h
 *
 * Theory of operation.  All that is looked for by its beginning stands in one table, by its first
 * two bytes; a bitmap of these pairs decides at each byte whether there is anything to look at,
 * which is what a scan of a whole root file system costs.
 */
#include "gate/match.h"

#define GATE_NO_TOKEN UINT16_MAX

enum { DIGIT = 1, UPPER = 2, LOWER = 4, DASH = 8, UNDER = 16, DOT = 32, PLUS = 64, HEX = 128 };
#define ALNUM (DIGIT | UPPER | LOWER)

struct token {
	const char *prefix, *kind;
	unsigned int set;      /* of the bytes that follow */
	unsigned int min, max; /* how many; what is longer is something else */
};

/* Formats that services give their keys so that they can be found. */
static const struct token tokens[] = {
	{"sk-ant-", "an Anthropic key", ALNUM | DASH | UNDER, 20, 400},
	{"sk-", "an API key (sk-)", ALNUM | DASH | UNDER, 20, 400},
	{"ghp_", "a GitHub token", ALNUM, 36, 255},
	{"gho_", "a GitHub token", ALNUM, 36, 255},
	{"ghu_", "a GitHub token", ALNUM, 36, 255},
	{"ghs_", "a GitHub token", ALNUM, 36, 255},
	{"ghr_", "a GitHub token", ALNUM, 36, 255},
	{"github_pat_", "a GitHub token", ALNUM | UNDER, 40, 255},
	{"AKIA", "an AWS access key", DIGIT | UPPER, 16, 16},
	{"ASIA", "an AWS access key", DIGIT | UPPER, 16, 16},
	{"xoxb-", "a Slack token", ALNUM | DASH, 20, 400},
	{"xoxp-", "a Slack token", ALNUM | DASH, 20, 400},
	{"xoxa-", "a Slack token", ALNUM | DASH, 20, 400},
	{"xoxr-", "a Slack token", ALNUM | DASH, 20, 400},
	{"xoxs-", "a Slack token", ALNUM | DASH, 20, 400},
	{"xoxc-", "a Slack token", ALNUM | DASH, 20, 400},
	{"xoxd-", "a Slack token", ALNUM | DASH | PLUS, 20, 400},
	{"hooks.slack.com/services/T", "a Slack webhook", ALNUM | PLUS, 38, 60},
	{"discord.com/api/webhooks/", "a Discord webhook", ALNUM | DASH | UNDER | PLUS, 70, 120},
	{"discordapp.com/api/webhooks/", "a Discord webhook", ALNUM | DASH | UNDER | PLUS, 70, 120},
	{"xoxe-", "a Slack token", ALNUM | DASH, 20, 400},
	{"xoxe.xoxp-", "a Slack token", ALNUM | DASH, 20, 400},
	{"xapp-", "a Slack token", ALNUM | DASH, 20, 400},
	{"AIza", "a Google API key", ALNUM | DASH | UNDER, 35, 35},
	{"ya29.", "a Google access token", ALNUM | DASH | UNDER | DOT, 30, 2048},
	{"glpat-", "a GitLab token", ALNUM | DASH | UNDER | DOT, 20, 300},
	{"glptt-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"gldt-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"glrt-", "a GitLab token", ALNUM | DASH | UNDER | DOT, 20, 300},
	{"glcbt-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"gloas-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"glagent-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"npm_", "an npm token", ALNUM, 36, 36},
	{"pypi-AgE", "a PyPI token", ALNUM | DASH | UNDER, 50, 1000},
	{"hf_", "a Hugging Face token", ALNUM, 34, 40},
	{"dckr_pat_", "a Docker token", ALNUM | DASH | UNDER, 20, 64},
	{"sk_live_", "a Stripe key", ALNUM, 20, 255},
	{"rk_live_", "a Stripe key", ALNUM, 20, 255},
	{"whsec_", "a webhook secret", ALNUM | PLUS, 24, 128},
	{"SG.", "a SendGrid key", ALNUM | DASH | UNDER | DOT, 60, 80},
	{"shpat_", "a Shopify token", HEX, 32, 32},
	{"shpss_", "a Shopify secret", HEX, 32, 32},
	{"dop_v1_", "a DigitalOcean token", HEX, 64, 64},
	{"hvs.", "a Vault token", ALNUM | DASH | UNDER, 24, 300},
	{"tskey-", "a Tailscale key", ALNUM | DASH, 24, 128},
	{"lin_api_", "a Linear key", ALNUM, 32, 64},
	{"glsa_", "a Grafana token", ALNUM | UNDER, 32, 64},
	{"gsk_", "a Groq key", ALNUM, 40, 80},
	{"xai-", "an xAI key", ALNUM, 60, 120},
	{"r8_", "a Replicate token", ALNUM, 37, 37},
	{"pplx-", "a Perplexity key", ALNUM, 40, 64},
	{"AGE-SECRET-KEY-1", "an age key", DIGIT | UPPER, 58, 58},
	{"rubygems_", "a RubyGems key", HEX, 48, 48},
	{"oy2", "a NuGet key", DIGIT | LOWER, 43, 43},
	{"pul-", "a Pulumi token", HEX, 40, 40},
	{"dapi", "a Databricks token", HEX, 32, 32},
	{"sbp_", "a Supabase token", HEX, 40, 40},
	{"pscale_tkn_", "a PlanetScale token", ALNUM | UNDER, 32, 64},
	{"dp.pt.", "a Doppler token", ALNUM, 40, 44},
	{"ntn_", "a Notion token", ALNUM, 40, 50},
	{"secret_", "a Notion token", ALNUM, 43, 43},
	{"figd_", "a Figma token", ALNUM | DASH | UNDER, 38, 46},
	{"fo1_", "a Fly token", ALNUM | DASH | UNDER, 43, 43},
	{"fm2_", "a Fly token", ALNUM | PLUS, 80, 4000},
	{"NRAK-", "a New Relic key", DIGIT | UPPER, 27, 27},
	{"PMAK-", "a Postman key", HEX | DASH, 59, 59},
	{"sq0csp-", "a Square secret", ALNUM | DASH | UNDER, 43, 43},
	{"sntrys_", "a Sentry token", ALNUM | PLUS | UNDER, 60, 400},
	{"sntryu_", "a Sentry token", HEX, 64, 64},
	{"ops_eyJ", "a token of 1Password", ALNUM | DASH | UNDER, 200, 4000},
	{"key_", "a Cursor key", HEX, 64, 64},
	{"tvly-", "a Tavily key", ALNUM | DASH, 28, 64},
	{"e2b_", "an E2B key", HEX, 40, 40},
	{"nvapi-", "an NVIDIA key", ALNUM | DASH | UNDER, 60, 70},
	{"lsv2_pt_", "a LangSmith key", HEX | UNDER, 43, 43},
	{"lsv2_sk_", "a LangSmith key", HEX | UNDER, 43, 43},
	{"glsoat-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"glimt-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"glft-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"glffct-", "a GitLab token", ALNUM | DASH | UNDER, 20, 300},
	{"nfp_", "a Netlify token", ALNUM, 36, 36},
	{"bkua_", "a Buildkite token", HEX, 40, 40},
	{"CCIPAT_", "a CircleCI token", ALNUM | UNDER, 60, 70},
	{"dt0c01.", "a Dynatrace token", DIGIT | UPPER | DOT, 88, 95},
	{"HRKU-", "a Heroku key", ALNUM | DASH | UNDER, 36, 70},
	{"pat", "an Airtable token", ALNUM | DOT, 79, 79},
	{"CFPAT-", "a Contentful token", ALNUM | DASH | UNDER, 43, 43},
	{"glc_", "a Grafana token", ALNUM | PLUS, 32, 400},
	{"1//0", "a Google refresh token", ALNUM | DASH | UNDER, 40, 120},
	{"AKCp", "an Artifactory key", ALNUM, 65, 75},
	{"cmVmdGtuO", "an Artifactory token", ALNUM, 50, 60},
	{"CLOJARS_", "a Clojars token", HEX, 60, 60},
	{"cio", "a crates.io token", ALNUM, 32, 32},
	{"dckr_oat_", "a Docker token", ALNUM | DASH | UNDER, 20, 64},
	{"doo_v1_", "a DigitalOcean token", HEX, 64, 64},
	{"dor_v1_", "a DigitalOcean token", HEX, 64, 64},
	{"dp.st.", "a Doppler token", ALNUM | DASH | UNDER | DOT, 40, 100},
	{"dp.ct.", "a Doppler token", ALNUM, 40, 44},
	{"dp.sa.", "a Doppler token", ALNUM, 40, 44},
	{"sk_", "an ElevenLabs key", HEX, 48, 48},
	{"csk-", "a Cerebras key", ALNUM, 48, 48},
	{"phx_", "a PostHog key", ALNUM, 40, 50},
	{"re_", "a Resend key", ALNUM | UNDER, 33, 33},
	{"sb_secret_", "a Supabase key", ALNUM | DASH | UNDER, 31, 40},
	{"napi_", "a Neon key", ALNUM, 60, 70},
	{"lin_oauth_", "a Linear token", HEX, 64, 64},
	{"pcsk_", "a Pinecone key", ALNUM | UNDER, 60, 80},
	{"AstraCS:", "an Astra token", ALNUM, 24, 24},
	{"EAAA", "a Square token", ALNUM | DASH | UNDER, 56, 64},
	{"sl.u.", "a Dropbox token", ALNUM | DASH | UNDER, 100, 2000},
	{"xkeysib-", "a Brevo key", ALNUM | DASH, 81, 81},
	{"xsmtpsib-", "a Brevo key", ALNUM | DASH, 81, 81},
	{"shippo_live_", "a Shippo token", HEX, 40, 40},
	{"sgp_", "a Sourcegraph token", HEX | UNDER, 40, 90},
	{"pnu_", "a Prefect key", ALNUM, 36, 36},
	{"rdme_", "a ReadMe key", DIGIT | LOWER, 70, 70},
	{"tfp_", "a Typeform token", ALNUM | DASH | UNDER | DOT, 59, 59},
	{"sk.eyJ", "a Mapbox token", ALNUM | DASH | UNDER | DOT, 60, 400},
	{"ico-", "an Infracost key", ALNUM, 32, 32},
	{"aio_", "an Adafruit key", ALNUM, 28, 28},
	{"EZAK", "an EasyPost key", ALNUM, 54, 54},
	{"wandb_v1_", "a Weights & Biases key", ALNUM | UNDER, 40, 120},
	{"fio-u-", "a Frame.io token", ALNUM | DASH | UNDER, 64, 64},
	{"FLWSECK-", "a Flutterwave key", HEX, 32, 32},
	{"hvb.", "a Vault token", ALNUM | DASH | UNDER, 60, 400},
	{"hvr.", "a Vault token", ALNUM | DASH | UNDER, 60, 400},
	{"nsec1", "a Nostr key", DIGIT | LOWER, 58, 58},
	{"vcp_", "a Vercel token", ALNUM, 50, 70},
	{"vck_", "a Vercel token", ALNUM, 50, 70},
	{"cfut_", "a Cloudflare token", ALNUM | DASH | UNDER, 40, 64},
	{"cfat_", "a Cloudflare token", ALNUM | DASH | UNDER, 40, 64},
	{"key-", "a Mailgun key", HEX, 32, 32},
	{"rt_", "a refresh token of OpenAI", ALNUM | DASH | UNDER | DOT, 60, 400},
	{"as-", "a Modal token", ALNUM, 22, 22},
	{"FwoGZXIvYXdzE", "an AWS session token", ALNUM | PLUS, 100, 2000},
	{"IQoJb3JpZ2lu", "an AWS session token", ALNUM | PLUS, 100, 2000},
	{"SK", "a Twilio key", HEX, 32, 32},
	/* "-----BEGIN ... PRIVATE KEY" in base64, as Kubernetes and CI variables have it */
	{"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t", "a private key, as base64", ALNUM | PLUS, 64,
		8000},
	{"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tL", "a private key, as base64", ALNUM | PLUS, 64,
		8000},
	{"LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0t", "a private key, as base64", ALNUM | PLUS, 64,
		8000},
	{"LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS", "a private key, as base64", ALNUM | PLUS,
		64, 8000},
	{"LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRVktLS0tL", "a private key, as base64",
		ALNUM | PLUS, 64, 8000},
	{"LS0tLS1CRUdJTiBQR1AgUFJJVkFURSBLRVkgQkxPQ0stLS0tL", "a private key, as base64",
		ALNUM | PLUS, 64, 8000},
	{"ATATT3", "an Atlassian token", ALNUM | DASH | UNDER | PLUS, 60, 400},
	{"AccountKey=", "an Azure storage key", ALNUM | PLUS, 60, 100},
	{"PuTTY-User-Key-File-", "a private key", DIGIT, 1, 1},
	/* these have a form of their own */
	{"eyJ", "a web token", 0, 0, 0},
	{"-----BEGIN ", "a private key", 0, 0, 0},
	{"://", "a URL", 0, 0, 0},
	{"password", "a password", 0, 0, 0},
	{"PASSWORD", "a password", 0, 0, 0},
	{"Password", "a password", 0, 0, 0},
	{"passwd", "a password", 0, 0, 0},
};
enum { PUTTY = ARRAY_LEN(tokens) - 8, JWT, PEM, URL, PASSWORD };

static bool in_set(unsigned char c, unsigned int set)
{
	if (c >= '0' && c <= '9')
		return set & (DIGIT | HEX);
	if (c >= 'a' && c <= 'z')
		return (set & LOWER) || ((set & HEX) && c <= 'f');
	if (c >= 'A' && c <= 'Z')
		return set & UPPER;
	return ((set & DASH) && c == '-') || ((set & UNDER) && c == '_') ||
		((set & DOT) && c == '.') || ((set & PLUS) && (c == '+' || c == '/' || c == '='));
}

static bool is_word(unsigned char c)
{
	return in_set(c, ALNUM | UNDER);
}

/* A key does not begin within a word; the n of a "\n" is none. */
static bool begins_word(const unsigned char *buf, size_t at)
{
	return at == 0 || !is_word(buf[at - 1]) || (at > 1 && buf[at - 2] == '\\') ||
		(at > 2 && buf[at - 3] == '%'); /* %3Dghp_... */
}

/* ---- the set ---- */

static int put(struct gate_set *s, const unsigned char *v, size_t n, const char *kind, size_t token,
	bool folds)
{
	if (s->n >= GATE_NEEDLES_MAX)
		return -E2BIG;
	struct gate_needle *k = arena_grow(&s->arena, s->needles, s->n, &s->cap, sizeof(*k));
	if (!k || n < 2)
		return -ENOMEM;
	s->needles = k;
	const unsigned int pair = v[0] | (unsigned int)v[1] << 8;
	k[s->n] = (struct gate_needle){.v = v,
		.n = (uint32_t)n,
		.next = s->first[pair],
		.token = (uint16_t)token,
		.folds = folds,
		.harmless = !kind,
		.kind = kind};
	s->first[pair] = (uint16_t)s->n++;
	s->pairs[pair / 64] |= UINT64_C(1) << pair % 64;
	if (token == GATE_NO_TOKEN && n > s->longest)
		s->longest = n;
	return 0;
}

int gate_set_begin(struct gate_set *s)
{
	memset(s, 0, sizeof(*s));
	s->needles = arena_grow(&s->arena, NULL, 0, &s->cap, sizeof(*s->needles));
	if (!s->needles)
		return -ENOMEM;
	s->n = 1;
	int r = 0;
	for (size_t i = ARRAY_LEN(tokens); i-- > 0 && r == 0;)
		r = put(s, (const unsigned char *)tokens[i].prefix, strlen(tokens[i].prefix),
			tokens[i].kind, i, false);
	/* whatever stands behind an '=' or a ':' may be a value */
	for (unsigned int b = 0; b < 256; b++) {
		s->pairs[('=' | b << 8) / 64] |= UINT64_C(1) << '=' % 64;
		s->pairs[(':' | b << 8) / 64] |= UINT64_C(1) << ':' % 64;
	}
	return r;
}

void gate_set_free(struct gate_set *s)
{
	arena_free(&s->arena);
	s->needles = NULL;
	s->n = 0;
}

static int put_form(struct gate_set *s, const char *name, const char *form, const unsigned char *v,
	size_t n, bool folds)
{
	const char *kind = *form ? arena_printf(&s->arena, "%s, as %s", name, form)
				 : arena_dup(&s->arena, name);
	return v && kind ? put(s, v, n, kind, GATE_NO_TOKEN, folds) : -ENOMEM;
}

/* The letters of v's base64 that do not depend on what stands before and behind it, where that is
 * shift bytes (modulo 3) into the text. */
static unsigned char *base64_inner(
	struct arena *a, const unsigned char *v, size_t n, size_t shift, bool url, size_t *ret)
{
	static const char standard[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const size_t begin = (shift * 8 + 5) / 6, end = (shift + n) * 8 / 6;
	unsigned char *out = arena_alloc(a, end - begin + 1);
	if (!out)
		return NULL;
	for (size_t c = begin; c < end; c++) {
		unsigned int six = 0;
		for (size_t bit = c * 6; bit < c * 6 + 6; bit++) {
			const size_t byte = bit / 8 - shift;
			six = six << 1 | (v[byte] >> (7 - bit % 8) & 1u);
		}
		const char l = standard[six];
		out[c - begin] = (unsigned char)(url && l == '+' ? '-' : url && l == '/' ? '_' : l);
	}
	*ret = end - begin;
	return out;
}

static int put_base64(struct gate_set *s, const char *name, const unsigned char *v, size_t n)
{
	for (size_t shift = 0; shift < 3; shift++) {
		size_t k = 0;
		unsigned char *plain = base64_inner(&s->arena, v, n, shift, false, &k);
		unsigned char *url = base64_inner(&s->arena, v, n, shift, true, &k);
		if (!plain || !url)
			return -ENOMEM;
		int r = put_form(s, name, "base64", plain, k, true);
		if (r == 0 && memcmp(plain, url, k) != 0)
			r = put_form(s, name, "base64", url, k, true);
		if (r < 0)
			return r;
	}
	return 0;
}

enum writing { HEX_LOWER, HEX_UPPER, PERCENT_LOWER, PERCENT_UPPER, JSON, WIDE };

/* v written another way; NULL: out of memory. */
static unsigned char *write_as(
	struct arena *a, enum writing w, const unsigned char *v, size_t n, size_t *ret)
{
	const char *digit = w == HEX_LOWER || w == PERCENT_LOWER ? "0123456789abcdef"
								 : "0123456789ABCDEF";
	unsigned char *out = arena_alloc(a, n * 3 + 1);
	size_t k = 0;
	for (size_t i = 0; out && i < n; i++) {
		const unsigned char c = v[i];
		const bool plain = w == JSON ? c != '"' && c != '\\' && c != '/'
			: w >= PERCENT_LOWER && w <= PERCENT_UPPER
			? in_set(c, ALNUM | DASH | UNDER | DOT) || c == '~'
			: w == WIDE;
		if (!plain && w == JSON)
			out[k++] = '\\';
		if (!plain && (w == PERCENT_LOWER || w == PERCENT_UPPER))
			out[k++] = '%';
		if (plain || w == JSON) {
			out[k++] = c;
		} else {
			out[k++] = (unsigned char)digit[c >> 4];
			out[k++] = (unsigned char)digit[c & 15];
		}
		if (w == WIDE)
			out[k++] = 0;
	}
	*ret = w == WIDE && k ? k - 1 : k; /* the last 0 need not be there */
	return out;
}

int gate_set_add(struct gate_set *s, const char *name, const void *v, size_t n)
{
	static const struct {
		enum writing how;
		const char *name;
		bool folds;
	} forms[] = {{HEX_LOWER, "hexadecimal", true}, {HEX_UPPER, "hexadecimal", true},
		{PERCENT_LOWER, "percent-encoded", false},
		{PERCENT_UPPER, "percent-encoded", false}, {JSON, "JSON", false},
		{WIDE, "UTF-16", false}};
	if (n < GATE_KNOWN_MIN)
		return 1;
	if (n > GATE_KNOWN_MAX)
		return -E2BIG;
	unsigned char *copy = arena_alloc(&s->arena, n);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, v, n);
	int r = put_form(s, name, "", copy, n, false);
	if (r == 0)
		r = put_base64(s, name, copy, n);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(forms); i++) {
		size_t k = 0;
		unsigned char *w = write_as(&s->arena, forms[i].how, copy, n, &k);
		if (w && k == n && memcmp(w, copy, n) == 0)
			continue; /* nothing in it is written otherwise */
		r = put_form(s, name, forms[i].name, w, k, forms[i].folds);
	}
	return r;
}

int gate_set_harmless(struct gate_set *s, const void *v, size_t n)
{
	unsigned char *copy = n < 2 ? NULL : arena_alloc(&s->arena, n);
	if (n < 2)
		return 0;
	if (!copy)
		return -ENOMEM;
	memcpy(copy, v, n);
	return put(s, copy, n, NULL, GATE_NO_TOKEN, false);
}

size_t gate_ahead(const struct gate_set *s)
{
	/* folded: a line end or two at every 60th letter */
	return GATE_AHEAD + s->longest + s->longest / 16;
}

/* ---- matching ---- */

/* How much of the text from at on is this needle; 0: none. */
static size_t same(const struct gate_needle *k, const unsigned char *buf, size_t at, size_t end)
{
	size_t i = at, done = 0;
	if (!k->folds)
		return end - at >= k->n && memcmp(buf + at, k->v, k->n) == 0 ? k->n : 0;
	while (done < k->n) {
		if (i >= end)
			return 0;
		if (buf[i] == k->v[done])
			done++;
		else if (buf[i] != '\n' && buf[i] != '\r')
			return 0;
		i++;
	}
	return i - at;
}

/* Letters and digits in a row: what is made of words has short ones. */
static size_t longest_run(const unsigned char *v, size_t n)
{
	size_t run = 0, longest = 0;
	for (size_t i = 0; i < n; i++) {
		run = in_set(v[i], ALNUM) ? run + 1 : 0;
		longest = MAX(longest, run);
	}
	return longest;
}

static const char *match_token(const struct gate_set *s, const struct gate_needle *k,
	enum gate_manner how, const unsigned char *buf, size_t at, size_t end)
{
	const struct token *t = &tokens[k->token];
	size_t n = 0;
	if (k->token == URL)
		return how == GATE_OBJECT ? NULL : gate_url(how, buf, at, end);
	if (k->token == PEM)
		return how == GATE_OBJECT ? NULL : gate_private_key(buf, at, end);
	if (k->token >= PASSWORD)
		return how == GATE_LENIENT && gate_password_word(buf, at + k->n, end) ? t->kind
										      : NULL;
	if (!begins_word(buf, at))
		return NULL;
	if (k->token == JWT)
		return how != GATE_OBJECT && gate_web_token(buf, at, end, s->now) ? t->kind : NULL;
	const unsigned char *v = buf + at + k->n;
	while (at + k->n + n < end && n <= t->max && in_set(v[n], t->set))
		n++;
	if (n < t->min || n > t->max || (t->set & DASH && longest_run(v, n) < 16))
		return NULL;
	if (k->token == PUTTY && how == GATE_OBJECT)
		return NULL;
	if (k->token == PUTTY) {
		const size_t rest = MIN(end - at, GATE_AHEAD);
		return n == 1 && rest > k->n + 2 && v[1] == ':' &&
				memmem(buf + at, rest, "\nPrivate-Lines: ", 16)
			? t->kind
			: NULL;
	}
	if (how == GATE_OBJECT && has_prefix(t->prefix, "LS0tLS1"))
		return NULL;
	/* what is in words, too, has to look drawn by lot more than what is not */
	const bool drawn = t->set & (DASH | DOT | PLUS) ? gate_looks_random(v, n)
							: gate_looks_drawn(v, n);
	return drawn && !gate_is_stand_in(how, v, n) ? t->kind : NULL;
}

/* What begins at at, of all that is looked for by its beginning. */
struct found {
	const char *kind; /* NULL: nothing, or what is harmless */
	bool known;
	size_t quiet; /* what begins before that is part of it; 0: nothing begins here */
};

static struct found look(const struct gate_set *s, enum gate_manner how, const unsigned char *buf,
	size_t at, size_t end)
{
	struct found f = {0};
	if (at + 2 > end)
		return f;
	for (uint16_t k = s->first[buf[at] | (unsigned int)buf[at + 1] << 8]; k;
		k = s->needles[k].next) {
		const struct gate_needle *d = &s->needles[k];
		const size_t n = same(d, buf, at, end);
		if (n && d->harmless)
			return (struct found){.quiet = at + n};
		if (n && d->token == GATE_NO_TOKEN) {
			f = (struct found){.kind = d->kind, .known = true, .quiet = at + n};
		} else if (n && !f.kind) {
			f.kind = match_token(s, d, how, buf, at, end);
			if (f.kind)
				f.quiet = at + n + (d->token == URL ? 0 : tokens[d->token].min);
		}
	}
	return f;
}

void gate_match(const struct gate_set *s, enum gate_manner how, const unsigned char *buf,
	size_t from, size_t to, size_t end, gate_hit_fn fn, void *ctx)
{
	size_t quiet = 0;
	if (!end)
		return;
	to = MIN(to, end - 1); /* the last byte begins nothing: it takes two */
	for (size_t i = from; i < to; i++) {
		const unsigned int pair = buf[i] | (unsigned int)buf[i + 1] << 8;
		size_t at = 0;
		if (!(s->pairs[pair / 64] & UINT64_C(1) << pair % 64) || i < quiet)
			continue;
		struct found f = look(s, how, buf, i, end);
		quiet = MAX(quiet, f.quiet);
		if (f.kind) {
			fn(ctx, i, f.kind, f.known);
			continue;
		}
		if (how >= GATE_BINARY || (buf[i] != '=' && buf[i] != ':'))
			continue;
		f.kind = gate_assignment(how, buf, i, end, &at);
		/* what has a form of its own is told by that, when its turn comes */
		if (f.kind && at >= quiet && !look(s, how, buf, at, end).quiet)
			fn(ctx, at, f.kind, false);
	}
}
