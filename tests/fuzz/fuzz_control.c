#include <string.h>

#include "buf.h"
#include "control.h"
#include "wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* As it is, and with its CRC put right. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const size_t crc[] = {288, 292};
	unsigned char copy[CONTROL_SIZE];
	struct fault f = FAULT_INIT;
	struct control c;

	(void)control_parse(data, n, &c, &f);
	if (n < 296 || n > sizeof(copy))
		return (0);
	for (size_t i = 0; i < sizeof(crc) / sizeof(*crc); i++) {
		memcpy(copy, data, n);
		bytes_set_u32(copy + crc[i], wal_crc32c(0, copy, crc[i]));
		(void)control_parse(copy, n, &c, &f);
	}
	return (0);
}
