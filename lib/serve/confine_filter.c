/* confine_filter.c - what a filter may do: a row for each program, and the words of its command.
 * See routes.h. */
#include "routes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "embed/meaning.h"
#include "file/confine.h"
#include "file/file.h"
#include "index/index_tools.h"
#include "proc/coproc.h"

#define WRITES 1		/* what its command names, but for .reads; else written[] alone */
#define SPOOL 2			/* bodies and objects in files of the state */
#define MODELS 4		/* files of models, and what is compiled from them */
#define KEPT 8			/* the indexes of files that lh-search keeps for the user */
#define CGROUP 16		/* DuckDB looks for its limits, and aborts where it may not */
#define STORES 32		/* the stores of other places that manifests of the state name */

#define EMBEDS (LH_KEYS_OLLAMA | LH_KEYS_OPENAI)
#define MANIFEST_MAX ((size_t)16 << 20)

/* The programs that confine themselves to what their commands name.  A program that may run any
 * command, or another one, has no row. */
static const struct row {
	const char *name;
	unsigned what;
	const char *starts[3];
	const char *reads;		/* an option whose value is not written */
	const char *names;		/* one that names files or programs not known here */
} rows[] = {
	{ "lh-cat", 0, { "lh-store" }, NULL, NULL },
	{ "lh-catalog", WRITES, { "lh-cat" }, "--store", NULL },
	{ "lh-chat", 0, { NULL }, NULL, NULL },
	{ "lh-distill", 0, { NULL }, NULL, NULL },
	{ "lh-embed", MODELS, { "lh-embed" }, NULL, NULL },
	{ "lh-extract-json", 0, { NULL }, NULL, NULL },
	{ "lh-index", WRITES | MODELS, { "lh-embed" }, NULL, NULL },
	{ "lh-ingest", WRITES | SPOOL | CGROUP, { "lh-ingest", "lh-cat" }, NULL, NULL },
	{ "lh-iterate", 0, { "lh-cat" }, NULL, NULL },
	{ "lh-judge", 0, { "lh-chat" }, NULL, NULL },
	{ "lh-merge", 0, { NULL }, NULL, NULL },
	{ "lh-observe", WRITES, { NULL }, NULL, NULL },
	{ "lh-pathway", WRITES, { NULL }, NULL, NULL },
	{ "lh-playbook", WRITES | MODELS, { "lh-embed" }, NULL, "--judge" },
	{ "lh-query", 0, { "lh-cat" }, NULL, NULL },
	{ "lh-relevance", 0, { NULL }, NULL, NULL },
	{ "lh-rerank", MODELS, { NULL }, NULL, NULL },
	{ "lh-score", 0, { NULL }, NULL, NULL },
	{ "lh-search", MODELS, { "lh-embed", "lh-cat" }, NULL, NULL },
	{ "lh-store", WRITES | SPOOL, { NULL }, NULL, NULL },
	{ "lh-subject", WRITES | STORES | KEPT, { "lh-subject", "lh-cat" }, NULL, "--config" },
	{ "lh-subject-audit", WRITES, { NULL }, NULL, NULL },
	{ "lh-tlog", WRITES, { NULL }, NULL, NULL },
	{ "lh-trace", 0, { NULL }, NULL, NULL },
	{ "lh-validate", 0, { "lh-cat" }, NULL, NULL },
};

/* Options that mean the same in each of them. */
static const char *const only_read[] = {
	"--roster", "--rules", "--indexes", "--key-file", "--policy", "--config", "--types",
	"--model", "--against", "--focus", "--schema", NULL
};
static const char *const written[] = {
	"--audit-log", "--session-log", "--decisions", "--cache", "--output", "-o", "--rejects",
	"--log", NULL
};
static const char *const folders[] = {	/* made, so that they are there to be allowed */
	"--audit-log", "--catalog", "--store", "--dir", "--state", "--playbooks", NULL
};

/* What each program needs; a file of the system stays, so its changes need not be noticed. */
static const char *const system_files[] = {
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/locale",
	"/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime",
	"/etc/ssl/openssl.cnf", "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
	"/proc/locks", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/sys/kernel",
	"/proc/sys/vm", "/sys/devices/system", NULL
};
static const char *const loaders[] = {
	"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", NULL
};
static const char *const net_files[] = {
	"/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
	"/etc/ssl/certs", "/etc/ca-certificates", "/etc/pki", "/etc/gnutls",
	"/usr/share/ca-certificates", "/usr/local/share/ca-certificates", NULL
};

