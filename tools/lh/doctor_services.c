/* doctor_services.c - lh doctor: models and services.  See doctor.h. */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "doctor.h"
#include "model/chat.h"
#include "net/curl.h"
#include "transformer/store.h"

#define TIMEOUT_MS 2000L

static const char *variable(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

/* ---- models ---- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Check the model whose manifest is PATH/HOST/USER/NAME/TAG, n bytes of which are PATH/. */
static void check_model(struct doctor *d, const char *path, size_t n)
{
	static const char usual[] = "registry.ollama.ai/library/";
	const char *name = path + n, *tag = strrchr(name, '/');
	char operand[1024], *subject = operand + strlen("ollama:");
	LH_SCOPED(lh_model_free) struct lh_model m;
	struct lh_err err;

	snprintf(operand, sizeof operand, "ollama:%.*s:%s", (int)(tag - name), name, tag + 1);
	if (strncmp(name, usual, strlen(usual)) == 0)
		subject += strlen(usual);
	if (lh_model_find(&m, operand, &err) < 0)
		doctor_add(d, DOCTOR_WARNING, "model", subject, "%s", err.msg);
	else if (access(m.path, R_OK) < 0)
		doctor_add(d, DOCTOR_WARNING, "model", subject, "its file cannot be read: %s",
			   m.path);
	else
		doctor_add(d, DOCTOR_OK, "model", subject, "its file is there");
}

/* Check the models in the folder of manifests.  Returns how many there are; -1: no folder. */
static int check_models(struct doctor *d, char *manifests)
{
	char *const roots[] = { manifests, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	int found = access(manifests, F_OK) < 0 ? -1 : 0;
	FTSENT *e;

	while (walk && (e = fts_read(walk)))
		if (e->fts_info == FTS_F && e->fts_level == 4 && e->fts_name[0] != '.') {
			check_model(d, e->fts_path, strlen(manifests) + 1);
			found++;
		}
	if (walk)
		fts_close(walk);
	return found;
}

void doctor_models(struct doctor *d)
{
	const char *named = variable("OLLAMA_MODELS"), *home = variable("HOME");
	char folder[4096];
	int n;

	if (!named && !home)
		return;
	snprintf(folder, sizeof folder, "%s%s/manifests", named ? named : home,
		 named ? "" : "/.ollama/models");
	n = check_models(d, folder);
	if (n < 0 && named)
		doctor_add(d, DOCTOR_PROBLEM, "models", "OLLAMA_MODELS",
			   "there are no manifests in %s", named);
	else if (n <= 0)
		doctor_add(d, DOCTOR_ABSENT, "models", "Ollama",
			   "none; lh-models(7) says where models come from");
}

/* ---- services ---- */

static size_t discard(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

static bool never(void)
{
	return false;
}

/* Connect, with TLS for https, and send nothing. */
static CURLcode connect_to(const char *url, char why[CURL_ERROR_SIZE])
{
	CURL *c = lh_curl.init();
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	int bad;

	*why = '\0';
	if (!c)
		return rc;
	bad = lh_curl_set_safe(c) | lh_curl_set_callbacks(c, discard, NULL, never, why) |
		lh_curl_set_proxy(c, url);
	bad |= lh_curl.setopt(c, CURLOPT_URL, url);
	bad |= lh_curl.setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	bad |= lh_curl.setopt(c, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	if (!bad)
		rc = lh_curl_perform(c);
	lh_curl.cleanup(c);
	lh_curl_remove_duration(why);
	return rc;
}

/* Write the address without what may be secret: a password, and a query with a key in it. */
static void mask(const char *url, char at[LH_URL_SHOWN])
{
	lh_http_mask(url, at, LH_URL_SHOWN);
	at[strcspn(at, "?#")] = '\0';
}

static void check_service(struct doctor *d, const char *subject, const char *url)
{
	char at[LH_URL_SHOWN], why[CURL_ERROR_SIZE];
	struct lh_err err;
	CURLcode rc;

	mask(url, at);
	if (lh_http_check_url(url, &err) < 0) {
		doctor_add(d, DOCTOR_PROBLEM, "service", subject, "%s", err.msg);
		return;
	}
	if (lh_curl_load(&err) < 0) {
		doctor_add(d, DOCTOR_PROBLEM, "service", subject, "%s: %s", at, err.msg);
		return;
	}
	rc = connect_to(url, why);
	if (rc == CURLE_OK)
		doctor_add(d, DOCTOR_OK, "service", subject, "%s: reachable", at);
	else
		doctor_add(d, DOCTOR_WARNING, "service", subject, "%s: not reachable: %s", at,
			   *why ? why : lh_curl.strerror(rc));
}

/* Check the providers of language models that have an address or a key of the user's. */
static void check_providers(struct doctor *d)
{
	struct lh_err err;
	struct lh_keys *keys = lh_keys_load(&err);
	int i;

	if (!keys)
		doctor_add(d, DOCTOR_PROBLEM, "keys", "providers", "%s", err.msg);
	for (i = 0; i < LH_PROVIDERS; i++) {
		const char *name = lh_provider_name(i);
		const char *url = variable(lh_provider_url_name(i));
		const char *why = keys ? lh_keys_why_not(keys, i) : "";

		if (*why)
			doctor_add(d, DOCTOR_PROBLEM, "keys", name, "%s", why);
		if (!url && keys && i != LH_OLLAMA && lh_keys_has(keys, i))
			url = lh_keys_url(keys, i);
		if (url)
			check_service(d, name, url);
		else
			doctor_add(d, DOCTOR_ABSENT, "service", name, "not configured");
	}
	lh_keys_free(keys);
}

void doctor_services(struct doctor *d, const struct lh_list *urls)
{
	static const char *const named[] = { "LH_OPENAI_URL", "LH_S3_ENDPOINT", "LANGFUSE_URL" };
	char at[LH_URL_SHOWN];
	size_t i;

	check_providers(d);
	for (i = 0; i < sizeof named / sizeof *named; i++)
		if (variable(named[i]))
			check_service(d, named[i], variable(named[i]));
		else
			doctor_add(d, DOCTOR_ABSENT, "service", named[i], "not configured");
	for (i = 0; i < urls->n; i++) {
		mask(urls->v[i], at);
		check_service(d, at, urls->v[i]);
	}
}
