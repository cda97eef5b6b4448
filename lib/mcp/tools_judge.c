/* tools_judge.c - tools that judge: drafts, and chunks of text for a file. */
#include "tool_parts.h"

/* ---- validate ---- */

static const char *const kinds[] = { "fill", "email", "sms", "playbook", NULL };

struct draft {
	const char *kind;
	struct lh_value artifact, context;
};
const struct lh_bind lh_mcp_validate_in[] = {
	{ LH_BIND_CHOICE("kind", struct draft, kind, kinds), .required = true,
	  .about = "What the draft is." },
	{ LH_BIND_OBJECT("artifact", struct draft, artifact), .required = true,
	  .about = "The draft: an email has to, subject and body; a fill has fills." },
	{ LH_BIND_OBJECT("context", struct draft, context),
	  .about = "What the draft is for: target_count, city, state, role, client." },
	LH_BIND_CLOSED
};

int lh_mcp_ask_validate(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct draft d = { .kind = NULL };

	return lh_mcp_pass(lh_mcp_validate_in, &d, q, args, err);
}

/* Write the error of a draft that fails: {"Schema":{"field":...,"reason":...}}. */
static void write_error(struct lh_writer *w, const struct lh_record *rec)
{
	static const char *const names[] = { "Schema", "Completeness", "Consistency", "Policy" };
	const struct lh_value *error;
	size_t i;

	lh_write_object(w, "error");
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		error = lh_record_get(rec, names[i]);
		if (!error || error->type != LH_OBJECT)
			continue;
		lh_write_text(w, "kind", names[i]);
		lh_mcp_copy(w, error, "field", LH_BIND_IS(LH_STRING));
		lh_mcp_copy(w, error, "reason", LH_BIND_IS(LH_STRING));
		break;
	}
	lh_write_end(w);
}

int lh_mcp_answer_validate(struct lh_mcp_reply *r, const struct lh_value *args,
			   const struct lh_record *rec, struct lh_err *err)
{
	struct lh_value findings = lh_mcp_get(rec, "findings", LH_ARRAY);
	struct lh_writer w = lh_write_to(r->structured);

	(void)args;
	if (r->status >= 400 && r->status != 422)
		return lh_mcp_refused(rec, r->status, err);
	lh_write_object(&w, NULL);
	lh_write_bool(&w, "passed", r->status < 400);
	lh_write_value(&w, "findings", &findings);
	if (r->status == 422)
		write_error(&w, rec);
	lh_write_end(&w);
	return 0;
}

/* ---- relevance ---- */

struct chunk {
	struct lh_value text, path;
};
static const struct lh_bind chunk_members[] = {
	{ LH_BIND_VALUE("text", struct chunk, text, LH_BIND_IS(LH_STRING)), .required = true,
	  .about = "The text." },
	{ LH_BIND_VALUE("path", struct chunk, path, LH_BIND_IS(LH_STRING)),
	  .about = "File that it is of." },
	LH_BIND_CLOSED
};

/* What the filter reads of a focus. */
static const struct lh_bind focus_members[] = {
	{ LH_BIND_ONLY("path", LH_BIND_TO_STRING), .about = "Its path." },
	{ LH_BIND_ONLY("text", LH_BIND_TO_STRING), .about = "Its text." },
	{ LH_BIND_ONLY("defined_symbols", LH_BIND_TO_STRINGS), .about = "Names that it defines." },
	{ LH_BIND_ONLY("imported_symbols", LH_BIND_TO_STRINGS),
	  .about = "Names that it imports." },
	LH_BIND_END
};

struct chunks {
	struct lh_value focus;
	struct chunk *chunk;
	size_t chunks;
};
const struct lh_bind lh_mcp_relevance_in[] = {
	{ LH_BIND_OBJECT("focus", struct chunks, focus), .required = true,
	  .table = focus_members, .about = "The file under review." },
	{ LH_BIND_TABLES("chunks", struct chunks, chunk, chunks, chunk_members), .required = true,
	  .filled = true, .about = "Chunks of text to judge." },
	LH_BIND_CLOSED
};

int lh_mcp_ask_relevance(struct lh_mcp_question *q, const struct lh_value *args,
			 struct lh_err *err)
{
	struct chunks c = { .chunks = 0 };

	return lh_mcp_pass(lh_mcp_relevance_in, &c, q, args, err);
}

int lh_mcp_answer_relevance(struct lh_mcp_reply *r, const struct lh_value *args,
			    const struct lh_record *rec, struct lh_err *err)
{
	struct chunks c = { .chunks = 0 };
	struct lh_value all = lh_mcp_get(rec, "relevance", LH_ARRAY), v;
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(r->structured);
	struct lh_iter it;
	uint64_t i = 0, kept = 0;
	int rc = lh_bind_value(lh_mcp_relevance_in, args, &c, &text, err);

	lh_write_object(&w, NULL);
	lh_write_array(&w, "results");
	for (lh_iter_init(&it, &all); !rc && i < c.chunks && lh_iter_next(&it); i++) {
		lh_write_object(&w, NULL);
		lh_write_u64(&w, "chunk", i);
		if (c.chunk[i].path.p)
			rc = lh_mcp_write_cut(&w, "source", &c.chunk[i].path, 4096, err);
		lh_mcp_copy(&w, &it.val, "score", LH_BIND_IS(LH_NUMBER));
		lh_mcp_copy(&w, &it.val, "kept", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
		kept += lh_mcp_has(&it.val, "kept", &v) && v.type == LH_TRUE;
		lh_mcp_copy(&w, &it.val, "signals", LH_BIND_IS(LH_ARRAY));
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_u64(&w, "kept", kept);
	lh_write_end(&w);
	lh_buf_free(&text);
	return rc;
}