/* Variables that name files, or lists of them, and who reads these: 0 is everybody. */
static const struct {
	const char *name;
	unsigned keys;
} file_variables[] = {
	{ "LD_PRELOAD", 0 }, { "LD_LIBRARY_PATH", 0 }, { "LH_DUCKDB", 0 },
	{ "LH_KEYS_FILE", LH_KEYS_CHAT }, { "LH_S3_KEY_FILE", LH_KEYS_STORE },
	{ "LH_SUBJECT_AUDIT_KEY", LH_KEYS_AUDIT }, { "LH_ANCHORS", LH_KEYS_AUDIT },
	{ "SSL_CERT_FILE", 0 }, { "SSL_CERT_DIR", 0 },
};

/* Services, by the variables of their addresses, and the port that each has otherwise. */
static const struct {
	const char *name;
	unsigned keys, port;
} services[] = {
	{ "LH_OLLAMA_URL", LH_KEYS_OLLAMA | LH_KEYS_CHAT, 11434 },
	{ "LH_OPENAI_URL", LH_KEYS_OPENAI, 443 }, { "LH_OLLAMA_CLOUD_URL", LH_KEYS_CHAT, 443 },
	{ "LH_OPENROUTER_URL", LH_KEYS_CHAT, 443 }, { "LH_OPENCODE_URL", LH_KEYS_CHAT, 443 },
	{ "LH_KIMI_URL", LH_KEYS_CHAT, 443 }, { "LH_S3_ENDPOINT", LH_KEYS_STORE, 443 },
	{ "http_proxy", ~0U, 0 }, { "https_proxy", ~0U, 0 }, { "HTTPS_PROXY", ~0U, 0 },
	{ "all_proxy", ~0U, 0 }, { "ALL_PROXY", ~0U, 0 },
};

struct making {
	struct lh_confine *to;
	const struct lh_filter_place *place;
	const struct row *row;
	unsigned keys;			/* of the services that it may ask */
	struct lh_err *err;
	bool failed;
};

static void let(struct making *m, const char *path, unsigned may)
{
	lh_confine_let(m->to, path, may);
}

static void let_all(struct making *m, const char *const *path, unsigned may)
{
	for (; *path; path++)
		let(m, *path, may);
}

static void let_below(struct making *m, const char *folder, const char *name, unsigned may)
{
	char path[4096];

	if (folder && (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path)
		let(m, path, may);
}

/* Let a file be used whose name has more at its end. */
static void let_ending(struct making *m, const char *file, const char *end, unsigned may)
{
	char path[4400];

	if ((size_t)snprintf(path, sizeof path, "%s%s", file, end) < sizeof path)
		let(m, path, may);
}

/* Let the folder of a file be used. */
static void let_beside(struct making *m, const char *file, unsigned may)
{
	const char *slash = strrchr(file, '/');
	char path[4096];

	snprintf(path, sizeof path, "%.*s", slash ? (int)(slash - file) + (slash == file) : 1,
		 slash ? file : ".");
	let(m, path, may);
}

static bool is_index(const char *path)
{
	const size_t n = strlen(path);

	return n > 4 && !strcmp(path + n - 4, ".lhv");
}

/* Let an index be read that a link leads to, with its log, which is beside it and not beside the
 * link: these files, and not their folder.  What is no index is not let: who could make the link
 * might have chosen the file. */
static void let_linked(struct making *m, const char *path)
{
	LH_SCOPED(lh_free_local) char *real = lh_index_link(path);

	if (!real)
		return;
	let(m, real, LH_MAY_READ);
	let_ending(m, real, LH_INDEX_LOG, LH_MAY_READ);
	let_ending(m, real, "-lock", LH_MAY_READ);
}

static void let_run(struct making *m, const char *program)
{
	char path[4096];

	if (lh_coproc_program(program, path, sizeof path))
		let(m, path, LH_MAY_RUN);
}

static bool is_one_of(const char *const *list, struct lh_str s)
{
	for (; *list; list++)
		if (lh_str_is(s, *list, strlen(*list)))
			return true;
	return false;
}

static const struct row *row_of(const char *command)
{
	const char *slash = strrchr(command, '/'), *name = slash ? slash + 1 : command;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(name, rows[i].name))
			return &rows[i];
	return NULL;
}

/* ---- addresses ---- */

static bool is_url(const char *text)
{
	return strstr(text, "://");
}

