/* walfetch: PostgreSQL's restore_command. See walfetch(1), and front.h for why
 * there are two programs. */

#include <string.h>
#include <unistd.h>

#include "front.h"

#define WALFETCH_SEGMENT 24

/* Not "absent": recovery stops, or a standby tries again. */
static int
walfetch_status(void)
{
	return access("standby.signal", F_OK) == 0 ? 4 : 200;
}

/* Nothing but segments is read ahead. */
static int
walfetch_suits(char *const *operands)
{
	return strlen(operands[0]) == WALFETCH_SEGMENT &&
	       strspn(operands[0], "0123456789ABCDEF") == WALFETCH_SEGMENT;
}

int
main(int argc, char **argv)
{
	static const struct front front = {
	    .name = "walfetch",
	    .n_operands = 2,
	    .status = walfetch_status,
	    .suits = walfetch_suits,
	};

	return front_main(&front, argc, argv);
}
