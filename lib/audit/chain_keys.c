/* chain_keys.c - the keys of a chain.  See lh/chain.h. */
#include <stdlib.h>

#include <lh/chain.h>
#include <lh/digest.h>
#include "file/held.h"
#include "base/mem.h"
#include "crypto/secret.h"

struct lh_chain_key_file {
	const char *path;
	struct lh_stamp stamp;
};

void lh_chain_keys_add(struct lh_chain_keys *k, const void *key, size_t n)
{
	struct lh_hmac **grown = lh_realloc(k->key, k->n + 1, sizeof *grown);

	k->key = grown;
	k->key[k->n] = lh_hmac_new(key, n);
	k->n++;
}

static int read_one(struct lh_chain_keys *k, const char *path, bool insecure, struct lh_err *err)
{
	struct lh_secret key;
	int rc = 0;

	if (lh_secret_read(&key, path, LH_CHAIN_KEY_MAX, insecure, err) < 0)
		return -1;
	if (key.n < LH_CHAIN_KEY_MIN)
		rc = lh_err_set(err, LH_EIO, "%s: a key has %d bytes at least, and this is %zu",
				path, LH_CHAIN_KEY_MIN, key.n);
	else
		lh_chain_keys_add(k, key.p, key.n);
	lh_secret_wipe(&key);
	return rc;
}

int lh_chain_keys_read(struct lh_chain_keys *k, const char *const *path, size_t n, bool insecure,
		       struct lh_err *err)
{
	size_t i;

	*k = (struct lh_chain_keys){ .insecure = insecure };
	k->file = lh_calloc(n + 1, sizeof *k->file);
	for (i = 0; i < n; i++) {
		k->file[k->n_files++].path = path[i];
		lh_stamp_take(&k->file[i].stamp, path[i]);
		if (read_one(k, path[i], insecure, err) < 0) {
			lh_chain_keys_free(k);
			return -1;
		}
	}
	return 0;
}

void lh_chain_keys_free(struct lh_chain_keys *k)
{
	while (k->n)
		lh_hmac_free(k->key[--k->n]);
	free(k->key);
	free(k->file);
	k->key = NULL;
	k->file = NULL;
	k->n_files = 0;
}

bool lh_chain_keys_stale(const struct lh_chain_keys *k)
{
	size_t i;

	for (i = 0; i < k->n_files; i++)
		if (!lh_stamp_fits(&k->file[i].stamp, k->file[i].path))
			return true;
	return false;
}

int lh_chain_keys_renew(struct lh_chain_keys *k, struct lh_err *err)
{
	struct lh_chain_keys now;
	LH_SCOPED(lh_free_local) const char **path = NULL;
	size_t i;
	int rc;

	if (!lh_chain_keys_stale(k))
		return 0;
	path = lh_calloc(k->n_files, sizeof *path);
	for (i = 0; i < k->n_files; i++)
		path[i] = k->file[i].path;
	rc = lh_chain_keys_read(&now, path, k->n_files, k->insecure, err);
	if (rc < 0)
		return -1;
	lh_chain_keys_free(k);
	*k = now;
	return 0;
}
