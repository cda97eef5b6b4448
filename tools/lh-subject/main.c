/* lh-subject: find, hand over and erase a person's data.  See lh-subject(1). */
#include <stdlib.h>

#include "audit/subject.h"

#include "base/mem.h"
#include "subject.h"

#define KEYED (V_FIND | V_ERASE | V_EXPORT | V_VERIFY | V_REQUESTS)
#define TREED (V_ERASE | V_EXPORT | V_REQUESTS)

static const struct lh_made made_receipt = {
	"a receipt of an erasure", { "{\"schema\":\"subject_erasure" }, NULL
};

#define FLAG(f, v) LH_FLAG(struct settings, f, .verbs = v)
#define TEXT(f, ...) LH_TEXT(struct settings, f, ##__VA_ARGS__)
#define TEXTS(f, ...) LH_TEXTS(struct settings, f, ##__VA_ARGS__)
static const struct lh_option options[] = {
	{ 0, "config", "FILE", "configuration of lh-serve, which names the state", TEXT(config) },
	{ 0, "state", "DIR", "folder of lh-serve", TEXT(state) },
	{ 0, "root", "DIR", "root of a distillation (repeatable)", TEXTS(root) },
	{ 0, "index", "INDEX", "an index or a folder (repeatable)", TEXTS(index) },
	{ 0, "playbook", "INDEX", "a playbook, or a folder of them (repeatable)",
	  TEXTS(playbook) },
	{ 0, "log", "FILE", "a log of JSON Lines (repeatable)", TEXTS(log) },
	{ 0, "store", "STORE", "a folder of objects, or s3://... (repeatable)", TEXTS(store) },
	{ 0, "cache", "DB", "a cache of lh-embed (repeatable)", TEXTS(cache) },
	{ 0, "roster", "FILE", "a roster (repeatable)", TEXTS(roster) },
	{ 0, "subjects", "DIR", "folder of subjects (default: that of the state)",
	  TEXT(subjects) },
	{ 0, "also", "TEXT", "another text that names the person (repeatable)",
	  TEXTS(also, .verbs = V_PERSON) },
	{ 0, "from-roster", NULL, "also name, e-mail and telephone of the roster",
	  FLAG(want.from_roster, V_PERSON) },
	{ 0, "id-only", NULL, "only the id, and no text of the roster",
	  FLAG(want.id_only, V_ERASE) },
	{ 0, "fold", NULL, "ids that differ in case are one", FLAG(fold, V_PERSON) },
	{ 0, "short", NULL, "accept --also of fewer than 4 bytes", FLAG(want.brief, V_PERSON) },
	{ 0, "out", "DIR", "the folder to be made", TEXT(out, .verbs = V_EXPORT) },
	{ 0, "unredacted", NULL, "leave other persons' data in rows",
	  FLAG(want.unredacted, V_EXPORT) },
	{ 0, "apply", NULL, "do what is planned", FLAG(want.apply, V_ERASE) },
	{ 0, "reason", "TEXT", "why, for the receipt", TEXT(reason, .verbs = V_ERASE) },
	{ 0, "list", "FILE", "lines of find: these rows alone", TEXT(list, .verbs = V_ERASE) },
	{ 0, "receipt", "FILE", "the receipt (default: below the subjects)",
	  TEXT(receipt, .verbs = V_ERASE, .makes = &made_receipt) },
	{ 0, "snapshots", "STORE", "also in the snapshots there (repeatable)",
	  TEXTS(snapshots, .verbs = V_FIND | V_ERASE | V_VERIFY) },
	{ 0, "text-too", NULL, "also rows in which only a text is found",
	  FLAG(want.text_too, V_ERASE) },
	{ 0, "with-log", NULL, "also the log of who looked, and its secret",
	  FLAG(want.with_log, V_ERASE) },
	{ 0, "key-file", "FILE", "key of the audit log (repeatable: the first signs)",
	  TEXTS(key_file, .env = "LH_SUBJECT_AUDIT_KEY", .verbs = KEYED) },
	{ 0, "insecure-key", NULL, "accept a key file that others can read",
	  FLAG(insecure_key, KEYED) },
	{ 0, "tlog", "DIR", "a transparency log", TEXT(tlog, .verbs = TREED) },
	{ 0, "key-file-tlog", "FILE", "key that signs its checkpoint (repeatable)",
	  TEXTS(tlog_key, .verbs = V_ERASE | V_REQUESTS) },
	{ 0, "elsewhere", "TEXT", "what is out of reach, for the receipt (repeatable)",
	  TEXTS(elsewhere, .verbs = V_ERASE | V_REQUESTS) },
	LH_FORCE_OPTION(V_ERASE),
	LH_LOCK_OPTION(V_FIND | V_EXPORT | V_ERASE | V_REQUESTS),
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_op ops[] = {
	{ "places", "", "list the files in which data of persons may be", V_PLACES,
	  .out = places_out, .command = subject_places },
	{ "find", "[ID]", "list where a person is", V_FIND, .out = find_out,
	  .command = subject_find },
	{ "export", "[ID]", "copy all that is held about a person", V_EXPORT,
	  .out = find_out, .command = subject_export, .writes = true },
	{ "erase", "[ID]", "plan an erasure; with --apply, erase", V_ERASE,
	  .out = find_out, .command = subject_erase, .writes = true },
	{ "verify", "[ID]", "list what is left of a person", V_VERIFY,
	  .out = find_out, .command = subject_verify },
	{ "find", NULL, "where a person is", 0, answer_request,
	  LH_OP_IN(find_members, struct request), .out = request_out },
	{ "export", NULL, "all that is held about a person", 0, answer_request,
	  LH_OP_IN(export_members, struct request), .out = request_out },
	{ "erase", NULL, "plan an erasure, or erase", 0, answer_request,
	  LH_OP_IN(erase_members, struct request), .out = request_out, .writes = true },
	{ "verify", NULL, "whether anything of a person is left", 0, answer_request,
	  LH_OP_IN(verify_members, struct request), .out = request_out },
	LH_OP_REQUESTS("[FILE...]", V_REQUESTS),
	LH_OP_END
};

int main(int argc, char **argv)
{
	struct settings s = { .config = NULL };
	static const struct lh_tool_spec spec = {
		.name = "lh-subject",
		.synopsis = "COMMAND [OPTION]... [OPERAND]...",
		.summary = "find, hand over and erase a person's data",
		.example =
			"lh-subject find w-7 --root r --index workers.lhv --roster workers.jsonl",
		.options = options,
		.check = settings_check,
		.close = settings_free,
		.ops = ops,
		.what = "data of the person",
	};

	return lh_op_main(&spec, argc, argv, &s);
}
