/* curl.c - load libcurl; what its users share.  See curl.h. */
#include "curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define FIRST_PAUSE 0.25	/* seconds before the first retry, doubling */

struct lh_curl lh_curl;

static struct {
	char failed[256];
	bool nomem;	/* it failed for lack of memory */
} loader;

/* Report why libcurl was not loaded.  The loader gives its reasons as text only. */
static void report_not_loaded(void)
{
	const char *why = dlerror();

	why = why ? why : "no reason given";
	snprintf(loader.failed, sizeof loader.failed, "%s", why);
	loader.nomem = strstr(why, strerror(ENOMEM)) != NULL;
}

static void *find_function(void *so, const char *name)
{
	void *p = dlsym(so, name);

	if (!p && !loader.failed[0])
		report_not_loaded();
	return p;
}

static void load(void)
{
	void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!so) {
		report_not_loaded();
		return;
	}
	lh_curl.global_init = find_function(so, "curl_global_init");
	lh_curl.init = find_function(so, "curl_easy_init");
	lh_curl.cleanup = find_function(so, "curl_easy_cleanup");
	lh_curl.reset = find_function(so, "curl_easy_reset");
	lh_curl.setopt = find_function(so, "curl_easy_setopt");
	lh_curl.getinfo = find_function(so, "curl_easy_getinfo");
	lh_curl.perform = find_function(so, "curl_easy_perform");
	lh_curl.strerror = find_function(so, "curl_easy_strerror");
	lh_curl.slist_append = find_function(so, "curl_slist_append");
	lh_curl.slist_free_all = find_function(so, "curl_slist_free_all");
	if (!loader.failed[0] && lh_curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		snprintf(loader.failed, sizeof loader.failed, "libcurl does not start");
}

int lh_curl_load(struct lh_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (loader.failed[0] && loader.nomem)
		return lh_err_nomem(err);
	return loader.failed[0] ? lh_err_set(err, LH_ENET, "no libcurl: %s", loader.failed) : 0;
}

int lh_curl_set_safe(CURL *c)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	int bad = 0;

	bad |= lh_curl.setopt(c, CURLOPT_USERAGENT, "lakehouse-tools");
	bad |= lh_curl.setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= lh_curl.setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= lh_curl.setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	bad |= lh_curl.setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (file && *file)
		bad |= lh_curl.setopt(c, CURLOPT_CAINFO, file);
	if (dir && *dir)
		bad |= lh_curl.setopt(c, CURLOPT_CAPATH, dir);
	return bad ? -1 : 0;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	bool (*stopping)(void) = arg;

	(void)a, (void)b, (void)c, (void)d;
	return stopping && stopping();
}

int lh_curl_set_callbacks(CURL *c, curl_write_callback receive, void *arg,
			  bool (*stopping)(void), char *why)
{
	int bad = 0;

	bad |= lh_curl.setopt(c, CURLOPT_WRITEFUNCTION, receive);
	bad |= lh_curl.setopt(c, CURLOPT_WRITEDATA, arg);
	bad |= lh_curl.setopt(c, CURLOPT_NOPROGRESS, 0L);
	bad |= lh_curl.setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	bad |= lh_curl.setopt(c, CURLOPT_XFERINFODATA, stopping);
	bad |= lh_curl.setopt(c, CURLOPT_ERRORBUFFER, why);
	return bad ? -1 : 0;
}

int lh_curl_set_proxy(CURL *c, const char *url)
{
	return lh_curl.setopt(c, CURLOPT_PROXY, lh_url_is_loopback(url) ? "" : NULL) ? -1 : 0;
}

CURLcode lh_curl_perform(CURL *c)
{
	sigset_t pipe_set, old, pending;
	CURLcode rc;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	rc = lh_curl.perform(c);
	if (!sigismember(&old, SIGPIPE)) {
		if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE))
			sigtimedwait(&pipe_set, NULL, &(struct timespec){ 0, 0 });
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	return rc;
}

bool lh_curl_is_transient(CURLcode rc)
{
	switch (rc) {
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return true;
	default:
		return false;
	}
}

static double pause_before(unsigned n, unsigned *seed)
{
	double s = FIRST_PAUSE * (double)(1u << (n < 16 ? n : 16));

	return s * (0.5 + 0.5 * (double)rand_r(seed) / (double)RAND_MAX);
}

int lh_curl_wait(CURL *c, unsigned n, double most, unsigned *seed, bool (*stopping)(void))
{
	curl_off_t after = 0;
	double seconds;

	lh_curl.getinfo(c, CURLINFO_RETRY_AFTER, &after);
	seconds = after > 0 ? (double)after : pause_before(n, seed);
	if (seconds > most)
		seconds = most;
	while (seconds > 0) {
		double slice = seconds < 0.05 ? seconds : 0.05;

		if (stopping && stopping())
			return -1;
		nanosleep(&(struct timespec){ 0, (long)(slice * 1e9) }, NULL);
		seconds -= slice;
	}
	return 0;
}

void lh_curl_remove_duration(char *why)
{
	char *after = strstr(why, " after "), *digits = after ? after + strlen(" after ") : NULL;
	size_t n = digits ? strspn(digits, "0123456789") : 0;

	if (n && strncmp(digits + n, " ms", 3) == 0)
		memmove(after, digits + n + 3, strlen(digits + n + 3) + 1);
}
