/* walpush: PostgreSQL's archive_command. See walpush(1), and front.h for why
 * there are two programs. */

#include "front.h"

static int
walpush_status(void)
{
	return 1;
}

int
main(int argc, char **argv)
{
	static const struct front front = {
	    .name = "walpush",
	    .n_operands = 1,
	    .status = walpush_status,
	};

	return front_main(&front, argc, argv);
}
