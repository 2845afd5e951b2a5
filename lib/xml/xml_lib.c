#include "xml_lib.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t xml_lib_once = PTHREAD_ONCE_INIT;
static struct xml_lib xml_lib;
static char xml_lib_error[200]; /* "": it is loaded */

static void
lib_failed(void)
{
	const char *e = dlerror();

	strncpy(xml_lib_error, e != NULL ? e : "unknown reason",
	    sizeof(xml_lib_error) - 1);
}

/* ISO C has no conversion between the two kinds of pointers; POSIX has them of
 * one size. */
static int
lib_find(void *handle, const char *name, void *function)
{
	void *p = dlsym(handle, name);

	if (p == NULL)
		return -1;
	memcpy(function, &p, sizeof(p));
	return 0;
}

#define FIND(name) lib_find(handle, #name, &xml_lib.name)

static void
lib_load(void)
{
	void *handle = dlopen(XML_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL || FIND(xmlInitParser) != 0 ||
	    FIND(xmlNewParserCtxt) != 0 || FIND(xmlCtxtReadMemory) != 0 ||
	    FIND(xmlStopParser) != 0 || FIND(xmlFreeParserCtxt) != 0 ||
	    FIND(xmlDocGetRootElement) != 0 || FIND(xmlFreeDoc) != 0) {
		lib_failed();
		return;
	}
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