/* Let the port of a URL be used; otherwise is that of one without. */
static void let_port_of(struct making *m, const char *url, unsigned otherwise)
{
	const char *host = strstr(url, "://"), *end, *colon;

	otherwise = !strncmp(url, "https:", 6) ? 443 : !strncmp(url, "http:", 5) ? 80 : otherwise;
	host = host ? host + 3 : url;
	end = host + strcspn(host, "/?#");
	colon = memrchr(host, ':', (size_t)(end - host));
	if (colon && strspn(colon + 1, "0123456789") == (size_t)(end - colon - 1))
		otherwise = (unsigned)strtoul(colon + 1, NULL, 10);
	lh_confine_let_port(m->to, otherwise);
}

/* Let the services be asked that the program may ask, by its keys. */
static void let_services(struct making *m, unsigned keys)
{
	size_t i;

	for (i = 0; i < sizeof services / sizeof *services; i++)
		if (services[i].port && getenv(services[i].name))
			m->keys |= services[i].keys & keys & EMBEDS;
	m->to->net |= m->keys != 0;
	if (!m->to->net)
		return;
	let_all(m, net_files, LH_MAY_READ | LH_MAY_STAY);
	let(m, "/etc/resolv.conf", LH_MAY_READ);
	for (i = 0; i < sizeof services / sizeof *services; i++) {
		const char *url = getenv(services[i].name);

		if (!(services[i].keys & m->keys) && services[i].port)
			continue;
		if (url && *url)
			let_port_of(m, url, services[i].port ? services[i].port : 1080);
		else
			lh_confine_let_port(m->to, services[i].port);
	}
}

/* ---- indexes ---- */

/* Call a function for the files of a folder whose names end so. */
static void each_file(struct making *m, const char *folder, const char *end,
		      void (*call)(struct making *m, const char *path))
{
	const size_t n_end = strlen(end);
	struct dirent *e;
	char path[4400];
	DIR *d = opendir(folder);

	while (d && (e = readdir(d))) {
		const size_t n = strlen(e->d_name);

		if (n > n_end && !strcmp(e->d_name + n - n_end, end) &&
		    (size_t)snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < sizeof path)
			call(m, path);
	}
	if (d)
		closedir(d);
}

static bool is_service(const char *engine)
{
	return !strcmp(engine, "ollama") || !strcmp(engine, "openai");
}

static void let_engine(struct making *m, const char *engine)
{
	m->keys |= !strcmp(engine, "ollama") ? LH_KEYS_OLLAMA : LH_KEYS_OPENAI;
}

/* Let the service be asked, or the table or model be read, that an index names.  Who may ask over
 * HTTP cannot make an index that names one. */
static void let_index(struct making *m, const char *path)
{
	struct lh_err unused;
	struct lh_index_params *p = lh_index_read_params(path, &unused);

	if (p && is_service(p->engine)) {
		let_engine(m, p->engine);
		if (*p->url)
			let_port_of(m, p->url, 0);
	} else if (p && *p->url == '/') {
		let(m, p->url, LH_MAY_READ);
	}
	free(p);
}

/* ---- the words of a command ---- */

/* Let what a path leads to be read.  An index has files beside it; what a link of its name leads
 * to is for let_linked. */
