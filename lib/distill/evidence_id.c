/* evidence_id.c - the inputs of a row, and the ids made of them. */
#include "evidence_parts.h"

const struct lh_value *lh_evidence_input(const struct lh_evidence *e, const char *name)
{
	const struct lh_value *v = lh_record_get(e->row, name);

	return v && v->type != LH_NULL ? v : NULL;
}

const struct lh_value *lh_evidence_first(const struct lh_evidence *e, const char *const *names,
					 const char **name)
{
	const struct lh_value *v;

	for (*name = *names; *names; names++) {
		v = lh_evidence_input(e, *names);
		if (v && !lh_evidence_empty(v)) {
			*name = *names;
			return v;
		}
	}
	return NULL;
}

const struct lh_value *lh_evidence_file(struct lh_evidence *e)
{
	static const char *const names[] = { "file", "path", "source_file", NULL };

	if (!e->file_name)
		e->file = lh_evidence_first(e, names, &e->file_name);
	return e->file;
}

void lh_evidence_add_identity(struct lh_evidence *e, const char *name, const struct lh_value *v)
{
	struct lh_str s;

	if (!v || lh_evidence_empty(v))
		lh_evidence_refuse(e, name, "missing");
	else if (v->type == LH_NUMBER)
		lh_buf_add(&e->scratch, v->p, v->n);
	else if (v->type != LH_STRING)
		lh_evidence_refuse_kind(e, name, "string or number", v);
	else if (!v->escaped)
		lh_buf_add(&e->scratch, v->p + 1, v->n - 2);
	else
		lh_value_str(v, &e->scratch, &s);
}

void lh_evidence_read_id(struct lh_evidence_id *id, const char *template)
{
	struct lh_evidence_part *part = id->part;
	const char *open, *close, *bar;

	for (; (open = strchr(template, '{')); template = close + 1, part++) {
		close = strchr(open, '}');
		bar = memchr(open, '|', (size_t)(close - open));
		part->before = template;
		part->n = (size_t)(open - template);
		part->or_off = bar != NULL;
		memcpy(part->name, open + 1, (size_t)((bar ? bar : close) - open - 1));
		part->is = !strcmp(part->name, "off") ? LH_EV_OFF : !strcmp(part->name, "sig")
			? LH_EV_SIG :
			   !strcmp(part->name, "f") ? LH_EV_F : !strcmp(part->name, "ts")
				   ? LH_EV_TS : LH_EV_INPUT;
	}
	part->before = template;
	part->n = strlen(template);
	part->is = LH_EV_END;
}

static void add_part(struct lh_evidence *e, const struct lh_evidence_part *part)
{
	const struct lh_value *v;

	switch (part->is) {
	case LH_EV_OFF:
		lh_buf_u64(&e->scratch, e->off);
		break;
	case LH_EV_SIG:
		lh_buf_add(&e->scratch, e->sig, 12);
		break;
	case LH_EV_F:
		v = lh_evidence_file(e);
		lh_evidence_add_identity(e, e->file_name, v);
		break;
	case LH_EV_TS:
		v = lh_evidence_input(e, part->name);
		if (!v || v->type == LH_STRING)		/* else it is refused as a time */
			lh_evidence_add_identity(e, part->name, v);
		break;
	case LH_EV_INPUT:
		v = lh_evidence_input(e, part->name);
		if (part->or_off && (!v || lh_evidence_empty(v)))
			lh_buf_u64(&e->scratch, e->off);
		else
			lh_evidence_add_identity(e, part->name, v);
		break;
	case LH_EV_END:
		break;
	}
}

void lh_evidence_put_id(struct lh_evidence *e, const struct lh_evidence_id *id)
{
	const struct lh_evidence_part *part = id->part;

	lh_buf_reset(&e->scratch);
	for (;; part++) {
		lh_buf_add(&e->scratch, part->before, part->n);
		if (part->is == LH_EV_END)
			break;
		add_part(e, part);
	}
	lh_evidence_put_scratch(e);
}
