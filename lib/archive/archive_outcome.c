#include <stdio.h>
#include <string.h>

#include "archive_push_core.h"
#include "text.h"

static void
outcome_warn(struct archive_result *res, const char *name, const char *text)
{
	size_t at = strlen(res->warning);

	snprintf(res->warning + at, sizeof(res->warning) - at, "%s%s: %s",
	    at > 0 ? "; " : "", name, text);
}

/* What two repositories in one directory hold is there once, and counts once. A
 * thread tells its own directory, as others may hang. */
static bool
outcome_twice(const struct archive_push_thread *t, struct fault *f)
{
	const struct archive_push *p = t->push;

	for (size_t i = 0; i < t->job.index; i++) {
		const struct archive_push_thread *o = &p->threads[i];

		if (o->durable && o->job.placed && t->job.placed &&
		    o->job.device == t->job.device &&
		    o->job.inode == t->job.inode) {
			fault_set(f, FAULT_CONFIG,
			    "is the directory of repository %s",
			    p->task.conf->repos[i]->name);
			return true;
		}
	}
	return false;
}

/* What has come of one repository; under the lock. */
static void
outcome_one(const struct archive_push_thread *t, struct archive_result *res,
    struct fault *worst)
{
	const char *name = t->push->task.conf->repos[t->job.index]->name;
	struct fault own = FAULT_INIT;
	const struct fault *f = &t->fault;

	if (t->durable && outcome_twice(t, &own)) {
		f = &own;
	} else if (t->durable) {
		res->durable_in++;
		res->stored = t->job.stored;
		res->already = res->already && t->job.already;
		if (!t->done)
			outcome_warn(res, name, "no answer about its mark");
		else if (!t->job.marked)
			outcome_warn(res, name, t->job.mark.text);
		return;
	}
	if (!t->durable && !t->done) {
		fault_set(&own, FAULT_AGAIN, "no answer in time");
		f = &own;
	}
	res->already = false;
	outcome_warn(res, name, f->text);
	if (archive_file_worse(f->code, worst->code)) {
		*worst = *f;
		if (!text_prefix(worst->text, "repository "))
			fault_prefix(worst, "repository %s", name);
	}
}

/* Remember where the mark is, when there is news. */
static void
outcome_note(const struct archive_push *p,
    const struct archive_note_flags seen[CONF_LIST])
{
	const struct archive_job_task *t = &p->task;
	struct archive_note_flags all[CONF_LIST] = {{0}};
	bool news = false;

	for (size_t i = 0; i < p->n; i++) {
		const struct conf_repo *c = t->conf->repos[i];

		all[i].has = archive_note_has(&t->note, c, &all[i].once);
		all[i].old = all[i].has;
		if (!all[i].has && seen[i].has) {
			all[i] = seen[i];
			news = true;
		}
	}
	if (news)
		archive_note_save(&t->note, t->conf->repos, all, p->n);
}

int
archive_outcome_judge(
    struct archive_push *p, struct archive_result *res, struct fault *f)
{
	const struct archive_job_task *t = &p->task;
	struct fault worst = FAULT_INIT;
	struct archive_note_flags seen[CONF_LIST] = {{0}};
	bool itself = false;

	res->already = true;
	res->size = t->file.size;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++) {
		if (!itself)
			outcome_one(&p->threads[i], res, &worst);
		if (p->threads[i].done)
			seen[i] = (struct archive_note_flags){
			    .has = p->threads[i].job.marked,
			    .once = p->threads[i].job.once,
			    .unread = p->threads[i].job.unread};
		res->late[i] = !p->threads[i].done;
		res->busy = res->busy || res->late[i];
		if (p->threads[i].done && p->threads[i].job.itself) {
			itself = true;
			worst = p->threads[i].fault;
			fault_prefix(
			    &worst, "repository %s", t->conf->repos[i]->name);
		}
	}
	pthread_mutex_unlock(&p->lock);
	outcome_note(p, seen);
	if (res->durable_in >= t->conf->push_quorum &&
	    worst.code != FAULT_EXISTS && !itself)
		return 0;
	*f = worst;
	if (p->n > 1 && worst.code != FAULT_EXISTS && !itself)
		fault_prefix(f, "%s is in %u of %zu repositories, %u needed",
		    t->file.name, res->durable_in, p->n, t->conf->push_quorum);
	return (int)f->code;
}

void
archive_outcome_tell(struct archive_push *p)
{
	struct archive_journal_seen seen[CONF_LIST] = {{0}};

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++)
		if (p->threads[i].durable)
			seen[i] = (struct archive_journal_seen){true,
			    p->threads[i].job.already,
			    p->threads[i].durable_ms};
	pthread_mutex_unlock(&p->lock);
	archive_journal_note(&p->task.journal, &p->task.file.walname, seen,
	    p->n, p->task.conf->push_quorum, p->task.from != NULL);
}
