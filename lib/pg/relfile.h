#ifndef RELFILE_H
#define RELFILE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Names of relations' files: "16384", "16384_fsm", "16384.1", "16384_vm.2",
 * and of temporary ones "t3_16384". Pure. Source: common/relpath.c.
 */

enum relfile_fork {
	RELFILE_MAIN,
	RELFILE_FSM,
	RELFILE_VM,
	RELFILE_INIT, /* what an unlogged relation starts from after a crash */
};

struct relfile {
	uint32_t number; /* relfilenode; never 0 */
	enum relfile_fork fork;
	uint32_t segment;
	bool temporary;
};

/* Is it such a name? */
bool relfile_parse(const char *name, struct relfile *out);
/* A name of digits alone, without leading zero: of databases, tablespaces and
 * relations. */
bool relfile_oid(const char *name, uint32_t *out);

#endif