static void let_read(struct making *m, const char *path)
{
	struct stat st;

	if (!is_index(path) || lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
		let(m, path, LH_MAY_READ);
	if (is_index(path))
		let_beside(m, path, LH_MAY_READ);
}

/* Let a folder be changed, or that of a file: it is replaced, and has a lock beside it. */
static void let_write(struct making *m, const char *path, bool folder)
{
	struct stat st;

	if (stat(path, &st) < 0 ? folder : S_ISDIR(st.st_mode))
		let(m, path, LH_MAY_READ | LH_MAY_WRITE | LH_MAY_MAKE);
	else
		let_beside(m, path, LH_MAY_READ | LH_MAY_WRITE);
}

static void let_url(struct making *m, const char *url)
{
	static const char *const readers[] = { "lh-index", "lh-store", "lh-cat" };
	size_t i;

	m->to->net = true;
	let_port_of(m, url, 443);
	if (strncmp(url, "s3:", 3) != 0)
		return;
	m->keys |= LH_KEYS_STORE;
	let_below(m, getenv("HOME"), ".aws", LH_MAY_READ);
	for (i = 0; i < 3; i++)
		let_run(m, readers[i]);
	m->to->starts = true;
}

/* Let a word be used that is an operand, or follows the option. */
static void let_word(struct making *m, struct lh_str option, const char *word)
{
	const char *equals = option.n ? NULL : strchr(word, '=');
	const bool is_read = is_one_of(only_read, option) ||
			     (m->row->reads && lh_str_is(option, m->row->reads,
							 strlen(m->row->reads)));
	const bool is_written = !is_read && (is_one_of(written, option) || m->row->what & WRITES);

	if (equals && !memchr(word, '/', (size_t)(equals - word)) && access(word, F_OK) < 0)
		word = equals + 1;	/* NAME=FILE */
	if (is_url(word))
		let_url(m, word);
	else if (is_written && !strchr(word, '/') && access(word, F_OK) < 0 &&
		 !is_one_of(written, option) && !is_one_of(folders, option))
		return;		/* the working directory is not for writing */
	else if (is_written)
		let_write(m, word, is_one_of(folders, option));
	else
		let_read(m, word);
	if (is_index(word))
		let_linked(m, word);
	else
		each_file(m, word, ".lhv", let_linked);
	if (m->row->what & MODELS && is_index(word))
		let_index(m, word);
	else if (m->row->what & MODELS)
		each_file(m, word, ".lhv", let_index);
}

static void let_command(struct making *m, char *const *argv)
{
	struct lh_str option = { "", 0 };
	bool options = true;

	for (argv++; *argv; argv++) {
		const char *word = *argv, *value = word;

		if (options && *word == '-') {
			options = strcmp(word, "--") != 0;
			option.p = word;
			option.n = options ? strcspn(word, "=") : 0;
			value = word[option.n] && options ? word + option.n + 1 : NULL;
		}
		if (!value)
			continue;
		if (lh_str_is(option, "--engine", 8) && is_service(value))
			let_engine(m, value);
		let_word(m, option, value);
		option.n = 0;
	}
}

/* Copy a text; NULL if v is NULL or none. */
static const char *text_of(const struct lh_value *v, struct lh_buf *to)
{
	struct lh_str s;

	lh_buf_reset(to);
	if (!v || v->type != LH_STRING)
		return NULL;
	lh_value_str(v, to, &s);
	if (s.p != to->p)
		lh_buf_add(to, s.p, s.n);
	lh_buf_putc(to, '\0');
	return to->p;
}

static void let_member(struct making *m, const struct lh_record *rec, const struct lh_value *path,
		       struct lh_buf *text)
{
	struct lh_value member, safe;
	const char *file;
	char name[64];

	if (!lh_value_get(path, "member", &member) || !lh_value_get(path, "safe", &safe) ||
	    safe.type == LH_TRUE)
		return;
	snprintf(name, sizeof name, "%.*s", (int)member.n - 2, member.p + 1);
	file = text_of(lh_record_get(rec, name), text);
	if (file)
		let_write(m, file, false);
}

/* Let the files be used that constant members of a route name. */
static void let_members(struct making *m, const struct lh_route *r)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, path = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_value all;
	struct lh_iter it;
	struct lh_err unused;

	if (!r || !r->members || !r->operation.p || !lh_value_get(&r->operation, "paths", &all))
		return;
	lh_buf_printf(&text, "{%s}", r->members);
	if (lh_record_parse(&rec, text.p, text.len, &unused) < 0)
		m->failed = true;
	for (lh_iter_init(&it, &all); !m->failed && lh_iter_next(&it); )
		let_member(m, &rec, &it.val, &path);
}

/* ---- the state ---- */

static void let_store_of(struct making *m, const char *manifest)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = MANIFEST_MAX }, store = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	const char *path = NULL;
	struct lh_err unused;

	if (lh_file_read(manifest, &text, &unused) == 1 &&
	    lh_record_parse(&rec, text.p, text.len, &unused) == 0)
		path = text_of(lh_record_get(&rec, "store"), &store);
	if (path && *path == '/')
		let(m, path, LH_MAY_READ | LH_MAY_WRITE);
}

/* A manifest that another filter registers names the store of the state: others are from those
 * who may write the state. */
static void let_stores(struct making *m)
{
	char folder[4096];

	if ((size_t)snprintf(folder, sizeof folder, "%s/catalog", m->place->state) < sizeof folder)
		each_file(m, folder, ".json", let_store_of);
}

/* ---- the environment ---- */

static void let_variables(struct making *m, unsigned keys)
{
	char list[4096], *rest, *path;
	size_t i;

	for (i = 0; i < sizeof file_variables / sizeof *file_variables; i++) {
		const char *value = getenv(file_variables[i].name);

		if (!value || (file_variables[i].keys && !(file_variables[i].keys & keys)) ||
		    (size_t)snprintf(list, sizeof list, "%s", value) >= sizeof list)
			continue;
		if (*value)	/* one file, which may be relative or have blanks */
			let(m, value, LH_MAY_READ);
		for (rest = list; (path = strsep(&rest, ": ")); )
			if (*path == '/')
				let(m, path, LH_MAY_READ);
	}
#ifdef LH_FAULTS
	if (getenv("LH_FAULT_LOG"))	/* tests count in it which allocations failed */
		let_beside(m, getenv("LH_FAULT_LOG"), LH_MAY_READ | LH_MAY_WRITE);
#endif
}

