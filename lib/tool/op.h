/*
 * op - the operations of a tool, a row each, from which its interface is made.
 *
 *     static const struct lh_op ops[] = {
 *             { "register", "[FILE...]", "make or renew the manifests of records", V_REGISTER,
 *               register_dataset, .in = dataset, .out = registered, .writes = true },
 *             { "get", "[NAME...]", "print manifests by their names", V_GET, get_dataset,
 *               LH_OP_IN(named, struct named), .out = manifest },
 *             { "list", "", "print all manifests", V_LIST, .out = manifest, .command = print_all },
 *             { "list", NULL, "all manifests in one answer", 0, list_datasets, .out = manifests },
 *             LH_OP_REQUESTS("[FILE...]", V_REQUESTS),
 *             LH_OP_END
 *     };
 *
 * answer is the operation.  It gets a struct bound from a record, appends its answer, and does
 * not know who asks:
 *
 *     lh-catalog get NAME...    an operand is a record with one member, the first of .in
 *     lh-catalog get            the records of stdin; of the operands, if they are "[FILE...]"
 *     lh-catalog requests       {"op":"get","name":"NAME"}
 *
 * A request with a member that .in does not have, but for its id and trace_id, is refused,
 * unless the operation keeps such members; in the records of files and stdin they are ignored.
 *
 * A tool without commands has one row, named "", which answers the records of files or stdin, or
 * has a command; of several such rows, mode of lh_tool_spec returns the one under the options
 * given.  Named rows after it are operations of its requests.  Its operands are those of the
 * synopsis.
 *
 * The rows are also the commands of --help and the completions, and the operations of --describe:
 *
 *     {"name":"lh-catalog","about":...,"options":[{"name":"catalog","about":...}],
 *      "operations":[{"name":"get","operands":"[NAME...]","about":...,"options":[...],
 *                     "input":SCHEMA,"output":SCHEMA,"writes":false,
 *                     "shows":["id","metadata"],"uses":[],
 *                     "paths":[{"member":"name","safe":true}]}]}
 *
 * The first options are those of all commands; each operation lists its own.  input and output
 * are JSON Schema: null if no record is read, or the output is not described.  operands is null
 * for an operation of requests alone.  shows lists the members of the output marked .person, uses
 * those of the input, and paths those marked .path: of these, outsiders give only the safe ones.
 *
 * If an operation cannot work at present (its log is on a full disk), only that request fails:
 * with 503, or with 502 if a service does not answer, and with a message that names no file
 * (lh_records_unavailable), unless the function failed of lh_tool_spec reports it.
 *
 * Threads: records are answered one by one, in order.
 */
#ifndef LH_OP_H
#define LH_OP_H

#include "json/bind.h"
#include "records.h"

#define LH_OPS_MAX 32

/* What an operation is called with. */
struct lh_call {
	struct lh_tool *tool;
	const struct lh_op *op;		/* of the record at hand */
	void *settings;			/* of the tool, with its state */
	struct lh_record *rec;		/* NULL: an operand */
	const char *omit;		/* a member of rec to leave out: "op"; or NULL */
};

/* An operation.  in: the struct of its record. */
typedef int lh_op_fn(const struct lh_call *call, const void *in, struct lh_buf *out,
		     struct lh_err *err);
typedef int lh_op_command(struct lh_tool *tool, void *settings);

struct lh_op {
	const char *name;
	const char *operands;		/* of the command; NULL: there is none */
	const char *about;
	unsigned bit;			/* of the command, in the verbs of an option */
	lh_op_fn *answer;		/* NULL: there is the command alone */
	const struct lh_bind *in;	/* members of its record, or NULL */
	size_t size;			/* of the struct for them, zeroed; 0: answer reads
					   call->rec, and gets NULL */
	const struct lh_bind *out;	/* members of its answer, or NULL */
	lh_op_command *command;		/* in place of lh_op_run */
	const char *request;		/* its name in requests, if that is another */
	bool writes;			/* it changes what later calls see */
	bool keeps;			/* members that .in does not have are kept with the record:
					   requests may have them */
};
#define LH_OP_IN(table, type) .in = (table), .size = sizeof(type)
#define LH_OP_REQUESTS(of, v) LH_OP_REQUESTS_BY(of, v, lh_op_requests)
#define LH_OP_REQUESTS_BY(of, v, function) \
	{ "requests", of, "answer requests, each with its operation in \"op\"", v, \
	  .command = function, .writes = true }
#define LH_OP_END { .name = NULL }

/* For .in and .out: an object of any members. */
extern const struct lh_bind lh_op_any[];

/* Lines of .out: members that each answer has. */
#define LH_OP_TEXT(name) { LH_BIND_ONLY(name, LH_BIND_TO_STRING), .required = true }
#define LH_OP_BOOL(name) { LH_BIND_ONLY(name, LH_BIND_TO_BOOL), .required = true }
#define LH_OP_ARRAY(name) \
	{ LH_BIND_ONLY(name, LH_BIND_TO_VALUE), .required = true, .types = LH_BIND_IS(LH_ARRAY) }
#define LH_OP_OBJECT(name) \
	{ LH_BIND_ONLY(name, LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT) }
#define LH_OP_COUNT(name) \
	{ LH_BIND_ONLY(name, LH_BIND_TO_WHOLE), .required = true, .most = INT64_MAX }

/* The main function of a tool with spec->ops. */
int lh_op_main(const struct lh_tool_spec *spec, int argc, char **argv, void *settings);

/* Answer the operands, or the records of files or stdin; answer the requests of files or stdin. */
lh_op_command lh_op_run, lh_op_requests;

/* For a command of the tool's own: answer records, or requests, by a flow of which a part is set,
 * .held and .renew or .batch, or NULL.  Their context is a struct lh_call. */
int lh_op_flow(struct lh_tool *tool, void *settings, const struct lh_flow *part);
/* Answer texts as if they were operands; messages name the option that gave them, if not NULL. */
int lh_op_texts(struct lh_tool *tool, void *settings, const struct lh_list *texts,
		const char *option);
/* Refuse a record with a member that names a file, marked .path and not .safe, unless the command
 * line has --files: others than the user who runs the tool may have written the record.  The
 * operations above do that by themselves. */
int lh_op_refuse_paths(const struct lh_tool *tool, const struct lh_bind *table,
		       const struct lh_record *rec, struct lh_err *err);

/* For .batch: answer a request, with the context as call. */
int lh_op_answer(struct lh_call *call, struct lh_record *rec, struct lh_buf *out,
		 struct lh_err *err);

#endif
