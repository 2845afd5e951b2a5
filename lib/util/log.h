#ifndef LOG_H
#define LOG_H

/*
 * Messages for people, on stderr, one line each: "PROGRAM: TEXT". Only
 * commands call these; libraries return faults. Level 0 prints always, 1 with
 * -v, 2 with -vv. Thread-safe: one write(2) a line.
 */
void log_init(const char *program, int verbosity);
int log_verbosity(void);
void log_line(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* While a progress bar stands in the last line of the terminal: clear that
 * line before a message. */
void log_live(int on);

#endif
