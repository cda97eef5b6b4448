/* lineage_files.c - the files of a root. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "distill/sample.h"
#include "lineage_parts.h"

static const struct {
	const char *step, *name;
} places[LH_PLACES] = {
	[LH_PLACE_SOURCE] = { "source", LH_ROOT_SOURCES },
	[LH_PLACE_SKIP] = { "skipped", LH_ROOT_SKIPS },
	[LH_PLACE_EVIDENCE] = { "evidence", LH_ROOT_EVIDENCE },
	[LH_PLACE_SCORED] = { "scored", LH_ROOT_SCORED },
	[LH_PLACE_RAG] = { "rag", "exports/rag" },
	[LH_PLACE_SFT] = { "sft", "exports/sft" },
	[LH_PLACE_PREFERENCE] = { "preference", "exports/preference" },
	[LH_PLACE_QUARANTINE] = { "quarantine", "exports/quarantine" },
	[LH_PLACE_REPLAY] = { "replay", "data/_kb/replay_runs.jsonl" },
	[LH_PLACE_BASELINE] = { "audit", "data/_kb/audit_baselines.jsonl" },
};

const char *lh_place_name(enum lh_place place)
{
	return places[place].name;
}

const char *lh_place_step(enum lh_place place)
{
	return places[place].step;
}

int lh_lineage_left_out(struct lh_lineage *l, struct lh_lineage_file *f, struct lh_err *err)
{
	if (err->code != LH_EIO && err->code != LH_ECORRUPT)
		return -1;
	f->unreadable = true;
	l->how.warn(l->how.ctx, true, err->msg);
	return 0;
}

struct listing {
	struct lh_lineage *l;
	enum lh_place place;
};

static int add_file(void *ctx, const char *relpath, struct lh_err *err)
{
	const struct listing *of = ctx;
	struct lh_lineage *l = of->l;
	struct lh_lineage_file *f;
	LH_SCOPED(lh_free_local) char *path = lh_root_join(l->root, relpath);
	struct stat st;

	lh_grow(&l->file, &l->cap_files, l->n_files + 1, sizeof *f);
	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	f = &l->file[l->n_files];
	*f = (struct lh_lineage_file){ .place = of->place };
	f->path = lh_strndup(relpath, strlen(relpath));
	l->n_files++;
	if (lh_lineage_open_file(l, l->n_files - 1, err) < 0)
		return lh_lineage_left_out(l, f, err);
	return 0;
}

static int add_sources(struct listing *of, struct lh_err *err)
{
	int s, rc = 0;

	for (s = 0; s < LH_STREAMS && !rc; s++)
		rc = add_file(of, lh_stream_source((enum lh_stream)s), err);
	return rc;
}

static int add_place(struct lh_lineage *l, enum lh_place place, struct lh_err *err)
{
	struct listing of = { l, place };
	enum lh_exporter x = (enum lh_exporter)(place - LH_PLACE_RAG);
	int rc = 0, i;

	switch (place) {
	case LH_PLACE_SOURCE:
		return add_sources(&of, err);
	case LH_PLACE_EVIDENCE:
	case LH_PLACE_SCORED:
		return lh_root_each(l->root, places[place].name, add_file, &of, err);
	case LH_PLACE_RAG:
	case LH_PLACE_SFT:
	case LH_PLACE_PREFERENCE:
		return add_file(&of, lh_exporter_output(x), err);
	case LH_PLACE_QUARANTINE:
		for (i = 0; i < LH_EXPORTERS && !rc; i++)
			rc = add_file(&of, lh_exporter_quarantine((enum lh_exporter)i), err);
		return rc;
	default:
		return add_file(&of, places[place].name, err);
	}
}

int lh_lineage_list(struct lh_lineage *l, struct lh_err *err)
{
	int place, rc = 0;

	for (place = 0; place < LH_PLACES && !rc; place++)
		rc = add_place(l, (enum lh_place)place, err);
	return rc;
}

int lh_lineage_open_file(struct lh_lineage *l, size_t i, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;

	if (l->fd >= 0 && l->opened == i)
		return l->fd;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	path = lh_root_join(l->root, l->file[i].path);
	l->fd = lh_open_regular(path, O_RDONLY, 0, err);
	l->opened = i;
	return l->fd;
}
