#include "xml_lib.h"

#include <pthread.h>

#include "dynlib.h"

static pthread_once_t xml_lib_once = PTHREAD_ONCE_INIT;
static struct xml_lib xml_lib;
static char xml_lib_error[200]; /* "": it is loaded */

static void
lib_load(void)
{
	const struct dynlib_symbol symbols[] = {
	    DYNLIB_SYMBOL(xml_lib, xmlInitParser),
	    DYNLIB_SYMBOL(xml_lib, xmlNewParserCtxt),
	    DYNLIB_SYMBOL(xml_lib, xmlCtxtReadMemory),
	    DYNLIB_SYMBOL(xml_lib, xmlStopParser),
	    DYNLIB_SYMBOL(xml_lib, xmlFreeParserCtxt),
	    DYNLIB_SYMBOL(xml_lib, xmlDocGetRootElement),
	    DYNLIB_SYMBOL(xml_lib, xmlFreeDoc),
	};

	if (dynlib_load(XML_SONAME, symbols, sizeof(symbols) / sizeof(*symbols),
		xml_lib_error, sizeof(xml_lib_error)) == 0)
		xml_lib.xmlInitParser();
}

int
xml_lib_get(const struct xml_lib **out, struct fault *f)
{
	pthread_once(&xml_lib_once, lib_load);
	if (xml_lib_error[0] != '\0')
		return fault_set(f, FAULT_SYSTEM, "libxml2 cannot be used: %s",
		    xml_lib_error);
	*out = &xml_lib;
	return 0;
}
