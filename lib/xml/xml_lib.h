#ifndef XML_LIB_H
#define XML_LIB_H

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "fault.h"

/*
 * libxml2, loaded when the first document comes: with what it brings along
 * (ICU, the C++ library) it is a third of the time that a program takes to
 * start, and a WAL file that is pushed or fetched has no document in its
 * answers. The functions of xml.c, by their own names; only lib/xml includes
 * this.
 */
struct xml_lib {
	__typeof__(xmlInitParser) *xmlInitParser;
	__typeof__(xmlNewParserCtxt) *xmlNewParserCtxt;
	__typeof__(xmlCtxtReadMemory) *xmlCtxtReadMemory;
	__typeof__(xmlStopParser) *xmlStopParser;
	__typeof__(xmlFreeParserCtxt) *xmlFreeParserCtxt;
	__typeof__(xmlDocGetRootElement) *xmlDocGetRootElement;
	__typeof__(xmlFreeDoc) *xmlFreeDoc;
};

/* SYSTEM when it cannot be loaded. Any thread; it stays until the process
 * ends. */
int xml_lib_get(const struct xml_lib **out, struct fault *f);

#endif
