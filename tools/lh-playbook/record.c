/* record.c - lh-playbook record: store entries, print their ids. */
#include "json/write.h"
#include "recorder.h"
#include "text/escape.h"

struct run {
	struct recorder r;
	uint64_t next, recorded;	/* entries answered; entries stored */
};

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct run *run = arg;
	struct recorder *r = &run->r;
	char id[LH_PLAYBOOK_ID_LEN];
	struct lh_writer w = lh_write_to(out);

	if (recorder_fold(r, err) < 0 || recorder_put(r, rec, id, err) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "index", run->next++);
	lh_write_str(&w, "playbook_id", (struct lh_str){ id, sizeof id });
	lh_write_end(&w);
	run->recorded++;
	return recorder_has_much(r) ? recorder_commit(r, err) : 0;
}

static void refusal(const struct lh_rejection *of, const struct lh_record *rec, struct lh_buf *out,
		    void *arg)
{
	struct run *run = arg;
	struct lh_writer w = lh_write_to(out);

	(void)rec;
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "index", run->next++);
	lh_write_key(&w, "error");
	lh_escape_json(out, of->why);
	lh_write_u64(&w, "code", of->status);
	lh_write_end(&w);
}

/* Entries are answered when they are on disk. */
static int before_output(void *arg, struct lh_err *err)
{
	return recorder_commit(&((struct run *)arg)->r, err);
}

int playbook_record(struct lh_tool *tool, void *settings)
{
	static const char *const drop[] = { "playbook_id" };
	struct run run = { .r = { .tool = tool,
				  .set = settings,
				  .path = tool->operands[0],
				  .jobs = (unsigned)tool->jobs,
				  .drop = drop,
				  .n_drop = 1 } };
	struct lh_flow flow = {
		.map = on_record, .instead = refusal, .before_output = before_output, .shared = &run
	};
	int rc;

	tool->jobs = 1;
	rc = recorder_start(&run.r, &tool->err);
	if (rc == 0)
		rc = playbook_flow(tool, &flow);
	if (rc == 0)
		rc = recorder_fold(&run.r, &tool->err);
	if (rc == 0)
		lh_tool_message(tool, "%llu recorded, %llu not", (unsigned long long)run.recorded,
				(unsigned long long)(run.next - run.recorded));
	recorder_close(&run.r);
	return rc;
}
