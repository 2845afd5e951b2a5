#ifndef GUARD_H
#define GUARD_H

#include <stdint.h>

/*
 * Programs that PostgreSQL runs must end with a status of their own choosing,
 * and in time, whatever happens: archive_command must not die of a signal
 * (the archiver would die with it and count no failure), and restore_command
 * must not, by accident, end with a status that means "no such file".
 * For commands only: the process ends in here, with one line on stderr.
 */

/* SIGBUS (a mapped file was truncated, or its disk cannot be read), SIGSEGV,
 * SIGABRT, SIGFPE, SIGILL and SIGSYS end the process with that status. */
void guard_crash(const char *program, int status);

/* The process ends with that status when ms have passed, even if it hangs in a
 * call that knows no deadline. what: for the message. Calling it again
 * replaces the time. The line is left out when stderr would block. */
void guard_time(const char *program, const char *what, int64_t ms, int status);

#endif
