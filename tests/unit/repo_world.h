#ifndef REPO_WORLD_H
#define REPO_WORLD_H

/*
 * A directory of the test's own, and a cluster whose repositories are in it, by
 * settings made for the test. A setup makes the one and opens the other; a
 * teardown ends both.
 */

#include "unit.h"

#include <stdarg.h>
#include <stdio.h>

#include "repo.h"

/* As walmake.h has it in its WAL. */
#define SYSTEM UINT64_C(7000000000000000000)

/* Settings of a cluster with one repository and no keys; for dir. */
#define ONE_REPO                                                               \
	"[cluster main]\nrepo = r\nencryption = off\n"                         \
	"[repo r]\nurl = file://%s/repo\n"

/* The same with a spool directory; for dir, twice. */
#define SPOOL_REPO                                                             \
	"[cluster main]\nrepo = r\nencryption = off\nspool_dir = %s\n"         \
	"[repo r]\nurl = file://%s/repo\n"

static char dir[64];
static struct conf *conf;
static struct repo *repo;
static struct deadline never;

static inline void
repo_world_dir(const char *name)
{
	never = deadline_never();
	snprintf(dir, sizeof dir, "/tmp/test-%s.XXXXXX", name);
	assert_non_null(mkdtemp(dir));
}

static inline void
repo_world_close(void)
{
	repo_free(repo);
	conf_free(conf);
	repo = NULL;
	conf = NULL;
}

/* The cluster of these settings; what was open is closed. */
static inline const struct conf_cluster *repo_world_vconf(
    const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

static inline const struct conf_cluster *
repo_world_vconf(const char *format, va_list ap)
{
	struct fault f = FAULT_INIT;
	const struct conf_cluster *c;
	char text[1024];
	int n;

	repo_world_close();
	n = vsnprintf(text, sizeof text, format, ap);
	assert_in_range(n, 1, sizeof text - 1);
	assert_int_equal(conf_parse(&conf, "test", text, (size_t)n, &f), 0);
	assert_int_equal(conf_cluster(conf, NULL, &c, &f), 0);
	return c;
}

static inline const struct conf_cluster *repo_world_conf(
    const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline const struct conf_cluster *
repo_world_conf(const char *format, ...)
{
	const struct conf_cluster *c;
	va_list ap;

	va_start(ap, format);
	c = repo_world_vconf(format, ap);
	va_end(ap);
	return c;
}

/* The same, and repo is open. */
static inline void repo_world_open(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static inline void
repo_world_open(const char *format, ...)
{
	struct fault f = FAULT_INIT;
	const struct conf_cluster *c;
	va_list ap;

	va_start(ap, format);
	c = repo_world_vconf(format, ap);
	va_end(ap);
	assert_int_equal(repo_open(&repo, c, SYSTEM, &f), 0);
}

/* For the end of a teardown: what system(3) returned. */
static inline int
repo_world_end(void)
{
	char command[192];

	repo_world_close();
	snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", dir,
	    dir);
	return system(command);
}

#endif
