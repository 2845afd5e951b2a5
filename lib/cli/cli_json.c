#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "json.h"

int
cli_json_print(const struct json *j, bool indent, struct fault *f)
{
	char *text = NULL;
	size_t len;
	int rc = indent ? json_dump_pretty(j, &text, &len, f)
			: json_dump(j, &text, &len, f);

	if (rc == 0)
		(void)fwrite(text, 1, len, stdout); /* cli_flush_stdout tells */
	free(text);
	return rc;
}
