/* keys.c - lh-tlog keygen and vkey: the keys of logs and witnesses. */
#include "tlog.h"

#include <unistd.h>

#include "crypto/secret.h"
#include "file/file.h"

/* Make a file that must not exist. */
static int make(const char *path, mode_t mode, const void *p, size_t n, struct lh_err *err)
{
	struct lh_atomic file;
	int rc = lh_atomic_open(&file, path, mode, err);

	if (rc == 0)
		rc = lh_atomic_write(&file, p, n, err);
	if (rc == 0)
		rc = lh_atomic_commit_new(&file, err);
	lh_atomic_close(&file);
	return rc > 0 ? lh_err_set(err, LH_EUSAGE, "%s: exists already", path) : rc;
}

static int print_key(struct lh_tool *tool, const struct settings *s, const struct lh_signer *key)
{
	struct lh_secret text = { .n = 0 };
	int rc = lh_signer_text(key, &text, &tool->err);

	if (rc == 0 && s->out)
		rc = make(s->out, 0600, text.p, text.n, &tool->err);
	else if (rc == 0)
		rc = lh_tool_out(tool, text.p, text.n);
	lh_secret_wipe(&text);
	if (rc < 0 && s->public)
		unlink(s->public);
	return rc;
}

int tlog_keygen(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_signer_free_local) struct lh_signer *key = NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf public = { 0 };

	if (lh_signer_make(&key, lh_str_of(tool->operands[0]),
			   s->cosigner ? LH_KEY_COSIGNER : LH_KEY_ED25519, &tool->err) < 0 ||
	    lh_vkey_print(lh_signer_vkey(key), &public, &tool->err) < 0)
		return -1;
	lh_buf_putc(&public, '\n');
	if ((s->public && make(s->public, 0644, public.p, public.len, &tool->err) < 0) ||
	    print_key(tool, s, key) < 0)
		return -1;
	return s->public ? 0 : lh_write_all(STDERR_FILENO, public.p, public.len, &tool->err);
}

int tlog_vkey(struct lh_tool *tool, void *settings)
{
	LH_SCOPED(lh_signer_free_local) struct lh_signer *key = NULL;
	struct lh_buf public = { 0 };

	(void)settings;
	if (lh_signer_read(&key, tool->operands[0], &tool->err) < 0)
		return -1;
	if (lh_vkey_print(lh_signer_vkey(key), &public, &tool->err) == 0)
		return lh_tool_out_line(tool, &public);
	lh_buf_free(&public);
	return -1;
}
