/* find.h - what the files of find share.  See subject.h. */
#ifndef FIND_H
#define FIND_H

#include "base/table.h"
#include "subject.h"

struct find {
	struct lh_tool *tool;
	struct settings *s;
	struct person *who;
	struct hits *hits;
	struct lh_err *err;
	unsigned char *has;		/* of each place that was searched: HAS_ANY, HAS_OWN */
	struct match m;
	struct lh_buf text;		/* a file or a record at hand */
	struct lh_record rec;
	const struct lh_dataset *dataset;	/* of the person's manifest, at hand */
	struct lh_buf pairs;		/* rows that it names: key of an object, column, value, each
					   with a NUL */
	struct lh_intern names;		/* of found rows, for which logs are searched ... */
	size_t *named, cap_named;	/* ... and the hit of each */
	bool by_name;			/* lines are searched for names */
};

/* A place has hits, and such as are the person's by id or by lineage. */
enum { HAS_ANY = 1, HAS_OWN = 2 };

/* Add a hit, whose id and members are its own from now on, and pass on its row. */
int hit_add(struct find *f, struct hit h, struct lh_str row);
#define NO_ROW ((struct lh_str){ NULL, 0 })
/* Make what f->m has of a row of place i a hit. */
struct hit hit_of_match(const struct find *f, size_t i, uint64_t line, struct lh_str row);

/* Search the records of an index. */
int find_index(struct find *f, size_t i);
/* Search a file of lines. */
int find_lines(struct find *f, size_t i);
/* Read a file that is one text into f->text: 1, 0 if it is gone, -1. */
int find_read(struct find *f, size_t i);
/* Read from the person's manifest and the catalogs which rows it names. */
int find_datasets(struct find *f);

/* Add all that was made from hits in roots. */
int find_in_roots(struct find *f);
/* Search logs for what names a found row, or belongs to the trace of one. */
int find_named(struct find *f);

#endif
