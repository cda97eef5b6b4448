/* corpus.h - the descriptions that corpus.awk wrote, in memory: rows sorted by
 * the MD5 of the description, whose last hex digit tells the halves apart. */
#ifndef CORPUS_H
#define CORPUS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	char *name, *synopsis, *body;
	int odd;
};

struct corpus {
	struct row *row;
	size_t n;
};

static int corpus_row(struct row *r, char *line)
{
	char *md5 = strtok(line, "\t");

	r->name = strtok(NULL, "\t");
	r->synopsis = strtok(NULL, "\t");
	r->body = strtok(NULL, "\n");
	if (!md5 || strlen(md5) != 32 || !r->body)
		return -1;
	r->odd = strchr("13579bdf", md5[31]) != NULL;
	return 0;
}

static int corpus_read(struct corpus *c, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;

	*c = (struct corpus){ NULL, 0 };
	if (!f)
		return perror(path), -1;
	while (getline(&line, &cap, f) > 0) {
		if (c->n % 4096 == 0)
			c->row = realloc(c->row, (c->n + 4096) * sizeof *c->row);
		if (!c->row || corpus_row(&c->row[c->n++], line) < 0)
			return fprintf(stderr, "%s: bad line %zu\n", path, c->n), -1;
		line = NULL;	/* the row keeps it */
		cap = 0;
	}
	fclose(f);
	return 0;
}

#endif