/* Let models be read, and what was compiled from them be kept. */
static void let_models(struct making *m)
{
	LH_SCOPED(lh_buf_free) struct lh_buf cache = { 0 };
	const char *models = getenv("OLLAMA_MODELS");
	char path[4096];

	if (!models || !*models) {
		models = getenv("HOME");
		snprintf(path, sizeof path, "%s/.ollama/models", models ? models : "");
		models = path;
	}
	if (access(models, F_OK) < 0)
		return;
	let(m, models, LH_MAY_READ);
	if (!lh_user_cache(&cache, LH_CACHE_MODELS))
		return;
	lh_buf_putc(&cache, '\0');
	let_write(m, cache.p, true);
}

/* Let the table of hash-v4 be read, which any text may be embedded by. */
static void let_table(struct making *m)
{
	char path[4096];

	if (lh_meaning_path(path, sizeof path))
		let(m, path, LH_MAY_READ);
}

/* Let the indexes be changed that lh-search keeps for the user, also once there are some. */
static void let_kept(struct making *m)
{
	LH_SCOPED(lh_buf_free) struct lh_buf cache = { 0 };

	if (!lh_user_cache(&cache, LH_CACHE_RECORDS))
		return;
	lh_buf_putc(&cache, '\0');
	let(m, cache.p, LH_MAY_READ | LH_MAY_WRITE);
}

/* Return whether a program is a script, whose interpreter would have to be known. */
static bool is_script(const char *path)
{
	char begin[2] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0 && read(fd, begin, 2) == 2 && !memcmp(begin, "#!", 2);

	if (fd >= 0)
		close(fd);
	return is;
}

/* Return whether an option of a command names what is not known here. */
static bool names_others(const struct row *row, char *const *argv)
{
	for (; row->names && *argv; argv++)
		if (!strncmp(*argv, row->names, strlen(row->names)))
			return true;
	return false;
}

bool lh_filter_has_row(char *const *argv)
{
	const struct row *row = row_of(argv[0]);
	char path[4096];

	return row && lh_coproc_program(argv[0], path, sizeof path) && !is_script(path) &&
	       !names_others(row, argv);
}

int lh_filter_confine(struct lh_confine *to, char *const *argv, const struct lh_filter_place *place,
		      struct lh_err *err)
{
	const unsigned keys = lh_route_keys(argv[0]);
	const char *engine = getenv("LH_EMBED_ENGINE");
	struct making m = { .to = to, .place = place, .err = err, .row = row_of(argv[0]),
			    .keys = keys & LH_KEYS_CHAT };
	size_t i;

	*to = (struct lh_confine){ .privileges = !lh_filter_has_row(argv) };
	if (to->privileges)
		return 0;
	let_run(&m, argv[0]);
	let_all(&m, loaders, LH_MAY_RUN | LH_MAY_STAY);
	let_all(&m, system_files, LH_MAY_READ | LH_MAY_STAY);
	let(&m, "/dev/null", LH_MAY_WRITE);
	if (place->tmp)
		let(&m, place->tmp, LH_MAY_READ | LH_MAY_WRITE | LH_MAY_STAY);
	for (i = 0; place->read && i < place->read->n; i++)
		let(&m, place->read->v[i], LH_MAY_READ);
	let_command(&m, argv);
	let_members(&m, place->route);
	if (m.row->what & CGROUP)	/* /proc/self is another one of each process */
		let_all(&m, (const char *const[]){ "/proc", "/sys/fs/cgroup", NULL },
			LH_MAY_READ | LH_MAY_STAY);
	if (m.row->what & SPOOL)
		let_below(&m, place->state, "spool", LH_MAY_READ | LH_MAY_WRITE);
	if (engine && is_service(engine) && m.row->what & MODELS)
		let_engine(&m, engine);
	if (m.row->what & STORES)
		let_stores(&m);
	if (m.row->what & MODELS)
		let_models(&m);
	if (m.row->what & KEPT)
		let_kept(&m);
	let_table(&m);
	for (i = 0; i < 3 && m.row->starts[i]; i++)
		let_run(&m, m.row->starts[i]);
	to->starts |= m.row->starts[0] != NULL;
	let_services(&m, keys);
	let_variables(&m, keys);
	if (m.failed)
		lh_confine_free(to);
	return m.failed ? -1 : 0;
}
