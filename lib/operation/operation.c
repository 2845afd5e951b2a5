#include "operation.h"

#include "cli.h"
#include "log.h"

/* What keeps the first record away does so with the second: told once. */
static int
operation_settle(struct operation *o, int rc, struct fault *f)
{
	if (rc == 0 || o->without == NULL)
		return rc;
	if (!o->told)
		log_line(0,
		    "WARNING: %s, but without its record in the audit trail: "
		    "%s",
		    o->without, f->text);
	o->told = true;
	fault_clear(f);
	return 0;
}

static int
operation_stored(struct operation *o, int rc, struct fault *f)
{
	if (rc == 0 && !o->begun && audit_remark(o->audit)[0] != '\0')
		log_line(0, "%s", audit_remark(o->audit));
	return operation_settle(o, rc, f);
}

int
operation_open(struct operation *o, struct repo *r, size_t i,
    const char *program, struct fault *f)
{
	if (o->audit != NULL)
		return 0;
	return operation_settle(o, audit_open(&o->audit, r, i, program, f), f);
}

int
operation_begin(struct operation *o, const struct audit_event *e,
    const struct deadline *d, struct fault *f)
{
	int rc;

	if (o->audit == NULL)
		return 0;
	rc = operation_stored(o, audit_begin(o->audit, e, d, f), f);
	o->begun = true;
	return rc;
}

int
operation_end(struct operation *o, const struct audit_event *e, int result,
    const struct fault *why, const struct deadline *d, struct fault *f)
{
	int status = result != 0 ? cli_exit_status(why->code) : 0;
	int rc;

	if (o->audit == NULL)
		return 0;
	if (result == 0)
		why = NULL;
	rc = o->begun ? audit_end(o->audit, e, status, why, d, f)
		      : audit_note(o->audit, e, status, why, d, f);
	return operation_stored(o, rc, f);
}

void
operation_free(struct operation *o)
{
	audit_free(o->audit);
	o->audit = NULL;
	o->begun = false;
}
